#!/usr/bin/env bash
# Builds the benchmarks for this machine, runs them with one thread and with all, and writes a report
# with tables and charts.
#   bash bench/run.sh [--quick] [--out DIR] [--filter REGEX] [--isa avx2] [--no-peers]
#                     [--docs PAGE.md]
# --quick     one short repetition of each, without the largest: to see that all works
# --out       where the report goes; build/bench/report by default
# --filter    only benchmarks whose names match, as "^matmul/"
# --isa avx2  weft, oneDNN and OpenBLAS restricted to AVX2
# --no-peers  without other frameworks (bench/peers)
# --docs      puts the results into that page too, as docs/performance-intel.md
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/setup.sh"

quick=no filter= isa=native peers=yes docs=
out=$weft_root/build/bench/report
while [[ $# -gt 0 ]]; do
    case $1 in
        --quick) quick=yes ;;
        --no-peers) peers=no ;;
        --out | --filter | --isa | --docs)
            [[ $# -ge 2 ]] || weft_fail "$1 needs a value"
            printf -v "${1#--}" %s "$2"
            shift
            ;;
        --help | -h)
            sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
            exit
            ;;
        *) weft_fail "unknown option $1; --help lists them" ;;
    esac
    shift
done
build=$weft_root/build/bench
flags=-march=native
case $isa in
    native) ;;
    avx2)
        build=$build-avx2 flags=-march=haswell
        export ONEDNN_MAX_CPU_ISA=AVX2 DNNL_MAX_CPU_ISA=AVX2 OPENBLAS_CORETYPE=Haswell
        ;;
    *) weft_fail "--isa is native or avx2" ;;
esac

# ---- Build -------------------------------------------------------------------------------------

weft_require
command -v python3 >/dev/null || weft_fail "needs python3 for the report"
if weft_has_apt; then
    weft_apt_install libbenchmark-dev libdnnl-dev libopenblas-dev ||
        weft_say "what is missing is left out, or fetched"
fi
mkdir -p "$build" "$out"
out=$(cd "$out" && pwd -P)
weft_say "building the benchmarks in release mode, $flags"
{
    weft_configure "$build" --preset release -DCMAKE_CXX_FLAGS="$flags" -DWEFT_TESTS=OFF -DWEFT_EXAMPLES=OFF &&
        cmake --build "$build" --target weft_bench --parallel "$weft_jobs"
} >"$build/build.log" 2>&1 || {
    cat "$build/build.log" >&2
    weft_fail "the build failed"
}

# ---- Measure -----------------------------------------------------------------------------------

cores=$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN)
options=(--benchmark_repetitions=5 --benchmark_min_time=0.04)
slow=
if [[ $quick == yes ]]; then
    options=(--benchmark_repetitions=1 --benchmark_min_time=0.005)
    slow='2048x|25088x576|resnet|4096|growth/(width/mlp/4|image/cnn/128)|epoch/mlp-60000|cnn-wide|cnn-deep-b'
fi
rm -f "$out"/weft-*.json "$out"/peers*.json

# measure <threads> <regex of names to leave out, may be empty>
measure() {
    local threads=$1 leave_out=$2 pinned=() chosen=()
    if [[ $threads -eq 1 ]] && command -v taskset >/dev/null; then
        # One core of those allowed: the last, since the first serves most interrupts.
        pinned=(taskset -c "$(taskset -pc $$ | sed 's/.*[:,-] *//')")
    fi
    if [[ -n $filter ]]; then
        chosen=("--benchmark_filter=$filter")
    elif [[ -n $leave_out ]]; then
        chosen=("--benchmark_filter=-$leave_out")
    fi
    weft_say "measuring with $threads thread(s): $out/weft-$threads.log"
    OMP_NUM_THREADS=$threads OPENBLAS_NUM_THREADS=$threads \
        ${pinned[@]+"${pinned[@]}"} "$build/bench/weft_bench" \
        --benchmark_enable_random_interleaving=true "${options[@]}" ${chosen[@]+"${chosen[@]}"} \
        --benchmark_out_format=json --benchmark_out="$out/weft-$threads.json" \
        >"$out/weft-$threads.log" 2>&1 || {
        tail -n 20 "$out/weft-$threads.log" >&2
        weft_fail "weft_bench failed"
    }
}

measure 1 "growth/threads${slow:+|$slow}"
[[ $cores -eq 1 ]] || measure "$cores" "$slow"

if [[ $peers == yes ]]; then
    weft_say "measuring other frameworks"
    peer_options=()
    [[ $quick == no ]] || peer_options=(--quick)
    bash "$weft_root/bench/peers/run.sh" --out "$out/peers.json" ${peer_options[@]+"${peer_options[@]}"} ||
        weft_say "bench/peers failed; the report does without"
fi

# ---- Report ------------------------------------------------------------------------------------

report_options=()
[[ -z $docs ]] || report_options=(--docs "$docs")
python3 "$weft_root/bench/report.py" "$out" ${report_options[@]+"${report_options[@]}"}
