#!/usr/bin/env python3
"""Record what ONNX Runtime answers for whole networks: Tests/Goldens/networks/NAME.json.

Neither the networks nor images are in the files: the input is a formula that any language can follow to the bit, and
the network is named by the SHA-256 of its file. A test whose file differs, or is absent, has nothing to compare with.

    tools/setup-python.sh test
    .venv-test/bin/python tools/record-network-goldens.py [FOLDER]

Records models/*.onnx, and *.onnx in FOLDER (by default ../shared/models, left out when it does not exist).

Input: a linear congruential generator modulo 2^32,

    state[0] = 1,  state[i] = 1664525 * state[i-1] + 1013904223,
    x[i] = (Float32(state[i] >> 8) / 2^24 - 0.5) * scale,  i = 1, 2, ...

in row-major order of the shape [N, C, H, W]. Every step is exact in Float32, because 24 bits fit its significand and the
scale is a power of two: 4 for networks that take normalised images, 256 for those that take pixels from 0 to 255.

The JSON fields:

    model          file name of the network
    sha256         of that file
    input_formula  the formula above, in words
    scale          the scale in it
    shape          of the input, [2, C, H, W]
    logits_shape   [2, classes]
    logits         flat, row-major; the shortest decimals that give the same Float32 back
    runtime        what computed them
"""

import hashlib
import json
import pathlib
import sys

import numpy as np
import onnxruntime

ROOT = pathlib.Path(__file__).resolve().parent.parent
BATCH = 2


def scale_for(path):
    """256 where the network's preprocessing leaves pixels at 0 to 255, 4 where it normalises them."""
    config = path.with_name(path.stem + ".preprocessor_config.json")
    if config.exists() and not json.loads(config.read_text()).get("do_rescale", True):
        return 256
    return 4


def formula_input(shape, scale):
    count = int(np.prod(shape))
    states = np.empty(count, dtype=np.uint32)
    state = 1
    for index in range(count):
        state = (1664525 * state + 1013904223) & 0xFFFFFFFF
        states[index] = state
    unit = (states >> np.uint32(8)).astype(np.float32) / np.float32(2**24)
    return ((unit - np.float32(0.5)) * np.float32(scale)).reshape(shape)


def record(path, folder):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    # The plain operators, one after another: fused ones round differently from what the file says.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    (description,) = session.get_inputs()
    shape = [BATCH, *description.shape[1:]]
    scale = scale_for(path)
    (logits,) = session.run(["logits"], {description.name: formula_input(shape, scale)})
    if logits.dtype != np.float32 or not np.isfinite(logits).all():
        raise SystemExit(f"{path}: the logits are not finite Float32")
    golden = {
        "model": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "input_formula": "s = 1; for each element in row-major order: s = (1664525 * s + 1013904223) mod 2^32,"
        " x = (Float32(s >> 8) / 2^24 - 0.5) * scale",
        "scale": scale,
        "shape": shape,
        "logits_shape": list(logits.shape),
        "logits": [float(np.format_float_positional(value, unique=True)) for value in logits.flatten()],
        "runtime": f"ONNX Runtime {onnxruntime.__version__}, CPU, optimisations off",
    }
    if not np.array_equal(np.array(golden["logits"], dtype=np.float32), logits.flatten()):
        raise SystemExit(f"{path}: the decimals do not give the logits back")
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{path.stem}.json"
    target.write_text(json.dumps(golden, indent=None, separators=(",", ":")).replace(',"', ',\n"') + "\n")
    largest = float(np.abs(logits).max())
    apart = float(np.abs(logits[0] - logits[1]).max())
    print(f"{target.relative_to(ROOT)}: {shape}, largest logit {largest:.3f}, the two images {apart:.3f} apart")


def main():
    others = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared" / "models"
    paths = sorted((ROOT / "models").glob("*.onnx"))
    if others.is_dir():
        paths += sorted(others.glob("*.onnx"))
    else:
        print(f"{others} does not exist: only models/ is recorded")
    for path in paths:
        record(path, ROOT / "Tests" / "Goldens" / "networks")


if __name__ == "__main__":
    main()
