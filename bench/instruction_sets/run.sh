#!/usr/bin/env bash
# What training costs in a program compiled for this machine, in one compiled for any, and in one that is
# and links to weft::kernels: the least processor time of some rounds in turn, with one thread.
#   bash bench/instruction_sets/run.sh [rounds]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/setup.sh"

weft_require
build=$weft_root/build/instruction_sets
weft_say "building"
weft_configure "$build" -DCMAKE_BUILD_TYPE=Release -DWEFT_TESTS=OFF -DWEFT_EXAMPLES=OFF -DWEFT_BENCHMARKS=OFF \
    -DWEFT_KERNELS=ON
cmake --build "$build" --target weft_kernels
includes=(-I "$weft_root/include" -I "$weft_root" -I "${EIGEN:-/usr/include/eigen3}")
compile() {
    "${CXX:-g++}" -std=c++20 -O3 -DNDEBUG -fopenmp "${includes[@]}" "${@:2}" -o "$build/$1"
}
main=$weft_root/bench/instruction_sets/main.cpp
compile native "$main" -march=native
compile plain "$main"
compile chosen "$main" -DWEFT_COMPILED_KERNELS "$build/libweft_kernels.a"

weft_say "training"
for network in mlp:10 dense-on-rows:4 cnn:2 cnn-deep:1; do
    for ((round = 0; round < ${1:-5}; ++round)); do
        for program in native plain chosen; do
            echo "$program $("$build/$program" "${network%:*}" "${network#*:}")"
        done
    done | awk -v network="${network%:*}" '
        !($1 in least) || $2 < least[$1] { least[$1] = $2 }
        END { printf "| %s | %.2f | %.2f | %.2f | %.2f |\n", network, least["native"], least["plain"],
                  least["chosen"], least["native"] / least["chosen"] }'
done
