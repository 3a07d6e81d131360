#!/usr/bin/env bash
# On a machine with an NVIDIA GPU: builds weft::cuda for it, runs its tests there, some of them under CUDA's
# checkers, measures it, and trains all networks, beside PyTorch if that is installed. Ends with 77 where there
# is no GPU.
#   bash scripts/gpu.sh [folder]      what was found is written there, to build/gpu unless given
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
cd "$weft_root"

out=${1:-build/gpu}
mkdir -p "$out"
out=$(cd "$out" && pwd -P)
report=$out/report.txt

export CUDA_DEVICE_ORDER=PCI_BUS_ID # as nvidia-smi counts: what is built for is what runs
if ! gpu=$(nvidia-smi --query-gpu=name,compute_cap,driver_version --format=csv,noheader 2>/dev/null); then
    weft_say "there is no NVIDIA GPU here"
    exit 77
fi
CUDACXX=$(weft_find_nvcc) || weft_fail "there is no nvcc of CUDA 12 or later; CUDACXX can say where"
export CUDACXX PATH="$PATH:$(dirname "$CUDACXX")" # compute-sanitizer lies beside it
capability=$(sed -n '1s/.*, \([0-9]*\)\.\([0-9]*\),.*/\1\2/p' <<<"$gpu")

weft_require doctest-dev libbenchmark-dev
weft_get_data || weft_say "there is no data set: nothing is trained"
weft_say "building for $gpu"
cmake --preset cuda -B build/cuda -DCMAKE_CUDA_ARCHITECTURES="$capability-real"
cmake --build build/cuda --parallel "$weft_jobs" --target weft_gpu_tests weft_gpu_bench fashion_mnist

{
    echo "weft on $gpu"
    "$CUDACXX" --version | tail -n 1
    echo
} | tee "$report"

weft_say "running the tests on the GPU"
status=0
ctest --test-dir build/cuda -L gpu --no-tests=error --output-on-failure | tee "$out/tests.txt" || status=1
tail -n 12 "$out/tests.txt" >>"$report"

# The checkers take a hundred times as long: kernels of sums, windows and products, which share memory. Memory is
# also looked at where recorded steps refer to it.
if command -v compute-sanitizer >/dev/null; then
    for tool in memcheck racecheck initcheck synccheck; do
        weft_say "running tests under $tool"
        tests='*kernels/cuda/*'
        [[ $tool != memcheck ]] || tests+=',*core/cuda_test*,*cuda_training_test*'
        compute-sanitizer --tool "$tool" --error-exitcode 1 build/cuda/tests/weft_gpu_tests \
            --source-file="$tests" --test-case-exclude='*more samples than*' >"$out/$tool.txt" 2>&1 ||
            status=1
        echo "$tool: $(tail -n 1 "$out/$tool.txt")" | tee -a "$report"
    done
else
    echo "compute-sanitizer: not there" | tee -a "$report"
fi

weft_say "training on real pictures"
for model in mlp cnn cnn-bn; do
    build/cuda/examples/fashion_mnist --device cuda --model $model --epochs 3 --batch-size 500 \
        --json "$out/$model.json" >"$out/$model.txt" || status=1
    echo "$model, batches of 500: $(grep -E 'images_per_second|test_accuracy"' "$out/$model.json" | tr -d '\n')" |
        tee -a "$report"
done

weft_say "measuring the GPU, layers, and training of all networks"
build/cuda/bench/weft_gpu_bench --benchmark_out="$out/gpu.json" >"$out/gpu.txt" || status=1
measured=("$out/gpu.json")
python=${WEFT_PYTHON:-python3} # that has PyTorch
weft_say "training the same with PyTorch"
pytorch=0
"$python" bench/gpu/pytorch.py --out "$out/pytorch.json" || pytorch=$?
case $pytorch in
    0) measured+=("$out/pytorch.json") ;;
    77) weft_say "so PyTorch is left out; WEFT_PYTHON can name a Python that has it" ;;
    *) status=1 measured+=("$out/pytorch.json") ;;
esac
python3 bench/gpu/report.py "${measured[@]}" >"$out/report.md" || status=1
weft_say "figures are in $out/report.md"
exit $status
