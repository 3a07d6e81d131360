#!/usr/bin/env bash
# Compiles a program of the single header with every compiler that Debian offers, runs it, and prints a table.
# By hand: compilers are installed, some 2 GB.
#   bash tests/packaging/compilers.sh [compiler ...]      such as g++-11 clang++-19 x86_64-w64-mingw32-g++-posix
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/setup.sh"
work=$weft_root/build/compilers
mkdir -p "$work/eigen"
ln -sfn /usr/include/eigen3/Eigen "$work/eigen/Eigen" # without the rest of /usr/include, another system's for MinGW
bash "$weft_root/scripts/single_header.sh" "$work/single/weft/weft.hpp"

mingw=x86_64-w64-mingw32-g++-posix
compilers=("$@")
if [[ $# -eq 0 ]]; then
    for version in {11..16}; do compilers+=("g++-$version"); done
    for version in {14..24}; do compilers+=("clang++-$version"); done
    compilers+=("$mingw")
fi

# package_of <compiler>
package_of() {
    case $1 in
        clang++-*) echo "clang-${1#clang++-}" ;;
        "$mingw") echo g++-mingw-w64-x86-64-posix wine64 wine ;;
        *) echo "$1" ;;
    esac
}

failed=0
echo '| compiler | version | compiles | runs | seconds |'
echo '|---|---|---|---|---|'
for compiler in "${compilers[@]}"; do
    packages=$(package_of "$compiler")
    if ! command -v "$compiler" >/dev/null; then
        # apt reads a name that it does not know, such as g++-99, as an expression.
        package=${packages%% *}
        weft_has_apt && apt-cache --names-only search "^${package//+/\\+}\$" | grep -q . ||
            { [[ $# -eq 0 ]] || { echo "| $compiler | cannot be had | | | |" && failed=1; } && continue; }
    fi
    # Runs Windows' programs, too.
    { command -v "$compiler" >/dev/null && [[ $compiler != "$mingw" ]]; } || weft_apt_install $packages >/dev/null 2>&1 ||
        { echo "| $compiler | cannot be installed | | | |" && failed=1 && continue; }
    options=(-std=c++20 -O1 -Wall -Wextra -Werror -I "$work/single" -isystem "$work/eigen")
    run=()
    if [[ $compiler == "$mingw" ]]; then
        options+=(-static -Wa,-mbig-obj)
        run=(env "WINEPREFIX=$work/wine" WINEDEBUG=-all wine)
    fi
    compiles=no runs=no began=$(date +%s.%N)
    if "$compiler" "${options[@]}" "$weft_root/tests/consumer/main.cpp" -o "$work/$compiler.exe" >"$work/$compiler.log" 2>&1; then
        compiles=yes
    fi
    seconds=$(awk -v began="$began" -v now="$(date +%s.%N)" 'BEGIN { printf "%.0f", now - began }')
    if [[ $compiles == yes ]] && (cd "$work" && timeout 300 "${run[@]}" "./$compiler.exe") >>"$work/$compiler.log" 2>&1; then
        runs=yes
    fi
    [[ $runs == yes ]] || failed=1
    echo "| $compiler | $("$compiler" -dumpfullversion 2>/dev/null || "$compiler" -dumpversion) | $compiles | $runs | $seconds |"
done
[[ $failed -eq 0 ]] || weft_fail "see $work/*.log"
