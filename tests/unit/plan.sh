#!/bin/sh
# plan.sh DWQ_PLAN ROOT: the program as a user meets it. DWQ_PLAN_HWLOC=0: it
# was built without hwloc.
set -eu
plan=$1 root=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset DWQ_TOPOLOGY DWQ_CONTROLLER_RANK
bad=0

fail() {
    echo "$*"
    bad=1
}

# json CHECK ARGUMENTS...: the plan as JSON, and a Python expression about it.
json() {
    check=$1
    shift
    "$plan" --json "$@" >"$work/plan.json" 2>"$work/err" ||
        fail "$*: $(cat "$work/err")"
    python3 - "$work/plan.json" "$check" <<'END' || fail "$*: not $check"
import json, sys
plan = json.load(open(sys.argv[1]))
groups, idle = plan["groups"], plan["idle"]
used = set()
for g in groups:
    assert len(g["ranks"]) == len(g["cpuset"]) == len(g["rank_hosts"]), g
    assert set(g["hosts"]) == set(g["rank_hosts"]), g
    for host, cores in zip(g["rank_hosts"], g["cpuset"]):
        for core in cores:
            assert (host, core) not in used or \
                host in plan["hosts_on_threads"], (host, core)
            used.add((host, core))
ranks = [r for g in groups for r in g["ranks"] if r is not None]
ranks += [i["rank"] for i in idle]
assert len(ranks) == len(set(ranks))
assert [g["id"] for g in groups] == list(range(1, len(groups) + 1))
sys.exit(0 if eval(sys.argv[2]) else 1)
END
}

rack='n[01-16]:pack:2 numa:2 core:16 pu:2'
json 'len(groups) == 64 and sum(g["width"] for g in groups) == 1023 and not idle' \
    --hosts "$rack" --nprocs auto:numa --broker inside
json 'all(len({c // 16 for cs in g["cpuset"] for c in cs}) == 1 for g in groups)' \
    --hosts "$rack" --nprocs 5 --broker beside
json 'all(g["broker"] not in g["ranks"] for g in groups) and len(idle) > 0' \
    --hosts "$rack" --nprocs 5 --broker beside
json 'all(g["broker_seat"]["pus"][0] not in g["pus"][0] for g in groups)' \
    --hosts "$rack" --nprocs auto:package --broker thread
json 'all(len(c) == 4 for g in groups for c in g["cpuset"]) and len(groups) == 63' \
    --hosts "$rack" --nprocs 4 --threads 4 --broker inside
json 'len(groups) == 3 and len({g["hosts"][0] for g in groups}) == 3' \
    --hosts "$rack" --nprocs 4 --max-workers 3 --spread
json 'len(groups) == 3 and len({g["hosts"][0] for g in groups}) == 1' \
    --hosts "$rack" --nprocs 4 --max-workers 3 --pack
json 'plan["controller"]["rank"] == 7 and plan["grouping"] == "split"' \
    --hosts 'a:core:8 pu:1' --nprocs 2 --controller-rank=-1
json 'groups[0]["ranks"] == [1, None, None] and groups[0]["hosts"] == ["b"]' \
    --hosts 'a:core:1 pu:1;b:core:4 pu:1' --ranks-per-host 1 --nprocs 3 \
    --grouping spawn --broker inside
json 'len(groups) == 7 and all(r is None for r in groups[0]["ranks"])' \
    --hosts 'n[1-4]:numa:2 core:4 pu:1' --nprocs 4 --grouping spawn \
    --broker inside
json 'plan["oversubscribed_hosts"] == ["a"] and groups[0]["cpuset"] == [[], []]' \
    --hosts 'a:core:2 pu:1' --ranks-per-host 5 --nprocs 2
json 'len(groups) == 2 and not idle' \
    --hosts 'a:core:4 pu:2' --nprocs 2 --broker thread
json 'plan["idle_cores"] == [{"host": "n", "cores": [3], "reason":
    "too few are left on its host for another group"}]' \
    --hosts 'n:core:4 pu:1' --nprocs 2 --broker inside
json '[g["hosts"] for g in groups] == [["n2", "n3"], ["n4", "n5"]]' \
    --hosts 'n[1-5]:core:4 pu:1' --nprocs 8 --broker inside
json '{c // 8 for cs in groups[0]["cpuset"] for c in cs} == {1, 2}' \
    --hosts 'n1:pack:3 core:8 pu:1' --nprocs 16
json '{c // 2 for cs in groups[0]["cpuset"] for c in cs} == {1, 2}' \
    --hosts 'n1:numa:6 core:2 pu:1' --nprocs 4
json 'len(groups) == 1 and plan["controller_costs"] == 1' \
    --hosts 'n[1-2]:core:4 pu:1' --nprocs 4 --grouping spawn --broker inside
json 'len(groups) == 2 and plan["controller_shares"]' --controller share \
    --hosts 'n[1-2]:core:4 pu:1' --nprocs 4 --grouping spawn --broker inside
"$plan" --hosts 'n[1-2]:core:4 pu:1' --nprocs 4 --grouping spawn --broker inside |
    grep -q '^controller: .*--controller share' || fail "the table has no cost"
json 'groups[0]["width"] == 2 and not plan["oversubscribed_hosts"]' \
    --hosts 'n:core:2 pu:1' --ranks-per-host 3 --broker inside
json 'groups[0]["width"] == 7 and plan["hosts_on_threads"] == ["n"]' \
    --hosts 'n:core:4 pu:2' --ranks-per-host 8 --broker inside
"$plan" --hosts 'n[1-2]:core:4 pu:1' --nprocs 3 --max-workers 1 --broker inside |
    grep -qx 'idle: cores 0-3 of n2: max_workers is reached' ||
    fail "the table has no idle cores"
printf '# a cluster\nx[1-2]:core:4 pu:1\ny:core:6 pu:1 # wider\n' >"$work/hosts"
json 'len(groups) == 3 and groups[2]["width"] == 6' \
    --file "$work/hosts" --nprocs auto:host --broker inside
if [ "$DWQ_PLAN_HWLOC" = 1 ]; then
    json 'len(groups) == 1' --nprocs 1 --ranks-per-host 2 --broker inside
    xml=$root/tests/data/topology/made-cgroup.xml
    json 'len(groups) == 2 and plan["groups"][1]["cpuset"][-1] == [23]' \
        --hosts "h:$xml" --nprocs auto:numa --broker inside
    # "%h" is each of the names.
    printf '%s' "$(cat "$xml")" >"$work/one.xml"
    cp "$xml" "$work/two.xml"
    json '{h for g in groups for h in g["hosts"]} == {"one", "two"}' \
        --hosts "one,two:$work/%h.xml" --nprocs auto:numa --broker inside
fi

# A name in UTF-8 is one in JSON; one that is not is still valid JSON.
json 'groups[0]["hosts"] == ["h\u00e4user\u20ac\U0001f600"]' \
    --hosts 'häuser€😀:core:4 pu:1' --nprocs 2 --broker inside
json 'len(groups[0]["hosts"][0]) == 5' \
    --hosts "$(printf 'a\344\300\200b:core:4 pu:1')" --nprocs 2 --broker inside

# SVG is XML, with a box for each host, package, NUMA node, core.
"$plan" --hosts "$rack" --nprocs auto:numa --svg "$work/plan.svg" >"$work/out"
python3 - "$work/plan.svg" <<'END' || fail "the SVG is not as it should be"
import sys, xml.etree.ElementTree as tree
root = tree.parse(sys.argv[1]).getroot()
ns = "{http://www.w3.org/2000/svg}"
def count(tag, kind):
    return len([e for e in root.iter(ns + tag) if e.get("class") == kind])
assert count("rect", "host") == 16 and count("rect", "package") == 32
assert count("rect", "numa") == 64 and count("rect", "core") == 1024
assert count("circle", "broker") == 64 and count("circle", "controller") == 1
fills = {e.get("fill") for e in root.iter(ns + "rect") if e.get("class") == "core"}
assert len(fills) >= 64, len(fills)
END
grep -q '^   64 ' "$work/out" || fail "no table beside the SVG"
"$plan" --hosts 'a:numa:2 core:3 pu:1' --nprocs 2 --broker inside --draw |
    grep -q 'NUMA node 0   @aA$' || fail "the drawing is another"
"$plan" --compare-blocks >"$work/out" || fail "--compare-blocks fails"
awk 'NR > 2 && NF > 6 && $NF ~ /^[0-9]+$/ {
         n++; theirs += $(NF - 4); ours += $(NF - 1) }
     END { exit !(n >= 8 && theirs > 100 && ours == 0) }' "$work/out" ||
    fail "--compare-blocks: $(cat "$work/out")"
"$plan" --help | grep -q -- --straddle || fail "--help is short"

# Silent is each rank of a job but the first, whichever launcher numbers them.
as_rank() {
    env "$@" "$plan" --hosts 'a:core:4 pu:1' --nprocs 1 2>&1 | wc -l
}
for job in 'OMPI_COMM_WORLD_RANK=3 OMPI_COMM_WORLD_SIZE=8' PMI_RANK=3 PMIX_RANK=3 \
    SLURM_PROCID=3; do
    [ "$(as_rank $job)" -eq 0 ] || fail "$job prints"
done
# A daemon of mpirun is a task of Slurm's; its ranks are numbered anew.
for job in OMPI_COMM_WORLD_RANK=0 'PMI_RANK=0 PMI_SIZE=8' SLURM_PROCID=0 \
    'OMPI_COMM_WORLD_RANK=0 SLURM_PROCID=3'; do
    [ "$(as_rank $job)" -gt 0 ] || fail "$job: nothing is printed"
done
"$plan" --help | grep -q 'every rank' || fail "--help: who has to run it"

# refuse TEXT ARGUMENTS...: exit code 2, and the text on stderr.
refuse() {
    text=$1 status=0
    shift
    "$plan" "$@" >"$work/out" 2>"$work/err" || status=$?
    [ $status -eq 2 ] || fail "$*: exit code $status"
    [ ! -s "$work/out" ] || fail "$*: it printed something"
    grep -qF -- "$text" "$work/err" || fail "$*: $(cat "$work/err")"
}
refuse "'--bogus'" --bogus
refuse "--nprocs needs a value" --nprocs
refuse "--json takes no value" --json=1
refuse "--nprocs '0'" --nprocs 0
refuse "inside, beside, thread" --broker outside
refuse "never, if-must, freely" --straddle always
refuse "split, spawn" --grouping both
refuse "own, share" --controller none
refuse "--threads '0'" --threads 0
refuse "'pack:2'" --hosts 'n:pack:2'
refuse "no ':'" --hosts nonsense
refuse "only one of them" --hosts 'a:core:1 pu:1' --file x
refuse "/nowhere" --file /nowhere
refuse "5 ranks" --hosts 'a:core:4 pu:1' --nprocs 4
refuse "threads: each rank needs 9 cores" \
    --hosts 'a:numa:2 core:4 pu:1' --nprocs 2 --threads 9
refuse "controller rank 9" --hosts 'a:core:4 pu:1' --nprocs 1 --controller-rank 9
refuse "/nowhere/x.svg" --hosts 'a:core:4 pu:1' --nprocs 1 --svg /nowhere/x.svg
refuse "from 1 to 4096" --hosts 'a:core:4 pu:1' --ranks-per-host 2147483647
refuse "10000000 ranks" --hosts 'n[1-9999]:core:4 pu:1' --ranks-per-host 4000
refuse "10000000 ranks" --hosts 'n[1-2442]:core:4 pu:1' --ranks-per-host 4096
refuse "controller rank 9998336" --hosts 'n[1-2441]:core:4 pu:1' \
    --ranks-per-host 4096 --controller-rank 9998336 # so many are taken
printf 'a:core:4 pu:1\n\000b:core:4 pu:1\n' >"$work/hosts"
refuse "NUL byte" --file "$work/hosts"
if [ "$DWQ_PLAN_HWLOC" = 1 ]; then
    refuse "4096 hardware threads" --hosts 'a:core:60000 pu:1'
    refuse "4096 hardware threads" --hosts 'n:70 70' # levels without a type
    refuse "4096 hardware threads" --hosts 'n:pack:70core:70pu:1'
    refuse "4096 hardware threads" --hosts 'n:core:300 pu:0x10'
    json 'len(groups) == 3' --hosts 'n:core:4 pu:02000' --nprocs 1 --broker inside
    json 'len(groups) == 7' --nprocs 1 --broker inside --hosts \
        'n:(memory=9000) pack:2 [numa(memory=9000)] core:4(indexes=0,7,5,3:1) pu:0x1'
    refuse "/three.xml" --hosts "one,three:$work/%h.xml"
fi
exit $bad
