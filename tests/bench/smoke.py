#!/usr/bin/env python3
"""smoke.py DWQ_BENCH FOLDER: dwq-bench with tiny counts. The form is looked at, never a
time: every question gives figures with all they need, the table and the files
say the same, and what is wrong ends with an exit code that says so. FOLDER has
sweep_module."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

BENCH = os.path.abspath(sys.argv[1])
n_tests = 0
bad = 0


def check(good, what):
    global n_tests, bad
    n_tests += 1
    bad += not good
    print("ok" if good else "not ok", n_tests, "-", what.replace("\n", " / "),
          flush=True)


def run(*args):
    return subprocess.run([BENCH, *args], capture_output=True, text=True,
                          timeout=500)


def read_lines(path):
    with open(path) as lines:
        return [json.loads(line) for line in lines]


def read(path):
    """The facts and the figures of a run that has all of them."""
    *lines, end = read_lines(path)
    check(end == {"complete": True}, "a file says that it is complete")
    return lines


def check_figure(f):
    name = f["question"] + ": " + f["name"]
    ours = f.get("ours", {})
    if f["question"] == "scale" and "np=" not in f["name"]:
        check(not ours and f["verdict"] == "not measured" and f["bar"] >= 0.9,
              name + ": is not passed over where it cannot be measured")
        return
    if "futex wake" in f["name"] or "sleeps 1 ms" in f["name"]:
        check(not ours and f["bare"]["n"] >= 1, name + ": is of nobody")
    else:
        check(ours.get("n", 0) >= 1 and
              ours["p25"] <= ours["median"] <= ours["p75"],
              name + ": ours was measured")
    verdict = f["verdict"]
    if re.match("np=[0-9]+", f["name"]):
        np = int(re.match("np=([0-9]+)", f["name"])[1])
        check(f["ranks"] >= np and
              f["oversubscribed"] == (f["ranks"] > os.cpu_count()),
              name + ": how many ranks, and whether they share cores")
    if f["bar_kind"] == "none":
        check(verdict == "", name + ": no bar, no verdict")
    else:
        at_least = f["bar_kind"] == "at least"
        met = f["value"] >= f["bar"] if at_least else f["value"] <= f["bar"]
        check(verdict == ("met" if met else "missed"), name + ": verdict")
    if f["value_unit"] == "x bare":
        ratio = ours["median"] / f["bare"]["median"]
        check(abs(f["value"] / ratio - 1) < 1e-6, name + ": ratio of medians")


# What the figures of a question must be of, beside all that they are.
ASKED = {
    "roundtrip": ["np=2, spinning, p99", "np=2, default wait", "np=5, spinning",
                  "np=5, default wait, p50", "first call after", "of a group",
                  "as between hosts"],
    "idle": [role + ", " + where for where in ("one host", "as between hosts")
             for role in ("np=5, controller", "np=5, worker", "broker", "member",
                          "left", "inside, broker", "inside, member",
                          "spawned groups of 2, controller",
                          "spawned groups of 2, broker",
                          "spawned groups of 2, member")],
    "crowded": ["a stream", "one call"],
    "scale": ["8192 ranks, groups of 8, 1 s", "8192 ranks, groups of 8, 0.1 s"],
    "bounds": ["np=2, the whole job", "split", "spawn", "a run, MPI being up"],
}


def check_asked(figures):
    for question, wanted in ASKED.items():
        names = [f["name"] for f in figures if f["question"] == question]
        missing = [w for w in wanted if not any(w in n for n in names)]
        check(not missing, "%s asks all it should: %s" % (question, missing))
    spins = [f["name"] for f in figures
             if f["question"] == "idle" and f["value"] > 90]
    check(not spins, "who waits does not spin: %s" % spins)
    slow = [f["bare"]["median"] / f["peer"]["median"] for f in figures
            if f["question"] == "crowded" and "one call" in f["name"]]
    check(min(slow) > 10, "MPI knows of no shared cores where it should not")


def questions():
    text = run("--help").stdout.split("asks all:\n")[1].split("options:\n")[0]
    return [line.split()[0] for line in text.splitlines()]


def check_run(folder):
    path = os.path.join(folder, "new.json")
    page = os.path.join(folder, "a page's folder")
    done = run("--tiny", "--rounds", "1", "--no-peers", "--json", path,
               "--report", page)
    check(done.returncode == 0, "a tiny run ends well: " + done.stderr[-300:])
    facts, *figures = read(path)
    check(facts["cores"] >= 1 and facts["mpi"] and facts["library"], "facts")
    check({f["question"] for f in figures} == set(questions()),
          "every question gives figures")
    for f in figures:
        check_figure(f)
    check_asked(figures)
    missing = [f["name"] for f in figures if f["name"] not in done.stdout]
    check(not missing, "the table has every figure: %s" % missing)
    missing = [f["note"] for f in figures if f["note"] not in done.stdout]
    check(not missing, "and what is to be said of it: %s" % missing)
    with open(os.path.join(page, "index.html")) as text:
        text = text.read()
    if shutil.which("gnuplot"):
        check("bounds.svg" in text and
              os.path.getsize(os.path.join(page, "bounds.svg")) > 0, "plots")
    check(text.count("<tr class") == len(figures), "the page has every figure")
    check("</html>" in text, "the page is whole")
    return path, figures


def check_compared(folder, path):
    done = run("--tiny", "--rounds", "1", "--no-peers", "placer", "--compare", path)
    check(done.returncode == 0 and done.stdout.count("one job") ==
          sum(f["question"] == "placer" for f in read(path)[1:]),
          "beside an earlier run; a job tells no noise")
    check(not [name for name in os.listdir(tempfile.gettempdir())
               if name.startswith("dwq-bench-")], "a file of its own is removed")


def check_sweep(folder, module_folder):
    path = os.path.join(folder, "sweep.json")
    page = os.path.join(folder, "sweep")
    command = ["--sweep", "test {a} != y && sleep 0.0{n}", "n=1,2", "a=x,y",
               "--repeats", "2"]
    done = run(*command, "--json", path, "--report", page)
    lines = done.stdout.splitlines()
    check(done.returncode == 1, "a command that fails is an exit code of 1")
    check(len(lines) == 14, "facts, a line for each combination: " + done.stdout)
    check(sorted(lines[:4]) == sorted(lines[10:]),
          "lines of combinations as they are done, too")
    check([line.endswith(" 2  exit status 1") for line in lines[10:]] ==
          [False, True] * 2, "failed runs are counted where they belong, and why")
    facts, *figures = read(path)
    times = {f["name"]: f.get("ours", {}).get("n", 0) for f in figures
             if f["unit"] == "s" and "," not in f["name"]}
    check(facts["cores"] >= 1 and
          times == {"n=1 a=x": 2, "n=1 a=y": 0, "n=2 a=x": 2, "n=2 a=y": 0},
          "a sweep gives figures: %s" % times)
    check(os.path.exists(os.path.join(page, "index.html")), "and a page")
    check("new/old" in run(*command, "--compare", path).stdout,
          "beside those of an earlier run")
    log = os.path.join(folder, "log")
    run("--sweep", "echo {n} >>" + log, "n=1,2", "--repeats", "2", "--warmups", "3")
    with open(log) as text:
        check(text.read() == "1\n2\n" * 5, "warm-ups, and the order of runs")
    cores = len({read_first(cpu) for cpu in os.sched_getaffinity(0)})
    one = 'test "$(nproc)" -le %d' % (os.cpu_count() // min(cores, 2))
    done = run("--sweep", one + " && true {n}", "n=1", "--repeats", "1", "--jobs",
               str(min(cores, 2)))
    check(done.returncode == 0, "each command has its share of the cores")
    check('"name": "true"' in run("--sweep", "true", "--json", "-").stdout,
          "without parameters the command is the name")
    check(run("--sweep", "true", "--jobs", str(cores + 1)).returncode == 2,
          "no more commands at once than cores")
    done = run("--sweep", 'test "{a}" = "x  y"', "a=x  y", "--json", "-")
    check(done.returncode == 0, "a value with blanks")
    for value in b"\xff\xc3", "\u00fc".encode() * 150, b'\\"', b"\xe2\x82\t":
        done = subprocess.run([BENCH.encode(), b"--sweep", b": '{a}'", b"a=" + value,
                               b"--json", b"-", b"--repeats", b"1"],
                              capture_output=True, timeout=100)
        names = [json.loads(line.decode()).get("name")
                 for line in done.stdout.splitlines()]
        check(done.returncode == 0 and len(names) == 5, "bytes: %r" % names[1])
    done = run("--sweep", "kill -9 $$ {a}", "a=1")
    check(done.returncode == 1 and "signal 9" in done.stdout, "a killed command")
    os.environ["DWQ_MODULE_PATH"] = module_folder
    done = run("--sweep-function", "sweep_module:nap", "ms=1,2.5", "mode=good,bad",
               "--json", "-", "--repeats", "2")
    facts, *figures, end = [json.loads(line) for line in done.stdout.splitlines()]
    check(done.returncode == 1 and end["complete"] and
          [f.get("ours", {}).get("n", 0) for f in figures] == [2, 0, 2, 0] and
          all("bad" not in f["name"] or "a bad mode" in f["note"] for f in figures),
          "functions get their parameters: " + done.stdout + done.stderr)


def read_first(cpu):
    """The first hardware thread of a core."""
    path = "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list" % cpu
    try:
        with open(path) as text:
            return int(re.match("[0-9]+", text.read())[0])
    except OSError:
        return cpu


def running(what):
    """Whether a process has this in its command line."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/cmdline" % pid) as text:
                if what in text.read():
                    return True
        except OSError:
            pass
    return False


def await_running(what, wanted):
    until = time.monotonic() + 60
    while running(what) != wanted and time.monotonic() < until:
        time.sleep(0.1)
    return running(what) == wanted


def launcher_variables(environment):
    return {name: value for name, value in environment.items()
            if re.match("OMPI|PMIX|PRTE|ORTE|OPAL|PSM|EVENT_|DWQ_|HFI|IPATH", name)}


def check_environment(folder):
    """A command of a sweep has the user's environment, also where dwq-bench is a
    rank of an MPI job, and may be an MPI job of its own."""
    path = os.path.join(folder, "environment")
    own = dict(os.environ, OMPI_MCA_orte_base_help_aggregate="0",
               OMPI_MCA_rmaps_base_oversubscribe="true",
               OMPI_MCA_of_nobody="a\tb", OMPI_ALLOW_RUN_AS_ROOT="1",
               OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    own.pop("OMPI_MCA_mpi_yield_when_idle", None)
    own.pop("EVENT_NOEPOLL", None)
    sweep = [BENCH, "--sweep", "env >" + path, "--repeats", "1", "--warmups", "0"]
    subprocess.run(sweep, env=own, stdout=subprocess.DEVNULL, timeout=100)
    with open(path) as text:
        got = dict(line.split("=", 1) for line in text.read().splitlines()
                   if "=" in line)
    check(launcher_variables(got) == launcher_variables(own),
          "a command has the user's environment: %s" %
          (launcher_variables(got).items() ^ launcher_variables(own).items()))
    launcher = ["mpirun", "--oversubscribe", "-n", "1"]
    sweep[2] = ("env >" + path + " && " + " ".join(launcher) +
                " sh -c 'echo $OMPI_COMM_WORLD_SIZE' >>" + path)
    done = subprocess.run(launcher + sweep, env=own, capture_output=True, text=True,
                          timeout=100)
    with open(path) as text:
        text = text.read()
    check(done.returncode == 0 and text.endswith("\n1\n") and
          "OMPI_MCA_of_nobody=a\tb\n" in text and
          not re.search("^(PMIX_|OMPI_COMM_|OMPI_MCA_orte_ess)", text, re.M),
          "within a job, too: %s" % done.stderr[-300:])


def fake_build(folder, values):
    """An older build: all that dwq-bench asks of it is to print these."""
    program = os.path.join(folder, "bench", "dwq-bench")
    os.makedirs(os.path.dirname(program), exist_ok=True)
    with open(program, "w") as script:
        script.write("#!/bin/sh\nprintf '%s\\n'\n" % "\\n".join(values))
    os.chmod(program, 0o755)
    return folder


def check_against(folder):
    old = os.path.join(folder, "old")
    path = os.path.join(folder, "against.json")
    tiny = ["--tiny", "--rounds", "5", "--json", path]
    os.environ.pop("LD_LIBRARY_PATH", None)  # as meson sets it
    done = run(*tiny, "--compare", os.path.dirname(os.path.dirname(BENCH)), "queue",
               "throughput")
    figures = read(path)[1:]
    check(done.returncode in (0, 1) and len(figures) == 4 and "bare" not in figures[0],
          "ours alone beside itself: " + done.stderr[-300:])
    for f in figures:
        low, high = f["low"] or 0, f["high"] or 1e9
        check(f["ours"]["n"] == f["old"]["n"] >= 5 and low <= f["value"] <= high,
              f["name"] + ": pairs, and the interval of their ratio")
        worse = f["value"] < 0.95 if "/s" in f["unit"] else f["value"] > 1.05
        clear = high < 0.95 if "/s" in f["unit"] else low > 1.05
        check(f["verdict"] == ("missed" if clear else "unclear" if worse else "met"),
              f["name"] + ": noise is no loss")
    fake_build(old, ["submit 1e-12", "bytes 1e9"])
    done = run(*tiny, "--compare", old, "queue")
    check(done.returncode == 1 and
          [f["verdict"] for f in read(path)[1:]] == ["missed", "met"],
          "an older build that was faster: " + done.stdout)
    fake_build(old, ["submit 9", "bytes 1e9"])
    check(run(*tiny, "--compare", old, "queue").returncode == 0, "that was slower")
    fake_build(old, ["submit 1e-12", "bytes 1e-12"])
    check(run("--tiny", "--rounds", "1", "--compare", old, "queue").returncode == 0,
          "a few rounds tell no noise, and so no loss")
    fake_build(old, ["growth 1048576"])
    done = run("--tiny", "--rounds", "5", "--compare", old, "memory")
    check("new/old after 1.04858e+06 B more" in done.stdout and done.returncode == 0,
          "a figure near 0: " + done.stdout)
    fake_build(old, ["calls_per_s 1e15"])
    check(run(*tiny, "--compare", old, "throughput").returncode == 1,
          "of a rate more is better")
    for wrong in (["--compare", folder], ["--compare", old, "placer"],
                  ["--compare", old, "--report", folder]):
        check(run("--tiny", *wrong).returncode == 2, "refused: %s" % wrong)
    library = os.path.join(folder, "libdwq.so")
    open(library, "w").close()
    os.environ["LD_LIBRARY_PATH"] = "/nowhere:" + folder
    done = run(*tiny, "--compare", old, "queue")
    check(done.returncode == 2 and library in done.stderr,
          "one library for both builds: " + done.stderr)
    del os.environ["LD_LIBRARY_PATH"]


def check_kept(folder):
    """What was measured before an interruption or a failure is kept."""
    path = os.path.join(folder, "kept.json")
    for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
        started = subprocess.Popen(
            [BENCH, "--tiny", "--rounds", "1000", "--json", path, "memory", "queue"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=lambda: [signal.signal(s, signal.SIG_DFL) for s in
                                (signal.SIGINT, signal.SIGHUP)])
        first = started.stdout.readline()
        started.send_signal(number)
        table, errors = started.communicate(timeout=100)
        facts, memory, *others, end = read_lines(path)
        check(first.startswith("memory: ") and memory["question"] == "memory" and
              memory["name"] in table, "a figure is there when it was measured")
        check(end == {"complete": False, "why": "interrupted"} and
              "NOT COMPLETE: interrupted" in table and "interrupted" in errors and
              started.returncode == -number, "the rest is missed: %s" % end)
    done = subprocess.run([BENCH, "--tiny", "--rounds", "1", "--no-peers", "--json",
                           path, "placer", "queue"], capture_output=True, text=True,
                          env=dict(os.environ, PATH="/nowhere"), timeout=100)
    facts, *figures, end = read_lines(path)
    check(done.returncode == 2 and end == {"complete": False, "why": "1 job failed"}
          and figures[-1]["ours"]["n"] == 1 and figures[-1]["name"] in done.stdout,
          "a question that fails: " + done.stderr[-300:])


def check_interrupted():
    """Whatever ends dwq-bench ends its job, down to the user's command, and what
    was measured by then is printed."""
    for number in signal.SIGINT, signal.SIGTERM, signal.SIGKILL:
        seconds = "9%06d" % (os.getpid() % 10 ** 6)
        started = subprocess.Popen(
            [BENCH, "--sweep", "test {n} = 1 || sleep %s; true" % seconds, "n=1,2",
             "--warmups", "0"], stdout=subprocess.PIPE, text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        # "sleep" and its argument, but not the shell's line, have a zero between
        check(await_running("sleep\0" + seconds, True), "a sweep is under way")
        started.send_signal(number)
        text = started.communicate()[0]
        check(await_running("sleep\0" + seconds, False) and
              started.returncode == -number, "signal %d ends all" % number)
        check(number == signal.SIGKILL or "n=2" in text, "with a table")


def check_help():
    text = run("--help").stdout
    check(len(text.splitlines()) <= 60 and
          max(len(line) for line in text.splitlines()) <= 80, "help fits on a page")
    for part in ("options:", "environment:", "exit status:", "examples:"):
        check(part in text, "help has " + part)
    done = run("--no-such-option")
    check(done.returncode == 2 and not done.stdout and
          "no option '--no-such-option'" in done.stderr and
          len(done.stderr.splitlines()) <= 6, "an error has a short usage")


def check_wrong(path):
    check(run("no-such-question").returncode == 2, "an unknown question")
    check(run("--rounds", "0").returncode == 2, "no rounds")
    for option in "--compare", "--report":
        bad_path = path + "/is/no/folder"
        done = run("--tiny", "memory", option, bad_path)
        check(done.returncode == 2 and bad_path in done.stderr and
              not done.stdout, "nothing is measured for nothing: " + option)
    check(run("--tiny", "--rounds", "1", "placer", "--json", "/dev/full").returncode
          == 2, "a full disk")
    for wrong in ["--json", "-"], ["--json", path]:
        done = run("--tiny", "memory", "--compare", path, *wrong)
        check(done.returncode == 2 and "a file of its own" in done.stderr,
              "what is compared is no file or the other one: %s" % wrong)
    for wrong in (["novalue"], ["n="], ["n=1,,2"], ["n=1", "n=2"], ["m=1"]):
        done = run("--sweep", "true {n}", *wrong)
        check(done.returncode == 2 and wrong[0][0] in done.stderr and
              not done.stdout, "a sweep of %s" % wrong)
    old = path + ".old"
    with open(old, "w") as file:
        file.write("old")
    check(run("--sweep", "true {n}", "n=", "--json", old).returncode == 2 and
          open(old).read() == "old", "what cannot be swept writes no file")
    check(run("--sweep", "").returncode == 2, "no command")
    for wrong in (["--repeats", "3", "memory"], ["--sweep", "true", "--rounds", "2"],
                  ["--sweep", "true", "--tiny"]):
        done = run(*wrong)
        check(done.returncode == 2 and "of no use" in done.stderr and
              not done.stdout, "an option of no use: %s" % wrong)
    check(run("--sweep-function", "nap").returncode == 2, "no module")


def check_instructions():
    if shutil.which("valgrind"):
        folder = os.path.dirname(BENCH)
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                              "../../bench/instructions.sh")
        done = subprocess.run(["sh", script, os.path.dirname(folder)],
                              capture_output=True, text=True, timeout=120)
        check(re.search(": [1-9][0-9]*\n$", done.stdout),
              "the instructions of a call are counted: " + done.stderr)


with tempfile.TemporaryDirectory() as folder:
    path, figures = check_run(folder)
    check_compared(folder, path)
    check_wrong(path)
    check_help()
    check_sweep(folder, sys.argv[2])
    check_environment(folder)
    check_against(folder)
    check_kept(folder)
check_interrupted()
check_instructions()
print("1..%d" % n_tests)
sys.exit(bad > 0)
