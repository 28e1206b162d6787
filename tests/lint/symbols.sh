#!/bin/sh
# symbols.sh BUILD SHARED STATIC HEADERS...: the shared library exports what the
# headers declare with DWQ_API, and what a process ends by (process/witness_*.c), and
# nothing else; the static one has only names of ours; neither holds mutable state but the one object of process/process.c.
set -eu
build=$1 shared=$2 static=$3
shift 3
export LC_ALL=C
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0

# Preprocessed, DWQ_API is the attribute. (mpi.h uses it too, on MPI_ names.)
cflags=$(PKG_CONFIG_PATH=$build/meson-uninstalled pkg-config --cflags libdwq)
for header in "$@"; do
    echo "#include <dwq/$header>"
done | cc -std=c11 $cflags -E -P - | tr '\n' ' ' | tr ';' '\n' |
    grep -F 'visibility("default")' |
    sed 's/__attribute__ *((visibility("default")))//; s/(.*//; s/ *$//
         s/.*[^A-Za-z0-9_]//' | grep '^dwq_' | sort -u >"$work/declared"
ends='_Exit _exit abort exit pthread_exit quick_exit'
case " $* " in
*' mpi.h '*) ends="$ends MPI_Abort MPI_Finalize mpi_abort_ mpi_finalize_" ;;
esac
printf '%s\n' $ends >>"$work/declared"
sort -o "$work/declared" "$work/declared"
nm -D --defined-only "$shared" | awk '{ print $3 }' | sort -u >"$work/exported"
if ! diff -u "$work/declared" "$work/exported"; then
    echo "the library's symbols (+) are not those of the headers (-)"
    bad=1
fi

alien=$(nm -g --defined-only "$static" | awk 'NF == 3 { print $3 }' |
    grep -vE '^dwqi?_' | grep -vxF "$(printf '%s\n' $ends)" || true)
if [ -n "$alien" ]; then
    echo "global names that are not ours:" $alien
    bad=1
fi

state=$(objdump -t "$static" |
    awk '/file format/ { member = $1 }
         member ~ /process_process\.c\.o:$/ && $NF ~ /^(process|failure)$/ { next }
         / O / && $0 ~ /\.(data|bss|tdata|tbss)(\.|\t)/ &&
         $0 !~ /\.data\.rel\.ro/ { print $NF }')
if [ -n "$state" ]; then
    echo "mutable state:" $state
    bad=1
fi
exit $bad
