#!/usr/bin/env bash
# Compiles a program of the single header with every compiler that Debian offers, runs it, and prints a table.
# Versions that this system's suite lacks, and Eigen 5 for these, are those of Debian sid, in a folder of its own.
# By hand, for sid as root: compilers are installed, some 6 GB.
#   bash tests/packaging/compilers.sh [compiler ...]      those of compilers.txt where none is named
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/setup.sh"
source "$(dirname "${BASH_SOURCE[0]}")/bare_system.sh"
work=$weft_root/build/compilers
sid=$work/sid
mkdir -p "$work/eigen"
ln -sfn /usr/include/eigen3/Eigen "$work/eigen/Eigen" # without the rest of /usr/include, another system's for MinGW
bash "$weft_root/scripts/single_header.sh" "$work/single/weft/weft.hpp"

mingw=x86_64-w64-mingw32-g++-posix
compilers=("$@")
[[ $# -gt 0 ]] || mapfile -t compilers <"$weft_root/tests/packaging/compilers.txt"

# package_of <compiler>
package_of() {
    case $1 in
        clang++-*) echo "clang-${1#clang++-}" ;;
        "$mingw") echo g++-mingw-w64-x86-64-posix wine64 wine ;;
        *) echo "$1" ;;
    esac
}

# is_here <compiler>: MinGW's is installed by its package each time, as that brings what runs its programs, too.
is_here() { command -v "$1" >/dev/null && [[ $1 != "$mingw" ]]; }

# open_sid: makes it, once, with Eigen and g++'s own library for clang.
open_sid() {
    [[ ! -f $sid/opened ]] || return 0
    [[ ! -f $sid.failed ]] || return 1
    { weft_bare_system "$sid" sid && weft_in "$sid" apt-get -q -y update &&
        weft_in "$sid" apt-get -q -y install --no-install-recommends libeigen3-dev g++; } >"$work/packages.log" 2>&1 &&
        touch "$sid/opened" || { touch "$sid.failed" && weft_say "no Debian sid, see $work/packages.log" && return 1; }
}
rm -f "$sid.failed"

# eigen_of <folder with Eigen>
eigen_of() {
    local file
    for file in "$1/Eigen/Version" "$1/Eigen/src/Core/util/Macros.h"; do
        sed -nE 's/^#define EIGEN_(WORLD|MAJOR|MINOR|PATCH)_VERSION +([0-9]+).*/\1 \2/p' "$file" 2>/dev/null
    done | sort -u -k1,1 | awk '{ v[$1] = $2 } END { print ("PATCH" in v) ? v["MAJOR"] "." v["MINOR"] "." v["PATCH"] : v["WORLD"] "." v["MAJOR"] "." v["MINOR"] }'
}

failed=0
echo '| compiler | version | Debian | Eigen | options | compiles | runs | seconds |'
echo '|---|---|---|---|---|---|---|---|'
for compiler in "${compilers[@]}"; do
    packages=$(package_of "$compiler")
    package=${packages%% *}
    in=() suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release) folder=$work eigen=$work/eigen
    if is_here "$compiler" || { weft_has_apt && weft_apt_knows "$package"; }; then
        is_here "$compiler" || weft_apt_install $packages >/dev/null 2>&1 ||
            { echo "| $compiler | cannot be installed | | | | | | |" && failed=1 && continue; }
    elif weft_has_apt && open_sid && weft_apt_knows "$package" weft_in "$sid"; then
        in=(weft_in "$sid") suite=sid folder=/weft eigen=/usr/include/eigen3
        "${in[@]}" apt-get -q -y install --no-install-recommends $packages >>"$work/packages.log" 2>&1 ||
            { echo "| $compiler | cannot be installed | sid | | | | | |" && failed=1 && continue; }
        mkdir -p "$sid/weft"
        cp -r "$work/single" "$sid/weft"
    else
        # Of those that nobody named, some are older and some newer than all that there are.
        [[ $# -eq 0 ]] || { echo "| $compiler | cannot be had | | | | | | |" && failed=1; }
        continue
    fi
    root=
    [[ $suite != sid ]] || root=$sid
    cp "$weft_root/tests/consumer/main.cpp" "$root$folder/main.cpp"
    run=()
    # clang brings no OpenMP, and MinGW's stack does not suit AVX.
    case $compiler in
        "$mingw")
            ways=("-O1" "-O2 -fopenmp")
            run=(env "WINEPREFIX=$work/wine" WINEDEBUG=-all wine)
            more=(-static -Wa,-mbig-obj)
            ;;
        clang*) ways=("-O1" "-O2 -march=native") more=() ;;
        *) ways=("-O1" "-O2 -march=native -fopenmp") more=() ;;
    esac
    version=$("${in[@]}" "$compiler" -dumpfullversion 2>/dev/null || "${in[@]}" "$compiler" -dumpversion)
    for way in "${ways[@]}"; do
        log="$work/$compiler${way// /}.log"
        compiles=no runs=no began=$(date +%s.%N)
        if "${in[@]}" "$compiler" -std=c++20 $way -Wall -Wextra -Werror "${more[@]}" -I "$folder/single" -isystem "$eigen" \
            "$folder/main.cpp" -o "$folder/$compiler.exe" >"$log" 2>&1; then
            compiles=yes
        fi
        seconds=$(awk -v began="$began" -v now="$(date +%s.%N)" 'BEGIN { printf "%.0f", now - began }')
        if [[ $compiles == yes ]] && (cd "$work" && "${in[@]}" timeout 300 "${run[@]}" "$folder/$compiler.exe") >>"$log" 2>&1; then
            runs=yes
        fi
        [[ $runs == yes ]] || failed=1
        echo "| $compiler | $version | $suite | $(eigen_of "$root$eigen") | $way | $compiles | $runs | $seconds |"
    done
done
[[ $failed -eq 0 ]] || weft_fail "see $work/*.log"
