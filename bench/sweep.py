"""A user's own commands or functions, timed over the values of their parameters: every run
is a task of a libdwq job (sweep.c), alone on the cores of its worker."""
import math
import os
import re
import sys
import tempfile

import jobs
import report

PARAMETERS_MAX, VALUES_MAX, CASES_MAX, RUNS_MAX = 8, 1000, 10 ** 6, 10 ** 7
COMMAND_MAX = 4096  # bytes


class Wrong(report.Wrong):
    def __init__(self, what, why):
        super().__init__("'%s': %s" % (what, why))


# --- The combinations ---


def read_parameters(words):
    """{name: values}; the last one changes fastest."""
    parameters = {}
    for word in words:
        name, _, values = word.partition("=")
        if not name or not values:
            raise Wrong(word, "not NAME=VALUE,VALUE,...")
        if name in parameters:
            raise Wrong(name, "stands there twice")
        parameters[name] = values.split(",")
        if "" in parameters[name]:
            raise Wrong(name, "an empty value")
        if len(parameters[name]) > VALUES_MAX:
            raise Wrong(name, "too many values")
    if len(parameters) > PARAMETERS_MAX:
        raise report.Wrong("more than %d parameters" % PARAMETERS_MAX)
    return parameters


def combinations(parameters):
    """Of each its values by name."""
    cases = [{}]
    for name, values in parameters.items():
        cases = [dict(case, **{name: value}) for case in cases for value in values]
    return cases


def is_number(text):
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def cores_count():
    """Cores, not hardware threads, that this process may use."""
    def core_of(cpu):
        path = "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list" % cpu
        try:
            with open(path) as text:
                return int(re.match("[0-9]+", text.read())[0])
        except (OSError, TypeError):
            return cpu

    return len({core_of(cpu) for cpu in os.sched_getaffinity(0)})


def fill(command, case):
    return re.sub(r"\{([^{}]*)\}", lambda found: case.get(found[1], found[0]), command)


def check(options):
    """The parameters; complains of what cannot be run."""
    parameters, cores = read_parameters(options.names), cores_count()
    command, function = options.sweep, options.sweep_function
    n = math.prod(map(len, parameters.values()))
    if n > CASES_MAX:
        raise report.Wrong("too many combinations")
    if options.jobs > cores:
        raise report.Wrong("--jobs %d, but %d core%s" % (options.jobs, cores,
                                                         "s" * (cores > 1)))
    if (options.repeats + options.warmups) * n > RUNS_MAX:
        raise report.Wrong("more than %d runs" % RUNS_MAX)
    if command is not None and function is not None:
        raise report.Wrong("a command or a function")
    if function is not None and not re.fullmatch("[^:]{1,63}:.+", function):
        raise Wrong(function, "not MODULE:NAME")
    if command == "":
        raise Wrong(command, "no command")
    for name in parameters if command else ():
        if "{%s}" % name not in command:
            raise Wrong(name, "the command has no place for it")
    longest = {name: max(values, key=len) for name, values in parameters.items()}
    if command and len(os.fsencode(fill(command, longest))) >= COMMAND_MAX:
        raise Wrong(command, "too long a command")
    return parameters


# --- What came of them ---


class Outcome:
    """Of one combination."""

    def __init__(self, name, case):
        self.name, self.case = name, case
        self.seconds, self.processor, self.memory = (jobs.Samples() for _ in range(3))
        self.n_failed, self.why, self.reported = 0, "", False  # why: of the first

    def n_runs(self):
        return len(self.seconds.values) + self.n_failed

    def text(self):
        values = [(self.seconds.percentile(p), "s") for p in (0.5, 0.25, 0.75)]
        values += [(self.processor.median(), "s"), (self.memory.median(), "B")]
        texts = [report.quantity(*value) for value in values]
        return report.plain("%-32s %12s %12s %12s %12s %10s %4d %6d%s%s" % (
            self.name, *texts, len(self.seconds.values), self.n_failed,
            "  " if self.n_failed else "", self.why))

    def report(self, bench):
        """The first parameter that is a number is the x of the plot."""
        if self.reported:
            return
        self.reported = True
        x = bench.numeric
        others = " ".join("%s=%s" % entry for entry in self.case.items() if entry[0] != x)
        note = "%d failed: %s" % (self.n_failed, self.why[:160]) if self.n_failed else ""
        figures = [("", "s", self.seconds)]
        if self.processor.values:
            figures += [(", processor time", "s", self.processor),
                        (", memory", "B", self.memory)]
        for what, unit, samples in figures:
            f = {"question": "sweep", "name": self.name + what, "unit": unit, "ranks": 0,
                 "oversubscribed": False}
            f.update({"ours": samples.summary()} if samples.values else {})
            f.update(x=float(self.case[x]) if x and not what else None,
                     series=(others + ", by " if others else "by ") + x if x else "",
                     value=samples.median(), value_unit=unit, bar_kind="none", bar=0,
                     verdict="", note=note)
            bench.keep(f)


def take(bench, outcomes, options, line):
    """A line that the job prints. What functions print goes to the user; it may not end its
    line."""
    before, word, text = re.fullmatch("(.*?)(?:dwq-sweep-(ran|failed|warm) (.*))?", line,
                                      re.S).groups()
    if before:
        bench.progress.clear()
        print(before, file=sys.stderr)
    if not word:
        return
    number, _, rest = text.partition(" ")
    o = outcomes[int(number)]
    if word == "ran":
        values = list(map(float, rest.split()))
        kinds = (o.seconds, o.processor, o.memory) if values[1] >= 0 else (o.seconds,)
        for kind, value in zip(kinds, values):
            kind.values.append(value)
    elif word == "failed":
        o.n_failed, o.why = o.n_failed + 1, o.why or rest
    if word != "warm" and o.n_runs() == options.repeats:
        bench.progress.clear()
        if not bench.quiet:
            print(o.text(), flush=True)
        o.report(bench)
    bench.progress.step()


def write_cases(options, cases):
    """For sweep.c, which says how. A file without a name."""
    out = tempfile.TemporaryFile()
    for case in cases:
        texts = [fill(options.sweep, case)] if options.sweep else \
            [text for entry in case.items() for text in entry]
        out.write(b"".join(os.fsencode(text) + b"\0" for text in texts + [""]))
    out.seek(0)
    return out


def run(bench, options, parameters):
    """Makes figures and prints their table (but where JSON is printed). An exit code."""
    cases = combinations(parameters)
    bench.numeric = next((name for name, values in parameters.items()
                          if all(map(is_number, values))), None)
    what = options.sweep or options.sweep_function
    outcomes = [Outcome(" ".join("%s=%s" % entry for entry in case.items()) or what, case)
                for case in cases]
    function = [options.sweep_function] if options.sweep_function else []
    bench.progress.begin("sweep", (options.repeats + options.warmups) * len(cases))
    with write_cases(options, cases) as stdin:
        result = jobs.run(bench, jobs.Job(
            options.jobs + 1, "sweep", options.repeats, options.warmups, *function,
            env={jobs.SAVED: jobs.saved_environment()}, timeout=1e9, stdin=stdin,
            pass_line=lambda line: take(bench, outcomes, options, line)))
    bench.progress.clear()
    for o in outcomes:
        o.report(bench)
    if not bench.quiet:
        print("%s\n\n%-32s %12s %12s %12s %12s %10s %4s %6s" % (
            report.facts_text(bench.run), "", "median", "p25", "p75", "processor", "memory",
            "runs", "failed"))
        print("\n".join(o.text() for o in outcomes))
    if result.ok and any(o.n_runs() != options.repeats for o in outcomes):
        print("dwq-bench: results of the sweep are missing", file=sys.stderr)
        return 2
    return int(any(o.n_failed for o in outcomes)) if result.ok else 2
