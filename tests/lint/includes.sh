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
    sees["wire"] = " public base "
    sees["topology"] = " public base "
    sees["plan"] = " public base topology "
    sees["workers"] = " public base wire "
    sees["brokers"] = " public base wire workers "
    sees["core"] = " public base wire "
    sees["bench"] = " public "
    sees["examples"] = " public "
}

function may_see(file, from, target, to) {
    if (from == to || file ~ /^libdwq\/core\/(run|run_private|roles|role_controller|role_group|service|spawn|start|group|place|binding)\.[ch]$/) {
        return 1
    }
    if (file ~ /^libdwq\/core\/plan/ && to == "topology") { return 1 }
    if (file == "topology/plan/job.c" && target == "libdwq/core/run.h") {
        return 1 # the program: the plan of the job that it is
    }
    if (from == "core" && target == "workers/executor.h") {
        return 1 # calls that run in place
    }
    return index(sees[from], " " to " ") > 0
}

function may_mpi(file, from) {
    return from == "wire" || file == "bench/raw_mpi.c" ||
        file ~ /^bench\/smpi\// || from == "examples" ||
        file == "libdwq/core/group.c" || file == "libdwq/core/run.c" ||
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
