#!/bin/sh
# instructions.sh BUILD...: the instructions of one empty call, submitted, run and
# collected in one process, in each build folder (with bench). Where others share the
# machine, times tell nothing of a change of a few percent, and this does. Needs
# valgrind.
set -eu

# count BUILD CALLS: instructions of a process with so many calls.
count() {
    calls=$2
    if [ -x "$1/bench/measure" ]; then
        set -- "$1/bench/measure"
    else # up to 0.1.0
        set -- "$1/bench/dwq-bench" --measure
    fi
    valgrind --tool=callgrind --callgrind-out-file=/dev/null \
        "$@" throughput "$calls" 2>&1 | sed -n 's/.*Collected : //p'
}

# 1.1 times so many calls are made.
for build; do
    echo "$build: $((($(count "$build" 11000) - $(count "$build" 1000)) / 11000))"
done
