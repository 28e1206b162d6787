"""dwq-bench: asks the questions, prints what came of them."""
import math
import os
import subprocess
import sys
import tempfile
import time

import jobs
import questions
import report
import sweep

QUESTIONS = {ask.__name__: ask for ask in questions.ALL}
TITLES = {ask.__name__: title for ask, title in questions.ALL.items()}
USAGE = """\
usage: dwq-bench [OPTION...] [QUESTION...]
       dwq-bench --sweep COMMAND [OPTION...] [NAME=V,V,...]...
       dwq-bench --sweep-function MODULE:NAME [OPTION...] [NAME=V,V,...]...
"""
WHAT = """
Measures libdwq beside the same work in bare MPI and in mpi4py.futures, in jobs
that alternate; or times a command or a function of your own. Prints each figure
when it has it, and a table. Without a QUESTION it asks all:
"""
OPTIONS = """\
options:
  --rounds N       jobs of each side per figure (5)
  --compare DIR    ours alone, in turn with those of an older build or prefix:
                   is one worse by more than 5 %, and that more than noise?
  --compare FILE   beside the figures of an earlier --json FILE
  --json FILE      one line per figure ('-': instead of the table)
  --report DIR     one page with plots (gnuplot)
  --no-peers       without mpi4py.futures
  --smpi DIR       a build with -Dmpi=smpi, for question scale
  --tiny           counts so small that only the form is right
of a sweep, which times every combination of values:
  --sweep COMMAND  is given to sh, {NAME} stands for each value as it is
  --sweep-function MODULE:NAME   found by DWQ_MODULE_PATH, gets them by name
  --repeats N      times each combination (5)
  --warmups N      times before that, not counted (1)
  --jobs N         at once, each alone on its share of the cores (1)
environment:
  PATH             has the mpirun, gnuplot and smpirun that are started
  OMPI_MCA_*       reach all jobs; commands of a sweep get the environment as it
                   is here, less that of an MPI job around dwq-bench
exit status:
  0  all bars are met, all commands succeeded    1  one is not, or did not
  2  bad usage, or a job failed: figures are missing    130, 143  interrupted:
     the table and files have what was measured, and say that there is more
examples:
  dwq-bench throughput roundtrip --json new.json
  dwq-bench --compare ../dwq-0.1.0/build throughput memory
  dwq-bench --sweep './prog {n} {mode}' n=1,2,4 mode=a,b --repeats 3
"""
Wrong = report.Wrong


def complain(path, error):
    return Wrong("%s: %s" % (path, error.strerror if isinstance(error, OSError) else error))


# --- The command line ---


class Command:
    def __init__(self, words):
        self.report = self.compare = self.json = self.smpi = None
        self.sweep = self.sweep_function = None
        self.rounds, self.repeats, self.warmups, self.jobs = 5, 5, 1, 1
        self.tiny = self.no_peers = False
        self.given = []  # options
        self.names = []  # of questions, or parameters of the sweep
        self.read(words)

    TEXTS = ("report", "compare", "json", "smpi", "sweep", "sweep_function")
    # A user's command may take too long to be run for nothing.
    LEAST = {"rounds": 1, "repeats": 1, "jobs": 1, "warmups": 0}
    FLAGS = ("tiny", "no_peers")
    FOR_QUESTIONS = ("smpi", "rounds", "tiny", "no_peers")
    FOR_SWEEPS = ("repeats", "jobs", "warmups")

    def read(self, words):
        words = list(words)
        while words:
            word = words.pop(0)
            if not word.startswith("-"):
                self.names.append(word)
                continue
            name, value = word[2:].replace("-", "_"), words[0] if words else ""
            if word[:2] != "--" or not self.set(name, words):
                raise Usage("no option '%s', or not with '%s'" % (word, value))
        function = self.sweep_function is not None
        self.is_sweep = self.sweep is not None or function
        for name in self.given:
            if name in (self.FOR_QUESTIONS if self.is_sweep else self.FOR_SWEEPS):
                raise Wrong("--%s is of no use %s a sweep" % (
                    name.replace("_", "-"), "to" if self.is_sweep else "without"))
        for name in self.names if not self.is_sweep else ():
            if name not in QUESTIONS:
                raise Usage("no question '%s'" % name)
        self.older = self.compare if self.compare and os.path.isdir(self.compare) else None
        if self.older and (self.is_sweep or self.report):
            raise Wrong("an older build is of use to questions and --json alone")

    def set(self, name, words):
        """False: there is none, or it cannot have that value."""
        self.given.append(name)
        if name in self.FLAGS:
            setattr(self, name, True)
        elif name in self.TEXTS and words:
            setattr(self, name, words.pop(0))
        elif name in self.LEAST and words and words[0].isdecimal() and \
                self.LEAST[name] <= int(words[0]) <= 1000000:
            setattr(self, name, int(words.pop(0)))
        else:
            return False
        return True

    def check_paths(self):
        """What cannot be used is said before anything is measured."""
        file = path = None if self.older else self.compare
        try:
            if file:
                open(file, "rb").close()
            path = self.report
            if path:
                os.makedirs(path, exist_ok=True)
                tempfile.TemporaryFile(dir=path).close()
        except OSError as error:
            raise complain(path, error) from None
        if self.json and (self.report or file) and self.json in ("-", file):
            raise Wrong("%s: --report and --compare need a file of its own" % self.json)


class Usage(Wrong):
    """What was asked for is not to be had; a usage follows."""


def print_help():
    print(USAGE + WHAT + "".join("  %-11s %s\n" % entry for entry in TITLES.items()) + OPTIONS,
          end="")


# --- What is measured ---


class Progress:
    """A bar on a terminal."""

    WIDTH = 30

    def __init__(self):
        self.on_terminal = sys.stderr.isatty()
        self.begin("", 0)

    def begin(self, doing, n_steps):
        self.doing, self.n_steps, self.n_done = doing, n_steps, 0
        self.draw()

    def step(self):
        self.n_done += 1
        self.draw()

    def draw(self):
        if self.on_terminal and self.n_steps:
            full = min(self.WIDTH, self.WIDTH * self.n_done // self.n_steps)
            print("\r\033[K%-16s [%s%s] %d/%d" % (
                self.doing, "#" * full, "." * (self.WIDTH - full), self.n_done, self.n_steps),
                end="", file=sys.stderr, flush=True)

    def clear(self):
        if self.on_terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


class Bench:
    """A run of this program: what there is to measure with, and what came of it."""

    def __init__(self, command, folder):
        self.folder = folder
        self.tiny, self.rounds, self.smpi = command.tiny, command.rounds, command.smpi
        self.cores = os.cpu_count()
        self.n_failed_jobs = 0
        self.progress = Progress()
        self.against = find_older(command.older) if command.older else None
        self.has_mpi4py = not command.no_peers and has_mpi4py()
        self.json, self.quiet, self.run = None, command.json == "-", report.Run()
        self.json_error = None

    def program(self, name):
        return os.path.join(self.folder, name)

    def scaled(self, full, tiny):
        """Or so little of it that a run only shows that it works."""
        return tiny if self.tiny else full

    def figure(self, question, name, unit, ours=None, bare=None, peer=None, beside=None,
               at_least=None, at_most=None, value_unit=None, ranks=0, x=None, series="",
               note="", offset=0):
        """One of this run, on this machine: kept, written and printed, unless an interruption
        came before its first job. Its value is the ratio of medians of ours and the side
        `beside`, else ours, and is held against a bar. offset: beside an older build it is
        added to both, as one near 0 says nothing."""
        sides = {"ours": ours, "bare": bare, "peer": peer}
        f = {"question": question, "name": name, "unit": unit, "ranks": ranks,
             "oversubscribed": ranks > self.cores}
        f.update((side, one.summary()) for side, one in sides.items() if one and one.values)
        f.update(x=x, series=series, bar_kind="none", bar=0, note=note)
        if self.against:
            if not ours or not ours.old:
                return
            hold_against_old(f, ours, offset)
        else:
            if jobs.held and not any(side in f for side in sides):
                return
            f.update(value_of(f, ours, beside, value_unit))
            for kind, bar in ("at least", at_least), ("at most", at_most):
                f.update({"bar_kind": kind, "bar": bar} if bar is not None else {})
        f["verdict"] = verdict_of(f)
        self.progress.clear()
        if not self.quiet:
            print(report.line_text(f), flush=True)
        self.keep(f)
        self.progress.draw()

    def keep(self, f):
        self.run.figures.append(f)
        self.write(f)

    def write(self, entry):
        """A line of the file. What comes after one that did not fit is printed only."""
        try:
            if self.json:
                self.json.write(report.json_text(entry) + "\n")
                self.json.flush()
        except OSError as error:
            self.json, self.json_error = None, error


def value_of(f, ours, beside, value_unit):
    if beside:
        value = f["ours"]["median"] / f[beside]["median"] \
            if "ours" in f and beside in f else math.nan
        return {"value": value, "value_unit": value_unit or "x " + beside}
    # One that is of nobody has none.
    return {"value": f["ours"]["median"] if "ours" in f else math.nan if ours else 0,
            "value_unit": f["unit"] if ours else ""}


def hold_against_old(f, ours, offset):
    """Of a rate more is better, of all else less."""
    ratios, is_rate = ours.ratios(offset), "/s" in f["unit"]
    low, high = ratios.interval()
    f.update(old=jobs.Samples(ours.old).summary(), value=ratios.median(), low=low, high=high,
             value_unit="x old", bar_kind="at least" if is_rate else "at most",
             bar=2 - jobs.WORSE if is_rate else jobs.WORSE,
             note="new/old after %g B more of each" % offset if offset else "")


def verdict_of(f):
    """unclear: an older build's figure is better by more than the bar allows, but not by more
    than noise."""
    def is_met(value):
        return value >= f["bar"] if f["bar_kind"] == "at least" else value <= f["bar"]

    if f["bar_kind"] == "none":
        return ""
    if math.isnan(f["value"]):
        return "not measured"
    if is_met(f["value"]):
        return "met"
    best = f.get("high" if f["bar_kind"] == "at least" else "low", math.nan)
    return "unclear" if is_met(best) else "missed"


# --- What it is measured with ---


def first_line(*command):
    try:
        text = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True, errors="replace").stdout
    except OSError:
        text = ""
    return text.split("\n")[0]


def find_facts(bench):
    name = os.uname()
    library, _, compiler = subprocess.run(
        [bench.program("measure"), "facts"], stdout=subprocess.PIPE,
        text=True).stdout.rstrip().partition("\n")
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:
            cpu = next((line.split(":", 1)[1].strip() for line in lines
                        if line.startswith("model name")), "")
    except OSError:
        cpu = ""
    return {"host": name.nodename, "cpu": cpu, "cores": bench.cores,
            "load": os.getloadavg()[0],
            "kernel": "%s %s %s" % (name.sysname, name.release, name.machine),
            "mpi": first_line("mpirun", "--version"), "library": library,
            "compiler": compiler,
            "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())}


def has_mpi4py():
    return subprocess.run(["/usr/bin/python3", "-c", "import mpi4py.futures"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                          ).returncode == 0 if os.path.exists("/usr/bin/python3") else False


def find_older(path):
    """The program of an older build or prefix, as words; up to 0.1.0 it was dwq-bench itself."""
    places = [[os.path.join(path, place)]
              for place in ("bench/measure", "libexec/dwq/measure")]
    places += [[os.path.join(path, place, "dwq-bench"), "--measure"]
               for place in ("bench", "bin", ".")]
    for words in places:
        if os.access(words[0], os.X_OK):
            break
    else:
        raise complain(path, "no dwq-bench in it")
    for folder in os.environ.get("LD_LIBRARY_PATH", "").split(":"):
        library = os.path.join(folder, "libdwq.so")
        if folder and os.path.exists(library):
            raise complain(library, "LD_LIBRARY_PATH gives both builds this one")
    return [os.path.realpath(words[0])] + words[1:]


# --- Running ---


def ask(bench, command):
    for name, question in QUESTIONS.items():
        if jobs.held or (command.names and name not in command.names):
            continue
        before = len(bench.run.figures)
        try:
            question(bench)
        except OSError as error:
            print("dwq-bench: %s: %s" % (name, error), file=sys.stderr)
            bench.n_failed_jobs += 1
        bench.progress.clear()
        if bench.against and len(bench.run.figures) == before and not jobs.held:
            print("dwq-bench: %s: nothing that both builds measure" % name, file=sys.stderr)
            bench.n_failed_jobs += len(command.names) > 0


def find_figures(bench, command, parameters):
    """The exit code."""
    facts = find_facts(bench)
    if not facts["mpi"]:
        print("dwq-bench: there is no mpirun in PATH", file=sys.stderr)
    bench.is_open_mpi_4 = "(Open MPI) 4." in facts["mpi"]
    bench.run.facts = facts
    bench.write(facts)
    code, n = 0, 0
    if command.is_sweep:
        code = sweep.run(bench, command, parameters)
    else:
        ask(bench, command)
    n = bench.n_failed_jobs
    why = "interrupted" if jobs.held else \
        "%d job%s failed" % (n, "s" if n > 1 else "") if n else \
        "results are missing" if code == 2 else ""
    bench.run.incomplete = why
    if why:
        print("dwq-bench: not complete: " + why, file=sys.stderr)
    bench.write({"complete": False, "why": why} if why else {"complete": True})
    if not bench.quiet and not command.is_sweep:
        report.print_table(bench.run, TITLES)
    missed = sum(f["verdict"] in ("missed", "not measured") for f in bench.run.figures)
    if why:
        return 2
    return code if command.is_sweep or (command.tiny and not bench.against) else int(missed > 0)


def run(command, folder):
    bench = Bench(command, folder)
    command.check_paths()
    parameters = sweep.check(command) if command.is_sweep else None
    try:
        if command.json:
            bench.json = sys.stdout if bench.quiet else open(command.json, "w",
                                                             encoding="utf-8")
    except OSError as error:
        raise complain(command.json, error) from None
    code = find_figures(bench, command, parameters)
    if bench.json_error:
        raise complain(command.json, bench.json_error)
    if command.compare and not command.older:
        report.print_compared(report.read(command.compare), bench.run)
    if command.report:
        report.make_page(bench.run, command.report)
    return code


def main(words):
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    sys.stderr.reconfigure(encoding="utf-8", errors="replace")
    folder = os.path.dirname(os.path.realpath(__file__))
    if words == ["--help"]:
        print_help()
        return 0
    if words[:1] == ["--measure"]:  # as dwq-bench 0.1.0 asks an older build
        os.execv(os.path.join(folder, "measure"), ["measure"] + words[1:])
    jobs.hold_signals()
    jobs.leave_job()
    try:
        code = run(Command(words), folder)
    except Wrong as wrong:
        print("dwq-bench: %s" % wrong, file=sys.stderr)
        if isinstance(wrong, Usage):
            print(USAGE + "dwq-bench --help says more.", file=sys.stderr)
        code = 2
    jobs.release_signals()
    return code
