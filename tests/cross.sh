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
    [once_double]="tests/support/once/double.cpp"
)
order="kernels once_double once_float layers training model core support" # the longest first: no processor waits at the end
declare -A running=() # the process that runs the tests, by the name
# weft_cross <name> <compiler> <flags> <option of the tests> <command>...
weft_cross() {
    local name=$1 compiler=$2 flags=$3 option=$4
    local folder=$weft_root/build/cross/$1 group source
    shift 4
    mkdir -p "$folder/include"
    # The headers alone: all of /usr/include are another system's.
    for header in eigen3/Eigen doctest nlohmann; do
        ln -sfn "/usr/include/$header" "$folder/include/${header##*/}"
    done
    weft_say "building and running tests for $name"
    for group in $order; do
        echo '#include "tests/support/kernels_once.hpp"' >"$folder/$group.cpp"
        for source in ${groups[$group]}; do echo "#include \"$source\""; done >>"$folder/$group.cpp"
        echo "$folder/$group"
    done | xargs -P "$weft_jobs" -I{} "$compiler" -std=c++20 $flags -fopenmp -Wall -Wextra -Werror \
        -DDOCTEST_CONFIG_VOID_CAST_EXPRESSIONS "-DWEFT_SOURCE_DIR=\"$weft_root\"" \
        -I include -I . -isystem "$folder/include" -c {}.cpp -o {}.o
    "$compiler" $flags -fopenmp "$folder"/*.o -o "$folder/tests.exe"
    # While those of the next system are compiled.
    OMP_WAIT_POLICY=passive OMP_NUM_THREADS=2 timeout 600 "$@" "$folder/tests.exe" "$option" >"$folder/tests.log" 2>&1 &
    running[$name]=$!
}

weft_require doctest-dev
for argument in "${@:-windows aarch64}"; do
    for system in $argument; do
        case $system in
            windows)
                if weft_has_apt && weft_apt_install g++-mingw-w64-x86-64-posix wine64 wine; then
                    export WINEPREFIX=$weft_root/build/cross/wine WINEDEBUG=-all
                    weft_cross windows x86_64-w64-mingw32-g++-posix "-O1 -static -Wa,-mbig-obj" --no-intro wine
                else
                    weft_say "there is no MinGW or Wine: the tests for Windows are skipped"
                fi
                ;;
            aarch64)
                if weft_has_apt && weft_apt_install g++-aarch64-linux-gnu qemu-user; then
                    # Emulated, the products of all sizes take minutes; layers multiply too.
                    weft_cross aarch64 aarch64-linux-gnu-g++ -O1 \
                        "--source-file-exclude=*matmul_test.cpp" qemu-aarch64 -L /usr/aarch64-linux-gnu
                else
                    weft_say "there is no compiler for aarch64 or no QEMU: its tests are skipped"
                fi
                ;;
            *) weft_fail "$system: expected windows or aarch64" ;;
        esac
    done
done

failed=()
for name in "${!running[@]}"; do
    wait "${running[$name]}" || failed+=("$name")
    weft_say "tests for $name:"
    cat "build/cross/$name/tests.log"
done
[[ ${#failed[@]} -eq 0 ]] || weft_fail "tests failed for ${failed[*]}"
