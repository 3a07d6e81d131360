#!/usr/bin/env bash
# Writes all of weft that needs no more than Eigen as one header, for a project of one file, or for a
# compiler in a web page. Eigen's and the standard library's headers stay outside. The same tree gives the
# same bytes.
#   bash scripts/single_header.sh [weft.hpp] [weft/data/csv.hpp ...]
# The first is where it goes, build/single/weft/weft.hpp by itself; the others are headers that weft.hpp
# has not, and that are in it then.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
output=${1:-$root/build/single/weft/weft.hpp}
mkdir -p "$(dirname "$output")"
export LC_ALL=C
trap 'rm -f "$output.part"' EXIT
version=$(sed -n 's/#define WEFT_VERSION "\(.*\)"/\1/p' "$root/include/weft/version.hpp")
{
    echo "// weft $version in one header, made by scripts/single_header.sh: change the headers it is made of."
    echo "//"
    sed 's,^,// ,; s, $,,' "$root/LICENSE"
    printf '#pragma once\n'
    awk -v root="$root/include/" '
        # Prints what a header includes of weft, then the header, without these lines. Once each.
        function emit(path,    line, file, part, conditional) {
            if (path in done) return
            done[path] = 1
            file = root path
            while ((getline line <file) > 0) {
                sub(/^#include WEFT_CPU_KERNELS/, "#include \"weft/kernels/cpu/kernels.hpp\"", line)
                if (line ~ /^#include "weft\//) {
                    split(line, part, "\"")
                    emit(part[2])
                } else if (line ~ /^#if/) {
                    conditional = 1
                }
            }
            if (close(file) != 0) {
                print "weft: there is no header " path >"/dev/stderr"
                exit 1
            }
            print "\n// ---- " path " ----\n"
            while ((getline line <file) > 0) {
                if (line ~ /^#include ("weft\/|WEFT_CPU_KERNELS)/ || line ~ /^#pragma once/ || line ~ /^\/\/\/ \\file/) continue
                if (line ~ /^#include </) {
                    if (line in included) continue
                    if (!conditional) included[line] = 1
                }
                print line
            }
            close(file)
        }
        BEGIN { for (i = 1; i < ARGC; ++i) emit(ARGV[i]) }
    ' weft/weft.hpp "${@:2}"
} >"$output.part"
mv "$output.part" "$output"
