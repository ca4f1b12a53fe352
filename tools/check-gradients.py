#!/usr/bin/env python3
"""Compare the gradients of a network's loss by its parameters with PyTorch's, tensor by tensor.

    swift build -c release --product martlet && tools/setup-python.sh peers
    .venv-peers/bin/python tools/check-gradients.py NETWORK.onnx... [--images 4]

A batch of noise with random labels. PyTorch computes in single and in double precision; an error is the largest
difference in a tensor from the latter, relative to the largest element of it. Fails if Martlet's error exceeds the limit.
"""

import argparse
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import torch
from torch.nn import functional as F

from onnx_in_torch import Network

ROOT = pathlib.Path(__file__).resolve().parent.parent


def read_safetensors(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    return {
        name: np.frombuffer(data[8 + length :], np.float32, -1 if not entry["shape"] else int(np.prod(entry["shape"])),
                            entry["data_offsets"][0]).reshape(entry["shape"])
        for name, entry in header.items()
        if name != "__metadata__"
    }


def extents(path):
    value = onnx.load(str(path), load_external_data=False).graph.input[0]
    sizes = [dimension.dim_value for dimension in value.type.tensor_type.shape.dim[1:]]
    return [size or default for size, default in zip(sizes, (3, 224, 224))]


def gradients(path, x, labels, dtype):
    network = Network(path)
    network.parameters = {
        name: leaf.detach().to(dtype).requires_grad_() for name, leaf in network.parameters.items()
    }
    network.constants = {
        name: value.astype(np.float64) if dtype == torch.float64 and value.dtype == np.float32 else value
        for name, value in network.constants.items()
    }
    F.cross_entropy(network(torch.from_numpy(x).to(dtype)), torch.from_numpy(labels)).backward()
    return {name: leaf.grad.numpy() for name, leaf in network.parameters.items()}


def difference(found, expected):
    return float(np.abs(found - expected).max() / max(np.abs(expected).max(), 1e-30))


def check(path, arguments):
    random = np.random.default_rng(arguments.seed)
    x = random.standard_normal([arguments.images, *extents(path)]).astype(np.float32)
    labels = random.integers(0, 10, arguments.images)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        np.save(folder / "x.npy", x)
        np.save(folder / "labels.npy", labels)
        subprocess.run(
            [arguments.martlet, "gradient", path, "--input", folder / "x.npy", "--labels", folder / "labels.npy",
             "-o", folder / "gradients.safetensors"],
            check=True, stdout=subprocess.DEVNULL,
        )
        found = read_safetensors(folder / "gradients.safetensors")
    exact = gradients(path, x, labels, torch.float64)
    single = gradients(path, x, labels, torch.float32)
    if set(found) != set(exact):
        sys.exit(f"{path}: other parameters: {sorted(set(found) ^ set(exact))}")
    errors = {name: difference(found[name], exact[name]) for name in exact}
    theirs = max(difference(single[name], exact[name]) for name in exact)
    worst = max(errors, key=errors.get)
    print(f"{path.name}: {len(errors)} tensors, largest error {errors[worst]:.1e} ({worst}), PyTorch's own {theirs:.1e}")
    if arguments.all:
        for name, error in errors.items():
            print(f"  {name}: {error:.1e} (PyTorch {difference(single[name], exact[name]):.1e})")
    return errors[worst] <= arguments.limit


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", type=pathlib.Path, nargs="+")
    parser.add_argument("--images", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=float, default=1e-4)
    parser.add_argument("--all", action="store_true", help="list every tensor")
    parser.add_argument("--martlet", type=pathlib.Path, default=ROOT / ".build" / "release" / "martlet")
    arguments = parser.parse_args()
    results = [check(path, arguments) for path in arguments.networks]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
