"""Jobs: started by mpirun, read to their end, ended when they take too long; and what the
values are that many of them printed."""
import ctypes
import math
import os
import select
import signal
import subprocess
import sys
import time

EXTRA_ROUNDS = 3
WORSE = 1.05  # x the older build's time, or as much less of a rate
TICK = 0.2  # seconds from one look for signals to the next
INTERRUPT_TIME = 5  # seconds
PR_SET_PDEATHSIG = 1

# --- Signals ---

# SIGINT, SIGTERM and SIGHUP wait until the job that runs is ended, so that nothing of it is
# left, and what was measured is written.
held = []


def hold_signals():
    for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda number, frame: held.append(number))


def release_signals():
    """Ends the program by the first that came."""
    if held:
        sys.stdout.flush()
        signal.signal(held[0], signal.SIG_DFL)
        os.kill(os.getpid(), held[0])


def must_end_now():
    return signal.SIGTERM in held or signal.SIGHUP in held


# --- The environment ---

# What mpirun tells its ranks. The user's OMPI_MCA_* and OMPI_ALLOW_* are beside these.
OF_JOB = (
    "OMPI_COMM_WORLD_", "OMPI_MCA_ess", "OMPI_MCA_orte_", "OMPI_MCA_pmix=",
    "OMPI_MCA_initial_wdir=", "OMPI_MCA_shmem_RUNTIME_QUERY_hint=",
    "OMPI_MCA_mpi_oversubscribe=", "OMPI_COMMAND=", "OMPI_ARGV=", "OMPI_NUM_APP_CTX=",
    "OMPI_APP_CTX_NUM_PROCS=", "OMPI_FIRST_RANKS=", "OMPI_UNIVERSE_SIZE=",
    "OMPI_FILE_LOCATION=", "PMIX_", "PRTE_", "OPAL_",
)
# What mpirun or dwq-bench may set for a job.
OF_LAUNCHING = (
    "OMPI_", "PMIX_", "PRTE_", "ORTE_", "OPAL_", "PSM2_DEVICES=", "HFI_NO_BACKTRACE=",
    "IPATH_NO_BACKTRACE=", "EVENT_NOEPOLL=",
)
SAVED = "DWQ_BENCH_ENVIRONMENT"


def leave_job():
    """A launcher that this process is a rank of would take the jobs of this process for its
    own: remove what it set, keep what the user did."""
    if "OMPI_COMM_WORLD_RANK" in os.environ or "PMIX_RANK" in os.environ:
        for name in list(os.environ):
            if (name + "=").startswith(OF_JOB):
                del os.environ[name]


def saved_environment():
    """For sweep.c, whose commands are no ranks: the user's variables that launchers change."""
    return "\x1f".join([" ".join(OF_LAUNCHING)] + [
        "%s=%s" % entry for entry in os.environ.items()
        if (entry[0] + "=").startswith(OF_LAUNCHING)])


# --- One job ---


class Job:
    """np: ranks; 0: no mpirun. side: whose program runs with `args`: ours, old (ours of an
    older build), bare, peer; `command` is in the place of all that. env: None unsets.
    spawns: its ranks start others, of this job too. untold: MPI is not told that ranks share
    cores, and so never yields. pass_line: called with each line that the job prints."""

    def __init__(self, np=0, *args, side="ours", command=None, env=None, spawns=False,
                 untold=False, timeout=120, stdin=None, pass_line=None):
        self.np, self.args, self.side, self.command = np, args, side, command
        self.env, self.spawns, self.untold = env or {}, spawns, untold
        self.timeout, self.stdin, self.pass_line = timeout, stdin, pass_line

    def environment(self, bench):
        """Ranks may outnumber cores, and root is welcome."""
        env = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1",
                   OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
        if self.untold:
            env.pop("OMPI_MCA_rmaps_base_oversubscribe", None)
            env.pop("OMPI_MCA_mpi_yield_when_idle", None)
        else:
            env["OMPI_MCA_rmaps_base_oversubscribe"] = "1"
            # Without it a bare receive costs milliseconds where ranks share cores, and with
            # it a poll costs a system call where they do not.
            if self.np > bench.cores or self.spawns:
                env["OMPI_MCA_mpi_yield_when_idle"] = "1"
            if self.spawns and bench.is_open_mpi_4:
                env["EVENT_NOEPOLL"] = "1"  # or it hangs at random
        for name, value in self.env.items():
            env.pop(name, None)
            if value is not None:
                env[name] = value
        return env

    def words(self, bench):
        if self.command:
            return self.command
        launcher = []
        if self.np > 0:
            slots = ["--host", "localhost:%d" % self.np]  # as if there were so many cores
            launcher = ["mpirun", *(slots if self.untold else ["--oversubscribe"]),
                        "--bind-to", "none", "-n", str(self.np)]
            if SAVED in self.env:
                launcher += ["-x", SAVED]
        program = {"ours": [bench.program("measure")], "old": bench.against,
                   "bare": [bench.program("raw_mpi")],
                   "peer": ["/usr/bin/python3"]}[self.side]  # that of Debian's mpi4py
        return launcher + program + [str(arg) for arg in self.args]


class Result:
    """What a job printed: lines of "NAME VALUE"; "wall" is its seconds."""

    def __init__(self):
        self.ok, self.values = False, {}

    def add(self, line):
        words = line.split()
        try:
            self.values.setdefault(words[0], float(words[1]))
        except (IndexError, ValueError):
            pass

    def value(self, name):
        return self.values.get(name, math.nan)


def start(bench, job):
    prctl = ctypes.CDLL(None).prctl
    command = job.words(bench)
    try:
        return subprocess.Popen(
            command, stdin=job.stdin, stdout=subprocess.PIPE, env=job.environment(bench),
            # or mpirun would go on alone
            preexec_fn=lambda: prctl(PR_SET_PDEATHSIG, signal.SIGTERM))
    except OSError as error:
        print("dwq-bench: cannot start %s: %s" % (command[0], error.strerror),
              file=sys.stderr)
        return None


def read_lines(job, process, until, result):
    """All lines until the end; False: the time is over. A terminal's SIGINT goes to mpirun,
    too, which gets the time to end its ranks: a second signal would make it leave them."""
    output, text = process.stdout.fileno(), b""
    while True:
        if must_end_now():
            return False
        if signal.SIGINT in held:
            until = min(until, time.monotonic() + INTERRUPT_TIME)
        if time.monotonic() >= until:
            return False
        if not select.select([output], [], [], TICK)[0]:
            continue
        some = os.read(output, 65536)
        if not some:
            return True
        *lines, text = (text + some).split(b"\n")
        for line in lines:
            line = os.fsdecode(line)
            result.add(line)
            if job.pass_line:
                job.pass_line(line)


def end(process):
    """SIGTERM lets mpirun end its ranks; they have process groups of their own."""
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()


def run(bench, job):
    """Runs it to its end. Complains when it fails. Fails at once when interrupted."""
    result, in_time, begin = Result(), False, time.monotonic()
    process = None if held else start(bench, job)
    if process:
        in_time = read_lines(job, process, begin + job.timeout, result)
        if not in_time:
            end(process)
        process.stdout.close()
        result.ok = process.wait() == 0 and in_time
    result.values.setdefault("wall", time.monotonic() - begin)
    if not result.ok and not held:
        bench.n_failed_jobs += 1
        bench.progress.clear()  # a line of its own
        print("dwq-bench: a job failed (%s): np %d, %s" % (
            "too long" if process and not in_time else "its exit status", job.np,
            (job.command or job.args)[0]), file=sys.stderr)
    return result


# --- Many in turn ---


class Samples:
    """Values, and the older build's of the same rounds, if there is one."""

    def __init__(self, values=(), old=()):
        self.values, self.old = list(values), list(old)

    def percentile(self, p):
        """Between two values by interpolation."""
        if not self.values:
            return math.nan
        values, at = sorted(self.values), p * (len(self.values) - 1)
        below = int(at)
        above = min(below + 1, len(values) - 1)
        return values[below] + (at - below) * (values[above] - values[below])

    def median(self):
        return self.percentile(0.5)

    def summary(self):
        return {"n": len(self.values), "median": self.median(),
                "p25": self.percentile(0.25), "p75": self.percentile(0.75)}

    def ratios(self, offset=0):
        """ours / the older build's, pair by pair, `offset` added to both."""
        return Samples([(value + offset) / (old + offset) if old + offset else math.inf
                        for value, old in zip(self.values, self.old)])

    def interval(self):
        """Between which two values the median is with 93 % or more, whatever their
        distribution; infinite of fewer than five. How many are below the median is binomial:
        two of its deviations."""
        n = len(self.values)
        outside = max(0, math.floor((n - 1.96 * math.sqrt(n)) / 2))
        if n < 5:
            return -math.inf, math.inf
        return self.percentile(outside / (n - 1)), self.percentile(1 - outside / (n - 1))

    def is_unclear(self):
        """The ratio is bad or good by its median, and not by its interval."""
        ratios = self.ratios()
        median, (low, high) = ratios.median(), ratios.interval()
        return median > WORSE >= low or median < 1 / WORSE <= high


def values_of(bench, job, names):
    result = run(bench, job)
    return [result.value(name) if result.ok else math.nan for name in names]


def run_pair(bench, job, number, names):
    """Whichever goes second finds the machine as the other left it."""
    older = Job(job.np, *job.args, side="old", env=job.env, spawns=job.spawns,
                untold=job.untold, timeout=job.timeout)
    pair = [job, older] if number % 2 == 0 else [older, job]
    values = [values_of(bench, one, names) for one in pair]
    return values if number % 2 == 0 else values[::-1]


def alternate(bench, jobs, *names, rounds=None):
    """The usual question: these jobs in turn, so many rounds; the Samples of each job and
    name. Against an older build only our jobs are run, by both builds in turn, and up to
    EXTRA_ROUNDS as often where noise leaves open whether they differ."""
    samples = [[Samples() for _ in names] for _ in jobs]
    rounds = bench.rounds if bench.against or not rounds else rounds
    for number in range((EXTRA_ROUNDS if bench.against else 1) * rounds):
        if held or (number >= rounds and
                    not any(one.is_unclear() for row in samples for one in row)):
            break
        for job, row in zip(jobs, samples):
            old = [0] * len(names)
            if not bench.against:
                values = values_of(bench, job, names)
            elif job.side == "ours" and not job.command:
                values, old = run_pair(bench, job, number, names)
            else:
                values = [math.nan] * len(names)
            for one, value, older in zip(row, values, old):
                if not math.isnan(value) and not math.isnan(older):
                    one.values.append(value)
                    if bench.against:
                        one.old.append(older)
            bench.progress.step()
    return samples
