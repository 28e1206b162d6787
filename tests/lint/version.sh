#!/bin/sh
# version.sh ROOT: NEWS.md begins with the version and the ABI that meson.build gives.
set -eu
cd "$1"

version=$(sed -n "s/^ *version: '\(.*\)',/\1/p" meson.build | head -n 1)
abi=$(sed -n 's/^abi = \([0-9]*\).*/\1/p' meson.build)
news=$(sed -n 's/^# \([0-9.]*\).*/\1/p' NEWS.md | head -n 1)
news_abi=$(sed -n 's/.*the ABI is \([0-9]*\).*/\1/p' NEWS.md | head -n 1)
[ "$version, ABI $abi" = "$news, ABI $news_abi" ] || {
    echo "meson.build has $version, ABI $abi; NEWS.md begins with $news, ABI $news_abi"
    exit 1
}
