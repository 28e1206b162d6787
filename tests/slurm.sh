#!/bin/sh
# slurm.sh [BUILD]: the examples in a real Slurm, started by mpirun and by srun, print
# what they do in one process. Run by hand, not by CI. Needs: sbatch, two nodes with 8
# CPUs in all, their PMIx plugin (srun --mpi=list), and BUILD (default: build, with
# examples) where all nodes see it. Prints TAP.
set -eu
if [ "${1:-}" != --inside ]; then
    build=$(realpath "${1:-build}")
    script=$(realpath "$0")
    out=$build/slurm.out
    sbatch -W -N2 -n8 -o "$out" "$script" --inside "$build" >&2 || true
    cat "$out"
    if grep -q '^not ok' "$out" || ! grep -q '^1\.\.' "$out"; then
        exit 1
    fi
    rm "$out"
    exit 0
fi

build=$2
work=$build/slurm.$SLURM_JOB_ID
mkdir "$work"
trap 'rm -rf "$work"' EXIT
export DWQ_MODULE_PATH="$build/examples" EVENT_NOEPOLL=1
[ "$(id -u)" -ne 0 ] || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
n=0

# play FILE COMMAND...: what it prints, up to the report, into FILE.
play() {
    file=$work/$1
    shift
    mkdir -p "$work/folder" # some write files
    (cd "$work/folder" && timeout -k 5 120 "$@" </dev/null) >"$work/all" 2>&1 || return
    sed '/: warning: options without effect /d; /^srun: /d; /^results collected/,$d' "$work/all" >"$file"
}

# check NAME COMMAND...: it prints what the program did alone.
check() {
    name=$1 verdict='not ok'
    shift
    n=$((n + 1))
    if play row "$@" && cmp -s "$work/alone" "$work/row"; then
        verdict=ok
    else
        sed 's/^/# /' "$work/all"
    fi
    echo "$verdict $n - $name"
}

for row in hello module 'spectrum --nprocs 3 --broker inside' \
    'coinit --nprocs 3 --broker inside' 'service --broker inside' 'heat --nprocs 2'; do
    program=$build/examples/${row%% *}
    options=${row#"${row%% *}"}
    play alone mpirun -n 1 "$program" || cat "$work/all"
    check "mpirun: $row" mpirun -n 7 "$program" $options
    check "mpirun, unbound: $row" mpirun --bind-to none --map-by node -n 7 "$program" $options
    [ "${row%% *}" = service ] || # which MPI has no way to connect there
        check "srun: $row" srun --mpi=pmix -n 7 "$program" $options
done
check 'mpirun: heat, spawned' mpirun --map-by node --oversubscribe -n 3 \
    "$build/examples/heat" --grouping spawn --nprocs 3
echo "1..$n"
