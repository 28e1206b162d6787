#!/bin/sh
# readme.sh BUILD README: the program that README shows compiles without a
# warning and gives the sum it promises.
set -eu
build=$1 readme=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

sed -n '/^```c$/,/^```$/p' "$readme" | sed '/^```/d' >"$work/prog.c"
export PKG_CONFIG_PATH="$build/meson-uninstalled"
${CC:-cc} -std=c11 -Wall -Wextra -Werror "$work/prog.c" \
    $(pkg-config --cflags --libs libdwq) -o "$work/prog"
LD_LIBRARY_PATH=$build "$work/prog" | tee "$work/out"
grep -qx 'sum 55' "$work/out"
