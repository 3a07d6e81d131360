#!/usr/bin/env bash
# Builds and runs every test through CTest; all options go to ctest.
#   bash tests/run.sh [-R dense] [--verbose] ...
# With WEFT_CUDA=ON in the environment, weft::cuda is built as well, and tested where there is a GPU.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/setup.sh"

weft_require doctest-dev libbenchmark-dev
weft_get_data || weft_say "there is no data set: the tests that need it are skipped"
build=$weft_root/build/tests${WEFT_CUDA:+-cuda}
weft_say "building and running the tests"
# Warnings are errors only in CI: another compiler may have other ones.
weft_configure "$build" --preset dev -DWEFT_UNITY_TESTS=ON -DCMAKE_COMPILE_WARNING_AS_ERROR="${CI:-OFF}" \
    -DWEFT_KERNELS=ON -DWEFT_CUDA="${WEFT_CUDA:-OFF}"
cmake --build "$build" --parallel "$weft_jobs"
ctest --test-dir "$build" --output-on-failure --no-tests=error --parallel "$weft_jobs" "$@"
