#!/usr/bin/env bash
# Fuzzes every reader of files for that many seconds each, and says how far it came and what it
# found. Starts from what the last runs left in build/fuzz; all other options go to ctest.
#   bash tests/fuzz/run.sh [seconds] [-R csv] ...
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/setup.sh"

seconds=60
if [[ ${1:-} =~ ^[0-9]+$ ]]; then
    seconds=$1
    shift
fi
weft_require clang
cd "$weft_root"
cmake --preset fuzz -DWEFT_FUZZ_SECONDS="$seconds"
cmake --build --preset fuzz --parallel "$weft_jobs"
weft_say "fuzzing each reader for $seconds seconds"
status=0
ctest --preset fuzz --quiet --parallel "$weft_jobs" "$@" || status=$?
# Of libFuzzer's output: the target, coverage at the end, findings and their files, runs.
awk '
    / Testing: / { print $NF }
    / cov: / { coverage = $0 }
    /^(fuzz: |SUMMARY: |.*runtime error: |.*Test unit written to )/ { print "  " $0 }
    /^stat::number_of_executed_units/ { print "  " coverage; print "  runs: " $NF }
' build/fuzz/Testing/Temporary/LastTest.log
exit "$status"
