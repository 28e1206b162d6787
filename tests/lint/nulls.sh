#!/bin/sh
# nulls.sh ROOT: each public function that takes a pointer is called with NULL in
# tests/unit/test_nulls.c.
set -eu
cd "$1"

# One line for each prototype, as far as its ';'.
cat libdwq/include/dwq/*.h | awk '
/^DWQ_API/ { text = "" ; on = 1 }
on { text = text " " $0 }
on && /;/ {
    on = 0
    parameters = text
    sub(/^[^(]*\(/, "", parameters)
    if (parameters ~ /\*/) {
        sub(/\(.*/, "", text)
        sub(/.*[ *]/, "", text)
        print text
    }
}' | {
    bad=0
    n=0
    while read -r name; do
        n=$((n + 1))
        case $name in
        # EXPECT_UNREAD(double, ...) is dwq_read_double().
        dwq_read_*) call="EXPECT_UNREAD(${name#dwq_read_}," ;;
        *) call="$name(" ;;
        esac
        grep -qF "$call" tests/unit/test_nulls.c || {
            echo "tests/unit/test_nulls.c does not call $name()"
            bad=1
        }
    done
    [ "$n" -gt 50 ] || {
        echo "only $n functions were found in libdwq/include/dwq"
        bad=1
    }
    exit "$bad"
}
