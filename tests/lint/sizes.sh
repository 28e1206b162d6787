#!/bin/sh
# sizes.sh ROOT: how long files may be, and no mutable state at file scope.
set -eu
cd "$1"

bad=0
complain() {
    echo "$*"
    bad=1
}

# check_lines MOST FILES...
check_lines() {
    most=$1
    shift
    for file in "$@"; do
        lines=$(wc -l <"$file")
        [ "$lines" -le "$most" ] ||
            complain "$file has $lines lines, more than $most"
    done
}

rooms='libdwq brokers workers topology'
check_lines 600 $(find $rooms bench tests examples -name '*.c' 2>/dev/null)
check_lines 200 $(find libdwq/include -name '*.h' ! -name value_macros.h)

# symbols.sh looks at the objects too: this one names the line. What there is one of in
# a process is one object of one file; a part of it is a thread's own.
statics=$(find $rooms -name '*.[ch]' -exec grep -nHE \
    '^(static|_Thread_local|__thread) [^(]*(=[^=].*)?;' {} + 2>/dev/null |
    grep -vE 'static (const|inline)|\* ?const ' |
    grep -vE '^libdwq/process/process\.c:[0-9]+:(static struct process process =|static _Thread_local char failure\[)' ||
    true)
[ -z "$statics" ] || complain "mutable state at file scope:
$statics"
exit $bad
