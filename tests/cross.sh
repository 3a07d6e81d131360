#!/usr/bin/env bash
# Builds the tests of what computes for other systems and runs them: for Windows with MinGW's g++
# under Wine, for 64-bit ARM with g++ under QEMU. Warnings are errors.
#   bash tests/cross.sh [windows] [aarch64]       both by default
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/setup.sh"
cd "$weft_root"

# Without the tests of files, whose folders only POSIX makes, and those of GPUs, simulated by signals.
# One program of a few sources that include the tests: a template is then instantiated once a group.
declare -A groups=(
    [core]=$(find tests/core -name '*_test.cpp' ! -name atomic_file_test.cpp ! -name system_test.cpp ! -name cuda_test.cpp)
    [kernels]=$(find tests/kernels -name '*_test.cpp' ! -path '*/cuda/*' ! -path '*/compiled/*')
    [layers]=$(printf 'tests/layers/%s_test.cpp ' dense conv2d batch_norm max_pool2d dropout softmax)
    [model]="tests/model/sequential_test.cpp tests/optimizers/adam_test.cpp
             tests/losses/sparse_categorical_crossentropy_test.cpp"
    [training]="tests/training/trainer_test.cpp"
    [support]="tests/main.cpp $(echo tests/support/*.cpp)"
    [once_float]=tests/support/once/float.cpp
    [once_double]=tests/support/once/double.cpp
    [once_reference]=tests/support/once/reference.cpp
)
# The longest first: no processor waits at the end.
order="kernels once_double once_float layers training model core once_reference support"

# weft_compile <group> <folder of headers> <compiler> <flag>...: optimised where the time of tests goes.
weft_compile() {
    local group=$1 headers=$2 level=-O1
    shift 2
    case ${group##*/} in layers | model | training | support) level=-O0 ;; esac
    "$@" -std=c++20 "$level" -fopenmp -Wall -Wextra -Werror \
        -DDOCTEST_CONFIG_VOID_CAST_EXPRESSIONS "-DWEFT_SOURCE_DIR=\"$weft_root\"" \
        -I include -I . -isystem "$headers" -c "$group.cpp" -o "$group.o"
}
export -f weft_compile
export weft_root

declare -A running=() # the processes that run tests, by their logs

# weft_cross <name> <compiler> <flags> <command>... -- <options of the tests, with blanks between them>...
# The tests run side by side, once with each of these.
weft_cross() {
    local name=$1 compiler=$2 flags=$3 command=() options log
    local folder=$weft_root/build/cross/$1 group source
    shift 3
    while [[ $1 != -- ]]; do
        command+=("$1")
        shift
    done
    shift
    mkdir -p "$folder/include"
    # The headers alone: all of /usr/include are another system's.
    for header in eigen3/Eigen doctest nlohmann; do
        ln -sfn "/usr/include/$header" "$folder/include/${header##*/}"
    done
    weft_say "building and running tests for $name"
    for group in $order; do
        printf '#include "tests/support/%s_once.hpp"\n' kernels reference >"$folder/$group.cpp"
        for source in ${groups[$group]}; do echo "#include \"$source\""; done >>"$folder/$group.cpp"
        echo "$folder/$group"
    done | xargs -P "$weft_jobs" -I{} bash -c 'weft_compile "$@"' - {} "$folder/include" "$compiler" $flags
    "$compiler" $flags -fopenmp "$folder"/*.o -o "$folder/tests.exe"
    # While those of the next system are compiled.
    while [[ $# -gt 0 ]]; do
        read -ra options <<<"$1"
        log=$folder/tests-$#.log
        OMP_WAIT_POLICY=passive OMP_NUM_THREADS=2 timeout 1200 "${command[@]}" "$folder/tests.exe" "${options[@]}" >"$log" 2>&1 &
        running[$log]=$!
        shift
    done
}

weft_require doctest-dev
for argument in "${@:-windows aarch64}"; do
    for system in $argument; do
        case $system in
            windows)
                if weft_has_apt && weft_apt_install g++-mingw-w64-x86-64-posix wine64 wine; then
                    export WINEPREFIX=$weft_root/build/cross/wine WINEDEBUG=-all
                    weft_cross windows x86_64-w64-mingw32-g++-posix "-static -Wa,-mbig-obj" wine -- --no-intro
                else
                    weft_say "there is no MinGW or Wine: the tests for Windows are skipped"
                fi
                ;;
            aarch64)
                if weft_has_apt && weft_apt_install g++-aarch64-linux-gnu qemu-user; then
                    # Emulated, the products of all sizes take minutes; layers multiply too. Pools and
                    # Winograd's convolutions take as long as the rest, also without the three longest.
                    weft_cross aarch64 aarch64-linux-gnu-g++ "" qemu-aarch64 -L /usr/aarch64-linux-gnu -- \
                        "--source-file=*pool*_test.cpp,*winograd_test.cpp --test-case-exclude=*whole*numbers*<double>,*through*many*windows*,*Winograd*central*differences*" \
                        "--source-file-exclude=*pool*_test.cpp,*winograd_test.cpp,*matmul_test.cpp"
                else
                    weft_say "there is no compiler for aarch64 or no QEMU: its tests are skipped"
                fi
                ;;
            *) weft_fail "$system: expected windows or aarch64" ;;
        esac
    done
done

failed=()
for log in "${!running[@]}"; do
    wait "${running[$log]}" || failed+=("${log#"$weft_root/build/cross/"}")
    weft_say "$log:"
    cat "$log"
done
[[ ${#failed[@]} -eq 0 ]] || weft_fail "tests failed: ${failed[*]}"
