#!/bin/sh
# headers.sh BUILD INCLUDE [SKIPPED HEADER]: each public header compiles alone,
# and twice, as C11 and as C++17, with each compiler that is there. Prints TAP.
set -eu
build=$1 include=$2 skip=${3:-}
# -isystem: what <mpi.h> itself warns of is not ours.
cflags=$(PKG_CONFIG_PATH=$build/meson-uninstalled pkg-config --cflags libdwq |
    sed 's|-I\([^ ]*mpi\)|-isystem \1|g')
log=$(mktemp)
trap 'rm -f "$log"' EXIT
strict='-Wall -Wextra -Werror -pedantic -fsyntax-only'
n=0

# compile HEADER COMPILER LANGUAGE FLAGS...
compile() {
    header=$1 compiler=$2 language=$3
    shift 3
    command -v "$compiler" >/dev/null || return 0
    n=$((n + 1))
    if printf '#include <dwq/%s>\n#include <dwq/%s>\nint nothing;\n' \
        "$header" "$header" |
        "$compiler" "$@" $strict $cflags -x "$language" - >"$log" 2>&1; then
        echo "ok $n - $header $compiler"
    else
        sed 's/^/# /' "$log"
        echo "not ok $n - $header $compiler"
    fi
}

for path in "$include"/dwq/*.h "$build"/libdwq/include/dwq/version.h; do
    header=$(basename "$path")
    [ "$header" != "$skip" ] || continue
    compile "$header" gcc c -std=c11
    compile "$header" clang c -std=c11
    compile "$header" g++ c++ -std=c++17
    compile "$header" clang++ c++ -std=c++17
done
echo "1..$n"
