#!/bin/sh
# A remote-shell agent for mpirun that needs no other machine: each "host" is a UTS
# namespace with that name. `--mca plm_rsh_agent hosts_agent.sh`.
# DWQ_TEST_TOPOLOGIES="node1=pack:2 core:2 pu:1;node2=..." gives each its topology.
while [ "${1#-}" != "$1" ]; do shift; done
host=$1
shift
topology=$(printf '%s\n' "${DWQ_TEST_TOPOLOGIES:-}" | tr ';' '\n' |
    sed -n "s/^$host=//p")
[ -z "$topology" ] || export DWQ_TOPOLOGY="$topology"
FAKE_HOST=$host exec unshare --uts \
    sh -c 'hostname "$FAKE_HOST"; exec sh -c "$*"' hosts_agent "$@"
