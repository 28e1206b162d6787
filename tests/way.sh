#!/bin/sh
# way.sh [BUILD]: how long the way of one call is. In BUILD (default build-way) each
# function of the library is instrumented; one plain call and one call of a group run,
# and the functions that their ranks enter are counted (BUILD/way.plain and
# BUILD/way.group name them), with their files. After that: the lines of each room,
# functions of more than 40 lines, files of more than 400.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build-way}
rooms="$(ls -d libdwq/*/) brokers workers topology bench"

sh .ci/build "$build" --buildtype=debug -Dc_args=-finstrument-functions \
    -Dbench=disabled -Dexamples=disabled -Dtests=disabled
folder=$(cd "$build" && pwd)
cc -Wall -Wextra -Ilibdwq/include -I"$folder/libdwq/include" tests/way.c \
    -o "$folder/way" -L"$folder" -Wl,-rpath,"$folder" -ldwq -ldl

# count NAME RANKS
count() {
    head -c 1 /dev/zero >"$folder/way-switch"
    OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 timeout 120 \
        mpirun --oversubscribe -np $(($2 + 1)) "$folder/way" "$folder/way-switch" \
        "$2" </dev/null >"$folder/way-addresses"
    sort -u "$folder/way-addresses" |
        xargs addr2line -f -e "$folder/libdwq.so" | paste -d' ' - - |
        sed -n 's,:[0-9?].*,,; s,^\([^ ]*\) .*/\.\./\(.*\),\2 \1,p' |
        sort -u >"$folder/way.$1"
    echo "one call, $1: $(wc -l <"$folder/way.$1") functions in" \
        "$(cut -d' ' -f1 "$folder/way.$1" | sort -u | wc -l) files"
}
count plain 1
count group 2

for room in $rooms; do
    echo "$room: $(find "$room" -name '*.[ch]' -exec cat {} + | wc -l) lines"
done
find $rooms -name '*.[ch]' -exec awk '
    FNR == 1 { start = 0 }
    /^{/ { start = FNR }
    /^}/ && start && FNR - start >= 40 {
        print FILENAME ":" start ": a function of " FNR - start + 1 " lines"
    }
    /^}/ { start = 0 }' {} +
find $rooms -name '*.[ch]' -exec wc -l {} + |
    awk '$1 > 400 && $2 != "total" { print $2 ": " $1 " lines" }'
