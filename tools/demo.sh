#!/usr/bin/env bash
# The README's first command: set up, build in release, and compress the demonstration network.
#
# Evaluates models/fashion-mnist-resnet.onnx on the 10,000 Fashion-MNIST test images, gathers Sigma from training
# images, compresses at three VBMF ratios in the Frobenius norm and in the Sigma norm, evaluates each result on the same
# images, and prints one table. The networks and the figures stay in .build/demo.
#
#     MARTLET_DEMO_RATIOS="0.5 0.7 0.9"   VBMF ratios (larger means smaller networks)
#     MARTLET_DEMO_CALIBRATION=1000       training images that Sigma is gathered from
#     MARTLET_DEMO_LIMIT=10000            test images to evaluate on
set -euo pipefail
cd "$(dirname "$0")/.."

read -r -a ratios <<<"${MARTLET_DEMO_RATIOS:-0.5 0.7 0.9}"
calibration=${MARTLET_DEMO_CALIBRATION:-1000}
limit=${MARTLET_DEMO_LIMIT:-10000}

say() { printf '\n== %s\n' "$*"; }

tools/setup.sh

say "building in release"
swift build -c release --product martlet
martlet=$(swift build -c release --show-bin-path)/martlet

data=/usr/share/datasets/fashion-mnist
test_images=$data/t10k-images-idx3-ubyte.gz
training_images=$data/train-images-idx3-ubyte.gz
model=models/fashion-mnist-resnet.onnx
output=.build/demo
rm -rf "$output"
mkdir -p "$output"

run() {
    printf '   martlet %s\n' "$*"
    "$martlet" "$@"
}

evaluate() { # name, network, options
    local name=$1 network=$2
    shift 2
    local command=(evaluate "$network" "$test_images" --limit "$limit" "$@")
    printf '   martlet %s\n' "${command[*]}"
    "$martlet" "${command[@]}" --json >"$output/$name.evaluation.json"
    "$martlet" inspect "$network" --json >"$output/$name.inspection.json"
}

say "the network as it is"
evaluate original "$model"

say "Sigma of every layer's input, from $calibration training images (no labels)"
run sigma "$model" "$training_images" --limit "$calibration" \
    -o "$output/sigma.safetensors"

for ratio in "${ratios[@]}"; do
    for method in tucker2-als tucker2-als-sigma; do
        say "VBMF ratio $ratio, $method"
        name=$method-$ratio
        run compress "$model" --sigma "$output/sigma.safetensors" \
            --method "$method" --vbmf-ratio "$ratio" -o "$output/$name.onnx"
        evaluate "$name" "$output/$name.onnx" --reference "$model"
    done
done

say "Fashion-MNIST, top-1 on $limit test images (networks and figures: $output)"
python3 tools/demo-table.py "$output" "${ratios[@]}"
