#!/usr/bin/env python3
"""Hold Martlet's decompositions in the Frobenius norm against TensorLy's, layer by layer.

    tools/setup-python.sh decompositions
    .venv-decompositions/bin/python tools/compare-tensorly.py NETWORK.onnx [--method tucker2-als|cp-als] [--ratio 0.5]
        [--martlet PATH] [--include PATTERN]

Martlet chooses the ranks (VBMF at the ratio); TensorLy gets the same: `partial_tucker` on the modes of outputs and inputs,
`parafac` on all four, both started from singular vectors and with TensorLy's own stopping rule. One line a layer: ranks,
both squared relative errors, their quotient, both times. TensorLy contracts by opt_einsum, one of its own backends: the
default one, which goes term by term, finds the same to the last digits and takes an hour where this takes a minute.
Exits with 1 if Martlet's error is larger anywhere.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np
import onnx
import tensorly
import tensorly.plugins
import tensorly.tenalg
from onnx import numpy_helper
from tensorly.decomposition import parafac, partial_tucker
from tensorly.tenalg import multi_mode_dot

ROOT = pathlib.Path(__file__).resolve().parent.parent


def kernels(path):
    model = onnx.load(path)
    if any(node.op_type == "BatchNormalization" for node in model.graph.node):
        sys.exit(f"{path}: fold BatchNormalization first, as Martlet does, or the kernels differ")
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    return {
        node.name: numpy_helper.to_array(weights[node.input[1]]).astype(np.float64)
        for node in model.graph.node
        if node.op_type == "Conv" and node.input[1] in weights
    }


def martlet(arguments):
    with tempfile.TemporaryDirectory() as folder:
        command = [arguments.martlet, "compress", arguments.network, "--method", arguments.method, "--json"]
        command += ["--vbmf-ratio", str(arguments.ratio), "-o", f"{folder}/small.onnx"]
        for pattern in arguments.include:
            command += ["--include", pattern]
        report = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [layer for layer in json.loads(report)["layers"] if "kept" not in layer]


def tensorly_error(kernel, layer, arguments):
    """The squared relative error."""
    if arguments.method == "tucker2-als":
        (core, factors), _ = partial_tucker(kernel, rank=layer["ranks"], modes=[0, 1], init="svd")
        approximation = multi_mode_dot(core, factors, modes=[0, 1])
    else:
        options = {"rank": layer["ranks"][0], "init": "svd", "random_state": 0}
        approximation = tensorly.cp_to_tensor(parafac(kernel, **options))
    return float(((kernel - approximation) ** 2).sum() / (kernel**2).sum())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("network")
    parser.add_argument("--method", default="tucker2-als", choices=["tucker2-als", "cp-als"])
    parser.add_argument("--ratio", type=float, default=0.5)
    parser.add_argument("--martlet", default=str(ROOT / ".build/release/martlet"))
    parser.add_argument("--include", action="append", default=[])
    arguments = parser.parse_args()
    tensorly.tenalg.set_backend("einsum")
    tensorly.plugins.use_opt_einsum("optimal")
    warnings.filterwarnings("ignore", message="Trying to compute SVD")
    named = kernels(arguments.network)
    worse, compared = 0, 0
    print(f"{'layer':50}{'kernel':>16}{'ranks':>12}{'Martlet':>11}{'TensorLy':>11}{'quotient':>10}{'seconds':>18}")
    for layer in martlet(arguments):
        kernel = named[layer["name"]]
        start = time.perf_counter()
        theirs = tensorly_error(kernel, layer, arguments)
        seconds = time.perf_counter() - start
        ours = layer["frobenius_error"]
        shape, ranks = "x".join(map(str, kernel.shape)), "x".join(map(str, layer["ranks"]))
        line = f"{layer['name']:50}{shape:>16}{ranks:>12}{ours:11.6f}"
        compared += 1
        # The kernel is read in single precision by both: the seventh digit is nobody's.
        worse += ours > theirs * (1 + 1e-6) + 1e-12
        print(f"{line}{theirs:11.6f}{ours / theirs:10.5f}{layer['seconds']:8.2f} {seconds:9.2f}", flush=True)
    print(f"{compared} layers compared, {worse} of them with a larger error than TensorLy's")
    sys.exit(1 if worse else 0)


if __name__ == "__main__":
    main()
