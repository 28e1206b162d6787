#!/bin/sh
# Installs what is missing, builds, runs every test, and ends with
# "N passed, N failed". BUILD names another build folder; arguments are
# options for meson setup.
set -eu
cd "$(dirname "$0")/.."
build=${BUILD:-build}

sh .ci/install build examples tests
sh .ci/build "$build" -Dtests=enabled -Dexamples=enabled "$@"
exec sh .ci/test "$build"
