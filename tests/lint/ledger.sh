#!/bin/sh
# ledger.sh ROOT: the ledger alone writes what the ledger keeps of a task.
set -eu
cd "$1"

! grep -rnE --include='*.[ch]' \
    'entry(\.|->)(state|end|attempt) *(=[^=]|[-+|]=|\+\+|--)' \
    libdwq brokers workers | grep -v '^libdwq/queue/ledger\.h:'
