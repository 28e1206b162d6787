#!/bin/sh
# Efficiency on simulated clusters of up to 1,024 hosts and 8,193 ranks (SimGrid SMPI):
# builds what is missing in build/ and build-smpi/, runs dwq-bench's question scale.
# Takes the options of dwq-bench. Exits 1 where a bar is missed.
set -eu
cd "$(dirname "$0")/.."

sh .ci/install build smpi
sh .ci/build build
sh .ci/build build-smpi -Dmpi=smpi -Dbuildtype=release
exec build/bench/dwq-bench --smpi "$PWD/build-smpi" "$@" scale
