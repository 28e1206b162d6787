#!/bin/sh
# What each collective mode costs a call of a group, one rank a host, on simulated hosts
# (SimGrid SMPI): builds what is missing in build-smpi/, prints microseconds (the median of
# 10). Arguments: numbers of ranks; default 4 8 32. `dwq-bench modes` is the real one. A
# send and a receive cost 0.5 us each of the rank's time.
set -eu
cd "$(dirname "$0")/.."

sh .ci/install build smpi
sh .ci/build build-smpi -Dmpi=smpi -Dbuildtype=release
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# one RANKS SHAPE BYTES MODE
one() {
    smpirun -np $(($1 + 1)) -platform "$work/platform.xml" -hostfile "$work/hosts" \
        --cfg=smpi/privatization:no --cfg=smpi/simulate-computation:no \
        --cfg=smpi/host-speed:10Gf --cfg=smpi/test:1e-7 --cfg=smpi/allreduce:redbcast \
        --cfg=smpi/barrier:ompi_tree --cfg=smpi/bcast:binomial_tree \
        --cfg=smpi/reduce:binomial --cfg=smpi/os:0:5e-7:0 --cfg=smpi/or:0:5e-7:0 \
        --log=root.thresh:warning "$PWD/build-smpi/bench/smpi/dwq-modes.so" \
        "$2" "$3" "$1" 10 "$4" | awk '/^p50/ { printf "%11.1f", $2 * 1e6 }'
}

echo "ranks     shape    bytes     gather   sendrecv    default"
for ranks in ${@:-4 8 32}; do
    cat >"$work/platform.xml" <<END
<?xml version='1.0'?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1">
  <cluster id="cluster" prefix="n" suffix="" radical="0-$ranks" speed="10Gf" bw="12.5GBps" lat="1us"/>
</platform>
END
    seq -f 'n%g' 0 "$ranks" >"$work/hosts"
    for what in 'shared 0' 'shared 65536' 'shared 4194304' 'scattered 65536' \
        'scattered 4194304' 'returned 65536' 'returned 4194304'; do
        printf '%5d %9s %8d' "$ranks" $what
        for mode in gather sendrecv default; do
            one "$ranks" $what $mode
        done
        echo
    done
done
