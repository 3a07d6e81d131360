#!/usr/bin/env bash
# Which lines and branches of include/weft and src the tests reach, and which they do not.
#   bash tests/coverage.sh                  all tests
#   bash tests/coverage.sh kernels io       those of some folders alone
# Counted by clang, condition by condition, over all instances of a template together, in three programs: all
# tests, failures on purpose, and simulated GPUs. What no test instantiates is not counted at all.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/setup.sh"

weft_require doctest-dev
weft_has_apt && weft_apt_install clang llvm libomp-dev python3
llvm=$(dirname "$(readlink -f "$(command -v clang++)")")
[[ -x $llvm/llvm-cov ]] || weft_fail "coverage needs clang with its llvm-cov, and there is no $llvm/llvm-cov"
build=$weft_root/build/coverage
folders=$(IFS='|' && echo "$*")

# Without assertions, whose other side no test may reach.
weft_configure "$build" --preset dev-clang -DWEFT_UNITY_TESTS=ON -DWEFT_EXAMPLES=OFF -DWEFT_BENCHMARKS=OFF \
    -DWEFT_CHECK_HEADERS=OFF -DCMAKE_COMPILE_WARNING_AS_ERROR=OFF \
    -DCMAKE_CXX_FLAGS_DEBUG="-O1 -DNDEBUG -fprofile-instr-generate -fcoverage-mapping" >&2
cmake -S "$weft_root" -B "$build" -DWEFT_TEST_FOLDERS="$folders" >/dev/null
weft_say "building the tests with counters"
programs="weft_tests faults weft_cuda_sim_tests"
[[ -z $folders ]] || programs=weft_tests
cmake --build "$build" --parallel "$weft_jobs" --target $programs >&2

cd "$build/tests"
[[ ! -d /dev/shm ]] || export TMPDIR=/dev/shm # a disk would be waited for thousands of times
for program in $programs; do
    LLVM_PROFILE_FILE=$program.profraw OMP_WAIT_POLICY=passive ./$program >&2 ||
        weft_say "some tests of $program failed: what they did not come to is not counted"
done
"$llvm/llvm-profdata" merge -sparse $(printf '%s.profraw ' $programs) -o tests.profdata
"$llvm/llvm-cov" export -instr-profile=tests.profdata -ignore-filename-regex='^/usr|/tests/' \
    $(printf -- '-object %s ' $programs) >coverage.json
python3 "$weft_root/tests/coverage.py" coverage.json "$weft_root" "$@"
