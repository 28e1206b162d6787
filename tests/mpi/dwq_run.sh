#!/bin/sh
# dwq_run.sh DWQ: what `dwq run` answers, as TAP. The programs are in DWQ_TEST_PROGRAMS.
dwq=$(realpath "$1")
cd "$DWQ_TEST_PROGRAMS" || exit 1
out=$(mktemp)
trap 'rm -f "$out"' EXIT
n=0
failed=0

# expect CODE TEXT WHAT COMMAND...: it exits with CODE and prints TEXT.
expect() {
    code=$1 text=$2 what=$3
    shift 3
    n=$((n + 1))
    timeout 60 "$@" >"$out" 2>&1 </dev/null
    got=$?
    if [ $got -eq "$code" ] && grep -qF -e "$text" "$out"; then
        echo "ok $n - $what"
    else
        echo "not ok $n - $what: exit code $got"
        sed 's/^/# /' "$out"
        failed=1
    fi
}

# Ranks of the job that has that mark: others may run beside it.
ranks() { # MARK RANK
    for pid in $(pgrep -f 'scenario_survive long_run'); do
        tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null >"$out.env"
        grep -qx "DWQ_TEST_MARK=$1" "$out.env" &&
            grep -qxE "OMPI_COMM_WORLD_RANK=$2" "$out.env" && echo "$pid"
    done
    rm -f "$out.env"
}

# Rank 0 is killed when the run goes on.
kill_controller() {
    mark=dwq_run.$$
    DWQ_TEST_MARK=$mark DWQ_TEST_TASKS=100000 "$dwq" run -n 3 ./scenario_survive long_run &
    job=$!
    for i in $(seq 200); do
        grep -q "the run has begun" "$out" && break
        sleep 0.05
    done
    kill -9 $(ranks $mark 0)
    wait $job
    code=$?
    sleep 1
    [ -z "$(ranks $mark '.*')" ] || echo "processes are left"
    return $code
}

# A signal to `dwq run` when calls run: the controller gets all results.
ask_to_end() { # SIGNAL GROUPS RANKS
    DWQ_TEST_GROUPS=$2 timeout 60 "$dwq" run -n "$3" ./scenario_survive end_when_asked >"$out" 2>&1 </dev/null &
    job=$!
    for i in $(seq 200); do
        grep -q "calls are running" "$out" && break
        sleep 0.05
    done
    pkill -"$1" -P $job
    wait $job
}

# The same over "hosts" (hosts_agent.sh); mpirun does not end by itself there.
over_hosts() { # HOSTS SCENARIO
    "$dwq" run --mpirun --mca --mpirun plm_rsh_agent --mpirun "$DWQ_TEST_AGENT" \
        --mpirun --mca --mpirun oob_tcp_if_include --mpirun lo \
        --mpirun --mca --mpirun btl_tcp_if_include --mpirun lo \
        --hosts "$1" ./scenario_survive "$2"
}

echo 1..16
expect 0 "dwq run" "help" "$dwq" run --help
expect 0 "start a program" "the help of all" "$dwq" --help
expect 2 "no subcommand 'x'" "an unknown subcommand" "$dwq" x
expect 2 "which program" "no program" "$dwq" run -n 2
expect 2 "no option '--x'" "an unknown option" "$dwq" run --x ./scenario_survive
expect 2 "a number from 1 on" "a bad number" "$dwq" run -n 0 ./scenario_survive
expect 127 "no program that can be started" "a program that is not there" "$dwq" run -n 2 ./nosuch
expect 0 "mpirun --enable-recovery" "the command" "$dwq" run --dry-run -n 2 ./scenario_survive
expect 0 "the run has ended" "a death, and its exit code" "$dwq" run -n 3 ./scenario_survive a_death
expect 17 "17 is given" "the controller's exit code" "$dwq" run -n 3 ./scenario_survive gives_17
expect 17 "17 is given" "the same in one process" "$dwq" run -n 1 ./scenario_survive gives_17
n=$((n + 1))
kill_controller >"$out" 2>&1
code=$?
if [ $code -eq 1 ] && ! grep -q "processes are left" "$out" && grep -q "controller's process is gone" "$out"; then
    echo "ok $n - the death of the controller ends the job"
else
    echo "not ok $n - the death of the controller ends the job: exit code $code"
    sed 's/^/# /' "$out"
    failed=1
fi
for row in "TERM plain 3" "USR1 inside 5" "TERM spawn 3"; do
    n=$((n + 1))
    ask_to_end $row
    code=$?
    if [ $code -eq 0 ] && grep -q "the run has ended" "$out" && ! grep -q "does not hold" "$out"; then
        echo "ok $n - asked to end: $row"
    else
        echo "not ok $n - asked to end: $row: exit code $code"
        sed 's/^/# /' "$out"
        failed=1
    fi
done
n=$((n + 1))
if unshare --uts true 2>/dev/null; then
    DWQ_TEST_GROUPS=inside over_hosts node1:3,node2:2,node3:2 a_death >"$out" 2>&1 </dev/null
    code=$?
    if [ $code -eq 0 ] && grep -q "the run has ended" "$out" && ! grep -q "does not hold" "$out"; then
        echo "ok $n - a death among hosts"
    else
        echo "not ok $n - a death among hosts: exit code $code"
        sed 's/^/# /' "$out"
        failed=1
    fi
else
    echo "ok $n - a death among hosts # SKIP no name spaces for host names here"
fi
exit $failed
