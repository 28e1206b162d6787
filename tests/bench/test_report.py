#!/usr/bin/env python3
"""test_report.py REPORT PAGE: what bench/report.py makes of runs, and that PAGE, the one in
the repository, is of its run."""
import json
import os
import subprocess
import sys
import tempfile

REPORT, PAGE = sys.argv[1:]
n_tests = 0
bad = 0


def check(good, what):
    global n_tests, bad
    n_tests += 1
    bad += not good
    print("ok" if good else "not ok", n_tests, "-", what.replace("\n", " / "))


def report(*args):
    return subprocess.run([sys.executable, REPORT, *args], capture_output=True,
                          text=True, timeout=60)


def summary(median, n=5):
    return {"n": n, "median": median, "p25": 0.9 * median, "p75": 1.1 * median}


def figure(name, median, **others):
    return dict({"question": "q", "name": name, "unit": "s", "ranks": 3,
                 "oversubscribed": True, "ours": summary(median), "x": None,
                 "series": "", "value": median, "value_unit": "s",
                 "bar_kind": "none", "bar": 0, "verdict": "", "note": ""}, **others)


FACTS = {"host": "h", "cpu": "CPU", "cores": 2, "load": 0.5, "kernel": "k",
         "mpi": "m", "library": "libdwq 9", "compiler": "cc", "date": "today"}


def write_run(path, *figures, end={"complete": True}):
    with open(path, "w") as out:
        for entry in (FACTS, *figures, end):
            out.write(json.dumps(entry) + "\n")


def write(path, text):
    with open(path, "w") as out:
        out.write(text)


def read(path):
    with open(path) as text:
        return text.read()


def check_page_of_prose(folder):
    page, run = os.path.join(folder, "page.md"), os.path.join(folder, "run.json")
    write_run(run, figure("a | b", 1.25e-6, bar_kind="at most", bar=2e-6,
                          verdict="met", note="why"), figure("c", 3))
    write(page, "<!-- run run.json --><!-- -->\nIt takes <!-- figure q: c --><!-- -->,"
          "\n<!-- facts --><!-- --><!-- table q --><!-- --><!-- sum --><!-- -->\n")
    check(report("check", page).returncode == 2, "a page that is not filled")
    check(report("fill", page).returncode == 0 and
          report("check", page).returncode == 0, "a page that is")
    text = read(page)
    for part in ("takes <!-- figure q: c -->3 s<!-- -->,\n", "    CPU, k\n",
                 "| a \\| b; why | 3* | 1.25 us | 1.12 us - 1.38 us |  |  | 1.25 us | "
                 "<= 2 us | met |\n", "2 figures, 1 with a bar: 1 met, 0 missed\n"):
        check(part in text, "it has: " + part)
    write(page, text.replace("3 s", "2 s"))
    done = report("check", page)
    check(done.returncode == 2 and "2 s" in done.stderr, "another figure in prose")
    write_run(run, figure("a | b", 1.25e-6), figure("c", 3), end={"complete": False,
                                                              "why": "a reason"})
    write(page, text)
    check(report("check", page).returncode == 2 and
          report("fill", page).returncode == 0 and
          "NOT COMPLETE: a reason" in read(page), "another run, which is not complete")
    for wrong in ("<!-- run run.json --><!-- --><!-- figure q: d --><!-- -->",
                  "<!-- run run.json --><!-- --><!-- table r --><!-- -->",
                  "<!-- run run.json --><!-- --><!-- figure q -->3<!-- -->",
                  "<!-- run run.json --><!-- --><!-- sum -->",
                  "<!-- run no.json --><!-- -->", "no run"):
        write(page, wrong)
        done = report("fill", page)
        check(done.returncode == 2 and read(page) == wrong and
              "Traceback" not in done.stderr, "a page with: " + done.stderr)


def check_compare(folder):
    old, new = os.path.join(folder, "old.json"), os.path.join(folder, "new.json")
    write_run(old, figure("same", 1), figure("up", 1), figure("down", 1),
              figure("one", 1, ours=summary(1, n=1)))
    write_run(new, figure("same", 1.05), figure("up", 2), figure("down", 0.5),
              figure("one", 2), figure("new", 1))
    lines = report("compare", old, new).stdout.splitlines()[2:]
    for line, ends in zip(lines, ["1.050  within noise", "2.000  higher",
                                  "0.500  lower", "2.000  one job",
                                  "-  not measured"]):
        check(line.endswith(ends), "compared: " + line)
    check(len(lines) == 5, "each figure")


def check_html(folder):
    run, page = os.path.join(folder, "run.json"), os.path.join(folder, "html")
    write_run(run, figure("<a>", 1, verdict="met", note="a & b"))
    check(report("page", run, page).returncode == 0, "a page")
    text = read(os.path.join(page, "index.html"))
    check("<td>&lt;a&gt;</td>" in text and "<td>a &amp; b</td>" in text and
          '<tr class="met">' in text and text.endswith("</html>\n"), "its rows")
    write(run, "no JSON")
    for wrong in (["page", run, page], ["page", run], ["compare", run, run], [], ["x"]):
        done = report(*wrong)
        check(done.returncode == 2 and done.stderr and "Traceback" not in done.stderr,
              "refused: %s: %s" % (wrong, done.stderr))


with tempfile.TemporaryDirectory() as folder:
    check_page_of_prose(folder)
    check_compare(folder)
    check_html(folder)
done = report("check", PAGE)
check(done.returncode == 0, "%s is of its run: %s" % (PAGE, done.stderr))
print("1..%d" % n_tests)
sys.exit(bad > 0)
