#!/bin/sh
# plan_job.sh DWQ_PLAN: started by mpirun without a cluster, dwq-plan prints the plan
# of that job, once.
set -eu
plan=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset DWQ_CONTROLLER_RANK DWQ_DOMAIN DWQ_STRADDLE DWQ_FILL DWQ_THREADS_PER_RANK
export DWQ_TOPOLOGY='pack:1 numa:2 core:4 pu:1'
bad=0

fail() {
    echo "$*"
    bad=1
}

# job RANKS ARGUMENTS...: its output in $work/out.
job() {
    n=$1 status=0
    shift
    timeout 60 mpirun --oversubscribe --bind-to none -n "$n" "$plan" "$@" \
        >"$work/out" 2>"$work/err" || status=$?
}

# json CHECK RANKS ARGUMENTS...
json() {
    check=$1
    shift
    job "$@" --json
    [ $status -eq 0 ] || fail "$*: exit code $status, $(cat "$work/err")"
    python3 - "$work/out" "$check" <<'END' || fail "$*: not $check"
import json, sys
plan = json.load(open(sys.argv[1])) # one object, so one rank printed
groups, idle = plan["groups"], plan["idle"]
sys.exit(0 if eval(sys.argv[2]) else 1)
END
}

# As each_numa_node_gets_a_group of places.c: what a run gets.
json '[g["ranks"] for g in groups] == [[1, 2, 3], [4, 5, 6, 7]] and not idle' \
    8 --broker inside
json 'len(groups) == 2 and groups[0]["width"] == 1' 3 --nprocs 1 --broker inside
json 'plan["controller"]["rank"] == 2 and len(groups) == 1 and len(idle) == 1' \
    3 --nprocs 1 --broker inside --controller-rank=-1 --max-workers 1
json 'all(r is None for g in groups for r in g["ranks"]) and len(groups) == 2' \
    3 --nprocs 2 --grouping spawn
export DWQ_THREADS_PER_RANK=2 # the environment chooses, as in a run
json '[len(c) for c in groups[0]["cpuset"]] == [2]' 2 --nprocs 1 --broker inside
json '[len(c) for c in groups[0]["cpuset"]] == [1]' 2 --nprocs 1 --broker inside --threads 1
unset DWQ_THREADS_PER_RANK

# Every other form: one copy.
job 3 --nprocs 1 --broker inside
[ "$(grep -c '^ *1 ' "$work/out")" -eq 1 ] || fail "table: $(cat "$work/out")"
job 3 --nprocs 1 --broker inside --draw
[ "$(grep -c 'NUMA node 0' "$work/out")" -eq 1 ] ||
    fail "drawing: $(cat "$work/out")"
job 3 --nprocs 1 --broker inside --svg "$work/plan.svg"
[ "$(grep -c '<svg' "$work/plan.svg")" -eq 1 ] || fail "no one SVG"
job 3 --format svg --nprocs 1 --broker inside
[ "$(grep -c '<svg' "$work/out")" -eq 1 ] || fail "not one SVG on stdout"

# A described cluster has nothing to do with the job: said once, too.
json 'len(groups) == 3' 3 --hosts 'a:core:4 pu:1' --nprocs 1 --broker inside
json 'len(groups) == 4' 3 --ranks-per-host 5 --nprocs 1 --broker inside
job 3 --help
[ "$(grep -c -- '--straddle' "$work/out")" -eq 1 ] || fail "help of many ranks"
json 'len(groups) == 7' 1 --nprocs 1 --broker inside # one process: this machine

# refuse TEXT RANKS ARGUMENTS...: every rank ends, and one says why.
refuse() {
    text=$1
    shift
    job "$@"
    [ $status -eq 2 ] || fail "$*: exit code $status"
    [ "$(cat "$work/out" "$work/err" | grep -cF -- "$text")" -eq 1 ] ||
        fail "$*: $(cat "$work/out" "$work/err")"
}
refuse "nprocs_per_worker" 3 --nprocs 5
refuse "DWQ_CONTROLLER_RANK is 3" 3 --nprocs 1 --controller-rank 3
refuse "/nowhere/x.svg" 3 --nprocs 1 --broker inside --svg /nowhere/x.svg
refuse "'--bogus'" 3 --bogus
refuse "'pack:2'" 3 --hosts 'a:pack:2'
# A rank that says nothing must not end the job before the one that does.
OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=3 "$plan" --bogus >"$work/out" 2>&1 ||
    fail "a silent rank: exit code $?"
[ ! -s "$work/out" ] || fail "a silent rank: $(cat "$work/out")"
DWQ_TOPOLOGY=nonsense
refuse "nonsense" 3 --nprocs 1
exit $bad
