#!/usr/bin/env bash
# Builds the Fashion-MNIST program for this machine and runs it; all options go to the program.
#   bash examples/fashion_mnist/run.sh [--model mlp] [--epochs 5] ...    (--help lists them)
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/setup.sh"

weft_require
build=$weft_root/build/example
log=$build/build.log
mkdir -p "$build"
weft_say "building the example in release mode, for this machine's instruction set"
{
    weft_configure "$build" --preset release -DWEFT_TESTS=OFF -DWEFT_BENCHMARKS=OFF &&
        cmake --build "$build" --target fashion_mnist --parallel "$weft_jobs"
} >"$log" 2>&1 || {
    cat "$log" >&2
    weft_fail "the build failed"
}

needs_data=yes
for option in "$@"; do
    case $option in --data | --data=* | --help | -h) needs_data=no ;; esac
done
# Without data the program itself says where it looked.
[[ $needs_data == no ]] || weft_get_data || weft_say "there is no data set"

exec "$build/examples/fashion_mnist" "$@"
