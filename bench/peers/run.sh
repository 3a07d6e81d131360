#!/usr/bin/env bash
# Trains the same networks with weft and with whichever of its peers are installed (dlib, libtorch,
# PyTorch, Keras), one after another and several times over, and compares the medians.
#   bash bench/peers/run.sh --out peers.json [--quick] [--python PYTHON] [--models mlp,cnn,cnn-deep]
#                           [--threads 1,2] [--rounds 5] [--frameworks weft,dlib,...] [--long]
# On Debian: apt-get install libdlib-dev libopenblas-dev libtorch-dev dataset-fashion-mnist
# PYTHON is the interpreter in which PyTorch and Keras are looked for.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
build=$here/../../build/peers
mkdir -p "$build"

cmake -S "$here" -B "$build" -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS=-march=native \
    -DCMAKE_CXX_FLAGS_RELEASE="-O3 -DNDEBUG" >"$build/build.log" || {
    cat "$build/build.log" >&2
    exit 1
}
grep '^-- peers: ' "$build/build.log" >&2 || true
cmake --build "$build" >>"$build/build.log" 2>&1 || {
    cat "$build/build.log" >&2
    exit 1
}
exec python3 "$here/compare.py" --build "$build" "$@"
