#!/bin/sh
# Runs this package: ./run.sh photo.jpg, ./run.sh --self-test, ./run.sh --help
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
built_for=@ARCH@

fail() {
    echo "run.sh: $1" >&2
    exit 2
}

machine=$(uname -m)
[ "$machine" = amd64 ] && machine=x86_64
[ "$machine" = arm64 ] && machine=aarch64
[ "$machine" = "$built_for" ] || fail "this package is for $built_for, this machine is $machine"
for file in bin/mobilenet-run lib/libtvm_runtime.so lib/libtvm_ffi.so; do
    [ -f "$here/$file" ] || fail "$file is missing from the package: unpack it again"
done
exec "$here/bin/mobilenet-run" "$here" "$@"
