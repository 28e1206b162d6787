#!/bin/sh
# includes_selftest.sh ROOT: includes.sh finds each of these, planted.
set -eu
script=$1/tests/lint/includes.sh
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
for room in libdwq/base libdwq/item libdwq/mpi libdwq/process libdwq/queue \
    libdwq/run libdwq/include/dwq brokers \
    workers topology/plan bench examples tests; do
    mkdir -p "$tree/$room"
done
: >"$tree/libdwq/base/arena.h"
: >"$tree/libdwq/item/codec.h"
: >"$tree/libdwq/queue/scheduler.h"
: >"$tree/libdwq/run/run.h"
: >"$tree/topology/plan/hosts.h"
: >"$tree/workers/executor.h"
: >"$tree/workers/serve.h"
: >"$tree/brokers/relay.h"

bad=0
# expect STATUS FILE INCLUDE
expect() {
    echo "#include $3" >"$tree/$2"
    status=0
    sh "$script" "$tree" >"$tree/log" || status=1
    if [ $status -ne "$1" ]; then
        echo "$2 with $3: got $status, not $1"
        cat "$tree/log"
        bad=1
    fi
    rm "$tree/$2"
}

expect 0 libdwq/base/x.c '<dwq/status.h>'
expect 0 libdwq/base/x.c '"libdwq/base/arena.h"'
expect 1 libdwq/base/x.c '"libdwq/item/codec.h"'
expect 1 libdwq/base/x.c '"arena.h"'
expect 1 libdwq/base/x.c '<mpi.h>'
expect 1 libdwq/include/dwq/x.h '"libdwq/base/arena.h"'
expect 1 libdwq/include/dwq/x.h '<mpi.h>'
expect 0 libdwq/include/dwq/mpi.h '<mpi.h>'
expect 0 libdwq/mpi/x.c '<mpi.h>'
expect 1 libdwq/mpi/x.c '"libdwq/queue/scheduler.h"'
expect 1 libdwq/queue/x.c '"workers/serve.h"'
expect 0 libdwq/run/run.c '"workers/serve.h"'
expect 1 libdwq/queue/controller.c '<dwq/mpi.h>'
expect 1 libdwq/queue/x.c '"libdwq/run/run.h"'
expect 1 libdwq/process/board.c '<mpi.h>'
expect 0 libdwq/process/departure_mpi.c '<mpi.h>'
expect 1 libdwq/item/x.c '<mpi.h>'
expect 1 workers/x.c '"libdwq/queue/scheduler.h"'
expect 0 workers/x.c '"libdwq/item/codec.h"'
expect 0 brokers/x.c '"workers/executor.h"'
expect 0 brokers/x.c '"workers/serve.h"'
expect 1 brokers/x.c '"libdwq/queue/scheduler.h"'
expect 1 workers/x.c '"brokers/relay.h"'
expect 1 topology/placer.c '<hwloc.h>'
expect 0 topology/discover.c '<hwloc.h>'
expect 0 topology/bind.c '<hwloc.h>'
expect 1 topology/plan/main.c '<hwloc.h>'
expect 0 topology/x.c '"libdwq/base/arena.h"'
expect 1 topology/x.c '"libdwq/item/codec.h"'
expect 1 topology/x.c '"libdwq/queue/scheduler.h"'
expect 1 topology/x.c '<mpi.h>'
expect 1 topology/x.c '"topology/plan/hosts.h"'
expect 0 topology/plan/x.c '"topology/plan/hosts.h"'
expect 1 libdwq/run/plan_x.c '"topology/plan/hosts.h"'
expect 1 examples/x.c '"libdwq/base/arena.h"'
expect 0 bench/raw_mpi.c '<mpi.h>'
expect 1 bench/raw_mpi.c '<dwq/dwq.h>'
expect 1 bench/x.c '<mpi.h>'
expect 0 bench/x.c '<dwq/dwq.h>'
expect 1 bench/x.c '"libdwq/base/arena.h"'
expect 0 tests/x.c '"libdwq/queue/scheduler.h"'
exit $bad
