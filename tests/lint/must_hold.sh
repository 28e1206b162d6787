#!/bin/sh
# must_hold.sh ROOT: the tests that tests/must_hold.md names are there, and each option
# is set in a test of a whole run, or in an example.
set -eu
cd "$1"

bad=0
tests=$(awk -F'|' '/^\| / { print $3 }' tests/must_hold.md |
    grep -oE '`[a-z_0-9]+`' | tr -d '`' | sort -u)
options=$(sed -nE 's/^    (ROW|ENUM)\(([a-z_]+).*/\2/p' libdwq/run/options.c)
[ -n "$tests" ] && [ -n "$options" ] || {
    echo "must_hold.sh finds nothing to look for"
    bad=1
}
if awk -F'|' '/^\| / && $3 !~ /`/ && $2 !~ /^ trap / { print; n++ } END { exit !n }' \
    tests/must_hold.md; then
    echo "tests/must_hold.md: a trap without a test"
    bad=1
fi
for test in $tests; do
    grep -rqw --include='*.[ch]' -e "$test" tests || {
        echo "tests/must_hold.md: no test is named $test"
        bad=1
    }
done
for option in $options; do
    grep -rqE --include='*.c' -e "[.>]$option\b" tests/mpi tests/sim examples || {
        echo "option $option is set in no test of a whole run"
        bad=1
    }
done
exit $bad
