#!/usr/bin/env python3
"""Hold networks that Martlet wrote, and what it computed, to the ONNX checker and to ONNX Runtime.

    .venv-test/bin/python tools/check-onnx.py FOLDER

FOLDER/cases.json is a list of cases, as the tests write it:

    model      an .onnx file in FOLDER
    inputs     a list of {name, shape, file}: raw little-endian float32
    outputs    the same: what Martlet computed
    metadata   the properties the model must have, in order, as [key, value]; may be left out
    tolerance  how far ONNX Runtime's outputs may be from Martlet's; 1e-4 if left out

Each model must pass `onnx.checker` with full shape inference, and the outputs must be that near, relative to the
largest element of the output (or 1 if that is larger). The first input's batch must be dynamic.
Prints one line for each failure, and exits with 1 if there is one.
"""

import json
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime

TOLERANCE = 1e-4


def array(folder, entry):
    return np.fromfile(folder / entry["file"], dtype="<f4").reshape(entry["shape"])


def check(folder, case):
    path = folder / case["model"]
    onnx.checker.check_model(str(path), full_check=True)
    model = onnx.load(str(path))
    metadata = [[entry.key, entry.value] for entry in model.metadata_props]
    if metadata != case.get("metadata", metadata):
        raise ValueError(f"metadata {metadata} instead of {case['metadata']}")
    if not model.graph.input[0].type.tensor_type.shape.dim[0].dim_param:
        raise ValueError("the batch is not dynamic")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    # The operators as the file has them.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [entry["name"] for entry in case["outputs"]]
    if [output.name for output in session.get_outputs()] != names:
        raise ValueError(f"outputs {[output.name for output in session.get_outputs()]} instead of {names}")
    found = session.run(names, {entry["name"]: array(folder, entry) for entry in case["inputs"]})
    worst = 0.0
    for entry, theirs in zip(case["outputs"], found):
        ours = array(folder, entry)
        if ours.shape != theirs.shape:
            raise ValueError(f"output {entry['name']} is {ours.shape}, ONNX Runtime's {theirs.shape}")
        if not np.array_equal(np.isfinite(ours), np.isfinite(theirs)):
            raise ValueError(f"output {entry['name']} is not finite where ONNX Runtime's is")
        if ours.size:
            scale = max(1.0, float(np.abs(theirs[np.isfinite(theirs)]).max(initial=0)))
            difference = np.abs(ours.astype(np.float64) - theirs)[np.isfinite(theirs)].max(initial=0) / scale
            if difference > case.get("tolerance", TOLERANCE):
                raise ValueError(f"output {entry['name']} is {difference:.2e} from ONNX Runtime's")
            worst = max(worst, difference)
    return worst


def main():
    folder = pathlib.Path(sys.argv[1])
    failures, worst = 0, 0.0
    cases = json.loads((folder / "cases.json").read_text())
    for case in cases:
        try:
            worst = max(worst, check(folder, case))
        except Exception as error:  # Whatever the checker and the runtime throw is what we want to know.
            failures += 1
            print(f"{case['model']}: {' '.join(str(error).split())[:500]}")
    print(f"{len(cases)} networks, {failures} failures, largest difference {worst:.2e}")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
