#!/bin/sh
# examples.sh PROGRAM RANKS...: an example prints the same, up to the report,
# in one process and with each number of ranks; and each run ends. Prints TAP.
set -eu
program=$(realpath "$1")
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" # some write files
export DWQ_MODULE_PATH="${program%/*}"

n=1
# verdict NAME STATUS
verdict() {
    [ "$2" -eq 0 ] || sed 's/^/# /' out diff
    [ "$2" -eq 0 ] && echo "ok $n - $1" || echo "not ok $n - $1"
    n=$((n + 1))
}

echo "1..$(($# + 1))"
: >diff
status=0
timeout -k 5 60 "$program" >out 2>&1 </dev/null || status=$?
sed '/^results collected/,$d' out >expected
[ -s expected ] || status=1
verdict alone $status

for ranks in "$@"; do
    status=0
    timeout -k 5 60 mpirun --oversubscribe -n "$ranks" "$program" \
        >out 2>&1 </dev/null || status=$?
    sed '/^results collected/,$d' out | diff expected - >diff || status=1
    verdict "$ranks ranks" $status
done
