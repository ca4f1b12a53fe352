#!/usr/bin/env python3
"""Compress a network with every method and hold what the result computes to ONNX Runtime.

    tools/setup-python.sh test
    swift build -c release --product martlet
    .venv-test/bin/python tools/check-compressed.py NETWORK.onnx --sigma FILE [--methods A,B] [--ratio 0.8] [--sweeps 2]

Each written network runs on the same noise in Martlet and in ONNX Runtime. Prints the largest difference of the outputs over
their largest element for each method, and fails above 1e-5. A few sweeps are enough: whether the factors are good is not the
question here. Extents that the network leaves open are 1 (the first) and 224.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy
import onnx
import onnxruntime

ROOT = pathlib.Path(__file__).resolve().parent.parent
METHODS = (
    "tucker2-als,tucker2-als-sigma,cp-als,cp-als-sigma,greedy,greedy-sigma,ag-lra,spatial-svd,spatial-svd-sigma,svd,svd-sigma"
)
TOLERANCE = 1e-5


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("network")
    parser.add_argument("--sigma", required=True)
    parser.add_argument("--methods", default=METHODS)
    parser.add_argument("--ratio", default="0.8")
    parser.add_argument("--sweeps", default="2")
    parser.add_argument("--martlet", default=str(ROOT / ".build/release/martlet"))
    arguments = parser.parse_args()
    value = onnx.load(arguments.network).graph.input[0]
    shape = [axis.dim_value or (224 if index else 1) for index, axis in enumerate(value.type.tensor_type.shape.dim)]
    x = numpy.random.default_rng(0).standard_normal(shape).astype(numpy.float32)
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        numpy.save(folder / "x.npy", x)
        for method in arguments.methods.split(","):
            small = folder / "small.onnx"

            def martlet(*command):
                subprocess.run([arguments.martlet, *map(str, command)], check=True, stdout=subprocess.DEVNULL)

            martlet(
                "compress", arguments.network, "--sigma", arguments.sigma, "--method", method, "--vbmf-ratio",
                arguments.ratio, "--sweeps", arguments.sweeps, "-o", small)
            martlet("run", small, "--input", folder / "x.npy", "--output", folder / "y.npy")
            onnx.checker.check_model(str(small), full_check=True)
            session = onnxruntime.InferenceSession(str(small), providers=["CPUExecutionProvider"])
            expected = session.run(None, {session.get_inputs()[0].name: x})[0]
            found = numpy.load(folder / "y.npy")
            error = numpy.abs(found - expected).max() / numpy.abs(expected).max()
            failures += not error <= TOLERANCE
            print(f"{method:20} {error:8.1e}", flush=True)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
