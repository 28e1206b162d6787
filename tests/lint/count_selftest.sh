#!/bin/sh
# count_selftest.sh ROOT: what .ci/count.py counts of programs that were asked for a
# part of their tests.
set -eu

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# test_of RESULT ARGUMENT TAP-OUTPUT
test_of() {
    printf '{"name": "t", "result": "%s", "duration": 1, "returncode": 0, ' "$1"
    printf '"command": ["driver", "%s"], "stdout": "%s"}\n' "$2" "$3"
}

tap='1..5\n# Running\nok - a::one  (0.1s)\nok - a::two  # SKIP not here\n'
tap=$tap'ok - b::one_by_x  # SKIP test was skipped\n'
tap=$tap'ok - b::one_by_y  # SKIP test was skipped\nok - ab::z  # SKIP\n'
{
    test_of OK '--filter=a/*' "$tap"
    test_of SKIP '--filter=b/*_by_x' 'ok - b::one_by_x  # SKIP no such machine\n'
    test_of OK '-q' 'ok 1 - plain\nok 2 - other # skip why\n'
    test_of OK '-q' ''
} >"$log"
said=$(python3 "$1/.ci/count.py" "$log")
wanted='3 passed, 0 failed, 3 skipped'
[ "$said" = "$wanted" ] || {
    echo "'$said' instead of '$wanted'"
    exit 1
}
