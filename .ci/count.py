"""Counts the tests in a meson testlog.json, each TAP line as one test, and
prints the output of those that failed."""
import fnmatch
import json
import re
import sys

TAP_LINE = re.compile(r"^(not )?ok\b(?P<rest>.*)$", re.M)
NAME = re.compile(r"- (\w+)::(\w+)")
GOOD = {"OK", "EXPECTEDFAIL"}


def was_asked_for(rest, pattern):
    """Criterion lists all its tests as skipped but those of --filter."""
    name = NAME.search(rest)
    return not name or fnmatch.fnmatchcase("/".join(name.groups()), pattern)


def tap_counts(text, pattern):
    """Passed, failed and skipped among the TAP lines of one program."""
    counts = [0, 0, 0]
    for match in TAP_LINE.finditer(text):
        if re.search(r"#\s*skip", match["rest"], re.I):
            counts[2] += was_asked_for(match["rest"], pattern)
        else:
            counts[1 if match[1] else 0] += 1
    return counts


def count(test):
    filters = [argument.partition("=")[2] for argument in test["command"]
               if argument.startswith("--filter=")]
    passed, failed, skipped = tap_counts(test.get("stdout") or "",
                                         filters[0] if filters else "*")
    if test["result"] in GOOD:
        # A program without TAP is one test.
        return passed or int(not skipped), failed, skipped
    if test["result"] == "SKIP":
        return passed, failed, skipped or 1
    return passed, failed or 1, skipped


def show(test):
    print(f"--- {test['name']}: {test['result']} "
          f"after {test['duration']:.1f} s (returned {test['returncode']})")
    print("    " + " ".join(test["command"]))
    for stream in ("stdout", "stderr"):
        if test.get(stream):
            print(test[stream].rstrip())


def main(path):
    total = [0, 0, 0]
    with open(path, encoding="utf-8") as log:
        tests = [json.loads(line) for line in log if line.strip()]
    for test in tests:
        counts = count(test)
        total = [a + b for a, b in zip(total, counts)]
        if counts[1]:
            show(test)
    line = f"{total[0]} passed, {total[1]} failed"
    print(line + (f", {total[2]} skipped" if total[2] else ""))
    return 1 if total[1] or not total[0] else 0


sys.exit(main(sys.argv[1]))
