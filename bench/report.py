#!/usr/bin/env python3
"""report.py: what dwq-bench says of a run; and pages of runs that it wrote with --json.

    report.py page RUN DIR        DIR/index.html, with plots by gnuplot
    report.py compare OLD NEW     figures of one run beside those of another
    report.py fill PAGE           write what is marked in a page of prose
    report.py check PAGE          whether it is as `fill` would write it

A page names its run, a file beside it, and marks what is of it, each up to the next
<!-- -->:

    <!-- run FILE --><!-- -->
    <!-- facts --><!-- -->                         the machine
    <!-- table QUESTION --><!-- -->                all figures of a question
    <!-- figure QUESTION: NAME --><!-- -->         the value of one, within a line
    <!-- sum --><!-- -->                           how many bars are met
"""
import html
import json
import math
import os
import re
import subprocess
import sys

SIDES = ("ours", "bare", "peer")
# How the figures of a question that have an x are drawn: the axes, and which are
# logarithmic.
PLOTS = {
    "throughput": ("ranks", "calls per second", "xy"),
    "payload": ("bytes each way", "bytes per second", "xy"),
    "bounds": ("ranks", "seconds", "xy"),
    "placer": ("hosts", "seconds", "xy"),
    "workers": ("workers", "calls/s", "x"),
    "scale": ("ranks", "efficiency", "x"),
    "sweep": ("parameter", "seconds", ""),
}
COLUMNS = ("", "ranks", "ours", "25 % - 75 %", "bare", "peer", "value", "bar",
           "verdict")
HEAD = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>dwq-bench</title><style>
body { font: 15px/1.4 sans-serif; max-width: 72em; margin: 2em auto; padding: 0 1em }
table { border-collapse: collapse }
th, td { text-align: left; padding: .15em .7em; border-bottom: 1px solid #ddd }
.met td:nth-child(9) { color: #060 }
.missed td:nth-child(9) { color: #b00; font-weight: bold }
img { max-width: 100% }
</style></head><body>
<h1>dwq-bench</h1>
"""


class Wrong(Exception):
    """What a user has to mend."""


class Run:
    """facts: of the machine; figures: as in the file; incomplete: why more were asked for."""

    def __init__(self):
        self.facts, self.figures, self.incomplete = {}, [], ""

    def take(self, entry):
        if "question" in entry:
            self.figures.append(entry)
        elif "complete" in entry:
            self.incomplete = "" if entry["complete"] else entry.get("why", "?")
        else:
            self.facts = entry

    def of(self, question):
        return [f for f in self.figures if f["question"] == question]

    def figure(self, question, name):
        for f in self.of(question):
            if f["name"] == name:
                return f
        return None


def read(path):
    run = Run()
    run.incomplete = "no last line says that it is"
    try:
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                run.take(json.loads(line))
    except (OSError, ValueError, AttributeError) as error:
        raise Wrong("%s: no run of dwq-bench: %s" % (path, error)) from None
    if not run.figures:
        raise Wrong("%s: no figures in it" % path)
    return run


def plain(value):
    """Commands and their parameters may be any bytes; and JSON has no word for what is not a
    number but null."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, float):
        return float("%.9g" % value) if math.isfinite(value) else None
    if isinstance(value, str):
        value = value.encode("utf-8", "replace").decode()
        return re.sub("[\0-\x1f\x7f]", " ", value)
    return value


def json_text(entry):
    return json.dumps(plain(entry), ensure_ascii=False)


# --- Texts ---------------------------------------------------------------------------


def quantity(value, unit):
    """A number with a prefix that suits its unit: "1.25 us", "3 MiB"."""
    if value is None or not math.isfinite(value):
        return "-"
    if unit == "s":
        value, step, prefixes = value * 1e9, 1000, ["n", "u", "m", ""]
    elif unit.startswith("B"):
        step, prefixes = 1024, ["", "Ki", "Mi", "Gi"]
    elif unit.startswith("calls"):
        step, prefixes = 1000, ["", "k", "M", "G"]
    else:
        step, prefixes = 1, [""]
    while len(prefixes) > 1 and abs(value) >= step:
        value /= step
        prefixes.pop(0)
    return "%.3g %s%s" % (value, prefixes[0], unit)


def side_text(f, side):
    return quantity(f[side]["median"], f["unit"]) if side in f else ""


def value_text(f):
    return "" if "ours" not in f and f["bar_kind"] == "none" else quantity(
        f["value"], f["value_unit"])


def row(f):
    """The texts of all COLUMNS."""
    return [f["name"], "%d%s" % (f["ranks"], "*" * f["oversubscribed"])
            if f["ranks"] else "", side_text(f, "ours"), spread_text(f, "ours"),
            side_text(f, "bare"), side_text(f, "peer"), value_text(f), bar_text(f),
            f["verdict"]]


def facts_text(run):
    return ("%(cpu)s, %(kernel)s\n%(cores)d cores; *: more ranks than cores, which "
            "share them; load %(load).2f at the start\n%(mpi)s; %(library)s, "
            "%(compiler)s\n%(date)s" % run.facts)


def sum_text(run):
    verdicts = [f["verdict"] for f in run.figures if f["bar_kind"] != "none"]
    counts = ", ".join("%d %s" % (verdicts.count(v), v)
                       for v in ("met", "missed", "not measured", "unclear")
                       if v in verdicts or v in ("met", "missed"))
    return "%d figures, %d with a bar: %s" % (len(run.figures), len(verdicts), counts) + (
        "\nNOT COMPLETE: " + run.incomplete if run.incomplete else "")


def spread_text(f, side):
    """The quartiles; of one job none."""
    return " - ".join(quantity(f[side][p], f["unit"]) for p in ("p25", "p75")) \
        if f.get(side, {"n": 0})["n"] > 1 else ""


def bar_text(f):
    sign = {"at least": ">= ", "at most": "<= "}.get(f["bar_kind"])
    return sign + quantity(f["bar"], f["value_unit"]) if sign else ""


def interval_text(f):
    low, high = (math.nan if f[end] is None else f[end] for end in ("low", "high"))
    return "%.3f - %.3f" % (low, high)


def line_text(f):
    """A figure as soon as it is measured."""
    side = "ours" if "ours" in f else "bare"
    parts = [side_text(f, side)] + (["old " + side_text(f, "old")] if "old" in f else [])
    texts = ["%s: %s: %s (%s)" % (f["question"], f["name"], ", ".join(parts), interval_text(f)
                                  if "old" in f else spread_text(f, side)), value_text(f)]
    if bar_text(f):
        texts.append("%s: %s" % (bar_text(f), f["verdict"]))
    return plain(", ".join(texts))


def print_table(run, titles):
    """For people, on a terminal. Beside an older build: ours of both, and what comes of their
    rounds. A note is said once for the figures in a row that share it, below the last."""
    line = "  %-46s %6s %14s %-27s %14s %14s  %-18s %-16s %s"
    compared = "  %-62s %6s %14s %14s %8s %-17s %-13s %s"
    print(facts_text(run))
    for f, before, after in zip(run.figures, [{}] + run.figures, run.figures[1:] + [{}]):
        if f["question"] != before.get("question"):
            print("\n%s: %s" % (f["question"], titles[f["question"]]))
            print(compared % ("", "rounds", "old", "new", "new/old", "interval", "bar",
                              "verdict") if "old" in f else line % COLUMNS)
        print(compared % (f["name"], f["old"]["n"], side_text(f, "old"), side_text(f, "ours"),
                          "%.3f" % f["value"], interval_text(f), bar_text(f), f["verdict"])
              if "old" in f else line % tuple(row(f)))
        if f["note"] and (f["note"], f["question"]) != (after.get("note"),
                                                        after.get("question")):
            print("    (%s)" % f["note"])
    print("\n" + sum_text(run))


# --- A page of prose -------------------------------------------------------------------


def markdown_table(run, question):
    if not run.of(question):
        raise Wrong("the run has no figures of '%s'" % question)
    lines = ["| " + " | ".join(COLUMNS).lstrip() + " |", "|---" * len(COLUMNS) + "|"]
    for f in run.of(question):
        name, *cells = row(f)
        name += "; " + f["note"] if f["note"] else ""
        lines.append("| " + " | ".join([name.replace("|", "\\|")] + cells) + " |")
    return "\n".join(lines)


def marked(run, what):
    """What stands behind a mark."""
    kind, _, rest = what.partition(" ")
    if kind == "run":
        return ""
    if kind == "facts":
        return "\n\n" + re.sub("^", "    ", facts_text(run), flags=re.M) + "\n\n"
    if kind == "sum":
        return "\n\n" + sum_text(run) + "\n\n"
    if kind == "table":
        return "\n\n" + markdown_table(run, rest) + "\n\n"
    if kind == "figure":
        f = run.figure(*rest.split(": ", 1)) if ": " in rest else None
        if f:
            return value_text(f)
    raise Wrong("'%s' is no mark, or not of the run" % what)


def filled(path):
    """The page as it is, and as it should be."""
    try:
        with open(path, encoding="utf-8") as page:
            text = page.read()
    except (OSError, ValueError) as error:
        raise Wrong("%s: %s" % (path, error)) from None
    names = re.findall("<!-- run (.+?) -->", text)
    if len(names) != 1:
        raise Wrong("%s: names %d runs rather than one" % (path, len(names)))
    run = read(os.path.join(os.path.dirname(path), names[0]))
    parts = re.split("<!-- (.*?)-->", text, flags=re.S)
    # Texts at even places, what marks say between them: a mark, what it marks, an end.
    for i in range(1, len(parts), 4):
        if i + 2 >= len(parts) or parts[i + 2].strip() or not parts[i].strip():
            raise Wrong("%s: '%s' has no end" % (path, parts[i].strip()))
        parts[i + 1] = marked(run, parts[i].strip())
    return text, "".join(part if i % 2 == 0 else "<!-- " + part + "-->"
                         for i, part in enumerate(parts))


def fill(path):
    text, wanted = filled(path)
    if text != wanted:
        with open(path, "w", encoding="utf-8") as page:
            page.write(wanted)


def check(path):
    text, wanted = filled(path)
    for is_line, should_line in zip(text.splitlines(), wanted.splitlines()):
        if is_line != should_line:
            raise Wrong("%s: not of its run: %s\nshould be: %s" %
                        (path, is_line, should_line))
    if text != wanted:
        raise Wrong("%s: a table is not of its run" % path)


# --- A page with plots ------------------------------------------------------------------


def curves(run, question):
    """Title, and lines of x, median, quartiles, of each series and side."""
    drawn = [f for f in run.of(question) if f["x"] is not None]
    found = []
    for number, series in enumerate(dict.fromkeys(f["series"] for f in drawn), 1):
        for place, side in enumerate(SIDES):
            points = ["%.9g %.9g %.9g %.9g" % (f["x"], *(f[side][key] for key in
                                                         ("median", "p25", "p75")))
                      for f in drawn if f["series"] == series and side in f]
            if points:
                style = "lw 2 pt %d dt %d lc %d" % (7 - place, place + 1, number)
                found.append((series + ": " + side, style, points))
    return found


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def plot(run, question, path):
    """false: there is nothing to draw, or nothing to draw it with."""
    lines = curves(run, question) if question in PLOTS else []
    if not lines:
        return False
    x, y, logarithmic = PLOTS[question]
    script = ["set terminal svg size 760,440 font 'sans,12' background 'white'",
              "set xlabel '%s'" % x, "set ylabel '%s'" % y,
              "set key outside right noenhanced", "set grid",
              "set logscale x 2" if "x" in logarithmic else "",
              "set logscale y\nset format y '%.1s%c'" if "y" in logarithmic else "",
              "set output " + quoted(path),
              "plot " + ", ".join("'-' using 1:2:3:4 with yerrorlines %s title %s" %
                                  (style, quoted(title)) for title, style, _ in lines)]
    script += [point for _, _, points in lines for point in points + ["e"]]
    try:
        subprocess.run(["gnuplot"], input="\n".join(script) + "\n", text=True,
                       encoding="utf-8", check=True, stderr=subprocess.DEVNULL)
        return os.path.getsize(path) > 0
    except (OSError, subprocess.CalledProcessError):
        print("report.py: no plot of %s: is gnuplot installed?" % question,
              file=sys.stderr)
        return False


def html_row(cells, kind="td"):
    return "".join("<%s>%s</%s>" % (kind, html.escape(cell, quote=False), kind)
                   for cell in cells)


def make_page(run, folder):
    parts = [HEAD, "<p>%s<br>Medians; plots have quartiles.</p>\n" %
             html.escape(facts_text(run)).replace("\n", "<br>")]
    try:
        os.makedirs(folder, exist_ok=True)
        for question in dict.fromkeys(f["question"] for f in run.figures):
            parts.append("<h2>%s</h2>\n<table><tr>%s</tr>\n" % (
                html.escape(question), html_row(COLUMNS + ("",), "th")))
            for f in run.of(question):
                parts.append('<tr class="%s">%s</tr>\n' % (
                    f["verdict"], html_row(row(f) + [f["note"]])))
            parts.append("</table>\n")
            if plot(run, question, os.path.join(folder, question + ".svg")):
                parts.append('<p><img src="%s.svg" alt="%s"></p>\n' %
                             (question, question))
        parts.append("<p>%s</p>\n</body></html>\n" %
                     html.escape(sum_text(run)).replace("\n", "<br>"))
        with open(os.path.join(folder, "index.html"), "w", encoding="utf-8") as out:
            out.write("".join(parts))
    except OSError as error:
        raise Wrong("%s: %s" % (folder, error)) from None


# --- Two runs ------------------------------------------------------------------------------


def change(old, new):
    """Quartiles that do not meet are more than noise."""
    if not old or not new:
        return "not measured"
    if old["n"] == 1 or new["n"] == 1:
        return "one job"  # whose noise is not known
    if new["p25"] > old["p75"]:
        return "higher"
    return "lower" if new["p75"] < old["p25"] else "within noise"


def print_compared(old, new):
    line = "%-60s %14s %14s %8s  %s"
    print("\n" + line % ("ours, beside an older run", "old", "new", "new/old", ""))
    for f in new.figures:
        before = old.figure(f["question"], f["name"]) or {"unit": f["unit"]}
        both = "ours" in f and "ours" in before and before["ours"]["median"]
        print((line % (f["question"] + ": " + f["name"],
                       side_text(before, "ours") or "-", side_text(f, "ours") or "-",
                       "%.3f" % (f["ours"]["median"] / before["ours"]["median"])
                       if both else "-",
                       change(before.get("ours"), f.get("ours")))).rstrip())


def main(arguments):
    commands = {"page": (lambda run, folder: make_page(read(run), folder), 2),
                "compare": (lambda old, new: print_compared(read(old), read(new)), 2),
                "fill": (fill, 1), "check": (check, 1)}
    if arguments == ["--help"]:
        print(__doc__.strip())
        return 0
    function, n = commands.get(arguments[0] if arguments else "", (None, 0))
    if not function or len(arguments) != n + 1:
        print("usage: report.py page RUN DIR | compare OLD NEW | fill PAGE | "
              "check PAGE", file=sys.stderr)
        return 2
    try:
        function(*arguments[1:])
    except Wrong as wrong:
        print("report.py: %s" % wrong, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
