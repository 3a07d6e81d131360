#!/usr/bin/env bash
# Formats all C++ of weft; with --check it changes nothing, and fails when a file is not formatted.
#   bash scripts/format.sh [--check]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
cd "$weft_root"

mode=-i
if [[ ${1:-} == --check ]]; then
    mode='--dry-run -Werror'
elif [[ $# -gt 0 ]]; then
    weft_fail "usage: bash scripts/format.sh [--check]"
fi
format=$(weft_tool clang-format 20.1.8)
find include src tests bench examples \( -name '*.hpp' -o -name '*.cpp' -o -name '*.cuh' -o -name '*.cu' \) -print0 |
    xargs -0 -n 40 -P "$weft_jobs" "$format" $mode || weft_fail "not formatted; run: bash scripts/format.sh"
