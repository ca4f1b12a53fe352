#!/usr/bin/env python3
"""Compare the gradients of a network's loss by its parameters with PyTorch's, tensor by tensor.

    swift build -c release --product martlet && tools/setup-python.sh peers
    .venv-peers/bin/python tools/check-gradients.py NETWORK.onnx... [--batches 5]

Batches of noise with random labels. PyTorch computes in single and in double precision; an error is the largest
difference in a tensor from the latter, relative to the largest element of it.

A ReLU or a maximum whose arguments all but tie falls to the other side now and then, in either framework, and takes a
pixel's gradient with it; a late layer's flip is seen in all tensors before it. A mistake shows in every batch, a flip does
not: what must not exceed the limit is the smallest error over the batches, of each tensor. Median and largest are
printed beside it, and PyTorch's own in single precision.
"""

import argparse
import json
import pathlib
import statistics
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


def check_batch(path, seed, arguments):
    """The errors of Martlet and of PyTorch in single precision, by tensor, on one batch."""
    random = np.random.default_rng(seed)
    x = random.standard_normal([arguments.images, *extents(path)]).astype(np.float32)
    labels = random.integers(0, 10, arguments.images)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        np.save(folder / "x.npy", x)
        np.save(folder / "labels.npy", labels)
        subprocess.run(
            [arguments.martlet, "differentiate", path, "--input", folder / "x.npy", "--labels", folder / "labels.npy",
             "-o", folder / "gradients.safetensors"],
            check=True, stdout=subprocess.DEVNULL,
        )
        found = read_safetensors(folder / "gradients.safetensors")
    exact = gradients(path, x, labels, torch.float64)
    single = gradients(path, x, labels, torch.float32)
    if set(found) != set(exact):
        sys.exit(f"{path}: other parameters: {sorted(set(found) ^ set(exact))}")
    return {name: (difference(found[name], exact[name]), difference(single[name], exact[name])) for name in exact}


def check(path, arguments):
    batches = [check_batch(path, seed, arguments) for seed in range(arguments.batches)]
    kinds = {"least": min, "median": statistics.median, "most": max}

    def errors(side, kind):
        return {name: kinds[kind](batch[name][side] for batch in batches) for name in batches[0]}

    ours = errors(0, "least")
    worst = max(ours, key=ours.get)
    print(f"{path.name}: {len(ours)} tensors, {len(batches)} batches, worst tensor {worst}")
    for side, framework in ((0, "Martlet"), (1, "PyTorch")):
        texts = (f"{kind} {max(errors(side, kind).values()):.1e}" for kind in kinds)
        print(f"  {framework}: {', '.join(texts)}", flush=True)
    if arguments.all:
        for name, error in ours.items():
            print(f"  {name}: {error:.1e}")
    return ours[worst] <= arguments.limit


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", type=pathlib.Path, nargs="+")
    parser.add_argument("--images", type=int, default=2, help="of a batch")
    parser.add_argument("--batches", type=int, default=5)
    parser.add_argument("--limit", type=float, default=1e-4)
    parser.add_argument("--all", action="store_true", help="list every tensor")
    parser.add_argument("--martlet", type=pathlib.Path, default=ROOT / ".build" / "release" / "martlet")
    arguments = parser.parse_args()
    results = [check(path, arguments) for path in arguments.networks]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
