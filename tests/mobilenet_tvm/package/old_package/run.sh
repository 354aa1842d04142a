#!/bin/sh
# Runs this package: ./run.sh photo.jpg, ./run.sh --self-test, ./run.sh --help
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
built_for=x86_64

fail() {
    echo "run.sh: $1" >&2
    exit 2
}

machine=$(uname -m)
[ "$machine" = amd64 ] && machine=x86_64
[ "$machine" = arm64 ] && machine=aarch64
[ "$machine" = "$built_for" ] || fail "this package is for $built_for, this machine is $machine"
# A 64-bit kernel may run a 32-bit system, as on many a Raspberry Pi.
loader=/lib/ld-linux-aarch64.so.1
[ "$machine" != aarch64 ] || [ -e "$loader" ] ||
    fail "this system lacks $loader: a 64-bit system is needed (on a Raspberry Pi: the 64-bit Raspberry Pi OS)"
for file in bin/mobilenet-run lib/libtvm_runtime.so lib/libtvm_ffi.so; do
    [ -f "$here/$file" ] || fail "$file is missing from the package: unpack it again"
done
exec "$here/bin/mobilenet-run" "$here" "$@"
