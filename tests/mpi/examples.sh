#!/bin/sh
# examples.sh PROGRAM ROWS...: an example prints and writes the same, up to the
# report, in one process and in each row; and each run ends. A row is a number of
# ranks and the program's arguments: "5", "7 --nprocs 3 --broker inside". Prints
# TAP.
set -eu
program=$(realpath "$1")
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export DWQ_MODULE_PATH="${program%/*}"

n=1
# verdict NAME STATUS
verdict() {
    [ "$2" -eq 0 ] || sed 's/^/# /' "$work/err" "$work/out" "$work/diff"
    [ "$2" -eq 0 ] && echo "ok $n - $1" || echo "not ok $n - $1"
    n=$((n + 1))
}

# run FOLDER COMMAND...: in a folder of its own, as some write files.
run() {
    rm -rf "$work/$1"
    mkdir "$work/$1"
    cd "$work/$1"
    shift
    : >"$work/diff"
    status=0
    # A second, but with sanitizers on a busy machine most of this.
    timeout -k 5 120 "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
    # What goes two ways through mpirun comes in any order.
    # With one process, options of groups are said to be without effect.
    cat "$work/err" "$work/out" |
        sed '/: warning: options without effect /d; /^results collected/,$d' >printed
}

# Open MPI 4 of Debian 12 may hang in a spawn without this, and 5 with it.
case $* in
*spawn*) ! mpirun --version 2>&1 | grep -q ' 4\.' || export EVENT_NOEPOLL=1 ;;
esac

# One row, for builds whose rows another build plays all: the middle one.
if [ -n "${DWQ_TEST_SHORT:-}" ] && [ $# -gt 1 ]; then
    shift $(($# / 2))
    set -- "$1"
fi
echo "1..$(($# + 1))"
run alone "$program"
[ -s printed ] || status=1
verdict alone $status

for row in "$@"; do
    ranks=${row%% *}
    run row mpirun --oversubscribe -n "$ranks" "$program" ${row#"$ranks"}
    diff -r "$work/alone" "$work/row" >"$work/diff" 2>&1 || status=1
    verdict "ranks: $row" $status
done
