#!/bin/sh
# includes.sh ROOT: who may include what (the arrows of libdwq/README.md).
set -eu
cd "$1"

find libdwq brokers workers topology bench examples tests -name '*.[ch]' |
    LC_ALL=C sort | xargs awk '
function room(path) {
    if (path ~ /^libdwq\/include\//) { return "public" }
    if (path ~ /^topology\/plan\//) { return "plan" }
    if (path ~ /^libdwq\//) { split(path, part, "/"); return part[2] }
    split(path, part, "/")
    return part[1]
}

# What a room may see of the other rooms, beside itself.
BEGIN {
    sees["public"] = " "
    sees["base"] = " public "
    sees["item"] = " public base "
    sees["wait"] = " public base item "
    sees["process"] = " public base item "
    sees["mpi"] = " public base item wait process "
    sees["group"] = " public base item wait "
    sees["topology"] = " public base "
    sees["plan"] = " public base topology run " # a program: the plan of its job
    sees["workers"] = " public base item wait process group "
    sees["brokers"] = " public base item process group workers "
    sees["queue"] = " public base item wait process "
    sees["command"] = " public base process " # a program: what it is told
    sees["bench"] = " public "
    sees["examples"] = " public "
}

function may_see(file, from, target, to) {
    if (from == to || (from == "run" && to != "plan")) { return 1 }
    if (file == "libdwq/queue/here.c" && target == "workers/executor.h") {
        return 1 # this process as a cell
    }
    if (from == "workers" && target == "libdwq/item/links.h") {
        return 1 # between groups
    }
    return index(sees[from], " " to " ") > 0
}

function may_mpi(file, from) {
    return from == "mpi" || file == "bench/raw_mpi.c" ||
        file ~ /^libdwq\/process\/(mpi_process|departure|[a-z_]*_mpi)\.[ch]$/ ||
        file ~ /^bench\/smpi\// || from == "examples" ||
        file == "libdwq/run/group.c" || file == "libdwq/run/run.c" ||
        file == "libdwq/include/dwq/mpi.h"
}

function complain(why) {
    print FILENAME ":" FNR ": " why ": " $0
    bad = 1
}

/^[ \t]*#[ \t]*include/ {
    from = room(FILENAME)
    if (from == "tests") { next }
    target = $0
    sub(/^[^<"]*[<"]/, "", target)
    sub(/[>"].*$/, "", target)
    if ($0 ~ /"/) {
        if ((getline line < target) < 0) {
            complain("no such file from the root")
        }
        close(target)
        if (!may_see(FILENAME, from, target, room(target))) {
            complain(from " must not see " room(target))
        }
    }
    if (target ~ /^(dwq\/)?mpi\.h$/ && !may_mpi(FILENAME, from)) {
        complain("MPI does not belong here")
    }
    if (target ~ /^hwloc/ && FILENAME !~ /^topology\/(discover|bind)\.c$/) {
        complain("hwloc does not belong here")
    }
    if (FILENAME == "bench/raw_mpi.c" && target ~ /\//) {
        complain("the floor is bare MPI")
    }
}
END { exit bad }
'
