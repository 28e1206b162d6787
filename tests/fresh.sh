#!/bin/sh
# Runs both commands of README on a bare Debian 12 in a folder (default
# /tmp/dwq-fresh), as root, from this checkout's files. Made by debootstrap,
# removed at the end unless KEEP=1.
set -eu
cd "$(dirname "$0")/.."
fresh=${1:-/tmp/dwq-fresh}
mirror=${MIRROR:-http://deb.debian.org/debian}

if [ "$(id -u)" -ne 0 ] || ! command -v debootstrap >/dev/null; then
    echo "$0 needs root, and debootstrap" >&2
    exit 1
fi
[ ! -e "$fresh" ] || {
    echo "$fresh is there already" >&2
    exit 1
}

finish() {
    for mount in dev sys proc; do
        ! mountpoint -q "$fresh/$mount" || umount "$fresh/$mount"
    done
    [ -n "${KEEP:-}" ] || rm -rf --one-file-system "$fresh"
}
trap finish EXIT
trap 'exit 1' INT TERM

debootstrap --variant=minbase bookworm "$fresh" "$mirror" >/dev/null
cp /etc/resolv.conf /etc/hosts "$fresh/etc/"
mount -t proc proc "$fresh/proc"
mount -t sysfs -o ro sysfs "$fresh/sys"
mount -t tmpfs tmpfs "$fresh/dev"
for node in null zero full random urandom; do
    cp -a "/dev/$node" "$fresh/dev/"
done
mkdir -m 1777 "$fresh/dev/shm"
ln -s /proc/self/fd "$fresh/dev/fd"
ln -s /proc/self/fd/1 "$fresh/dev/stdout"

mkdir "$fresh/libdwq"
git ls-files -z --cached --others --exclude-standard |
    tar -c --null -T - | tar -x -C "$fresh/libdwq"
run() {
    echo "== $*"
    env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        chroot "$fresh" sh -c "cd /libdwq && $*" </dev/null
}
run sh examples/run.sh
run sh tests/run.sh
