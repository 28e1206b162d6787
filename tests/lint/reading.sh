#!/bin/sh
# reading.sh ROOT [write]: the table of README.md that a newcomer reads the code by. Its
# counts are those of the files (a tenth or 20 lines more or less are let pass), and it is
# at most 4,000 lines in all. With `write` the counts are written anew.
set -eu
cd "$1"
work=$(mktemp)
trap 'rm -f "$work"' EXIT

# A row: | lines | [file](file) | why |; the last one: | lines | in all | |
awk -F' *[|] *' -v OFS=' | ' '
function row(lines) { print "| " lines, $3, $4 " |" }
/^\| [0-9]+ \| \[.*\]\(.*\) \|/ {
    file = $3
    gsub(/^\[|\].*/, "", file)
    lines = 0
    while ((got = (getline line < file)) > 0) { lines++ }
    if (got < 0) { print "README.md lists " file ", which is not there" > "/dev/stderr"; bad = 1 }
    close(file)
    off = lines > $2 ? lines - $2 : $2 - lines
    if (off > 20 && off > lines / 10) { wrong = wrong " " file " (" lines ")" }
    sum += lines
    n++
    row(lines)
    next
}
/^\| [0-9]+ \| in all \|/ { row(sum); next }
{ print }
END {
    if (wrong) { print "README.md has other counts of" wrong ": sh tests/lint/reading.sh . write" > "/dev/stderr" }
    if (n < 10 || sum > 4000) { print "README.md: " n " files of " sum " lines to read, not 10 of 4000 at most" > "/dev/stderr"; bad = 1 }
    exit bad ? 1 : wrong ? 2 : 0
}' README.md >"$work" && status=0 || status=$?
if [ "${2:-}" = write ] && [ "$status" -ne 1 ]; then
    cat "$work" >README.md
    status=0
fi
exit "$status"
