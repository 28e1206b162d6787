#!/bin/sh
# Installs what is missing, builds, and runs the spectrum example on all cores:
# a controller and one worker for each. Arguments go to the program.
set -eu
cd "$(dirname "$0")/.."
build=${BUILD:-build}

sh .ci/install build examples
sh .ci/build "$build" -Dexamples=enabled -- examples/spectrum

if [ "$(id -u)" -eq 0 ]; then # a container, most likely
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
exec mpirun --oversubscribe -n $(($(nproc) + 1)) "$build/examples/spectrum" "$@"
