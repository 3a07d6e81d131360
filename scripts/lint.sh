#!/usr/bin/env bash
# Looks for bugs, wasted work and wrong names with clang-tidy (.clang-tidy says which): in weft's compiled
# sources, and in a program that trains. Between them they include all headers but those of some readers.
#   bash scripts/lint.sh [file.cpp] ...
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
cd "$weft_root"

if [[ $# -eq 0 ]]; then
    # Three programs of all sources, since what a header holds is looked at anew in each program.
    mkdir -p build/lint
    printf '#include "%s" // NOLINT(bugprone-suspicious-include)\n' src/data/*.cpp src/io/*.cpp >build/lint/files.cpp
    printf '#include "%s" // NOLINT(bugprone-suspicious-include)\n' tests/umbrella/train.cpp src/report/*.cpp src/kernels/set.cpp >build/lint/training.cpp
    set -- build/lint/files.cpp build/lint/training.cpp src/kernels/choice.cpp
fi
tidy=$(weft_tool clang-tidy 19.1.0)
lint() {
    # It counts what it finds in the system's headers, and leaves that out.
    "$tidy" -quiet --warnings-as-errors='*' "$1" -- -std=c++20 -DNAME=train -I. -Iinclude \
        -isystem "${EIGEN:-/usr/include/eigen3}" 2> >(grep -Ev '^[0-9]+ warnings? ' >&2)
}
export -f lint
export tidy
printf '%s\0' "$@" | xargs -0 -n 1 -P "$weft_jobs" bash -c 'lint "$0"'
