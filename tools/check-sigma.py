#!/usr/bin/env python3
"""Hold the Sigma that Martlet gathers to a reference: ONNX Runtime's layer inputs, unfolded and multiplied in double.

    tools/setup-python.sh test
    swift build -c release --product martlet
    .venv-test/bin/python tools/check-sigma.py NETWORK.onnx [--images 2] [--mean 0] [--scale 1/255]

Makes some images of smoothed noise, gathers Sigma from them with `martlet sigma`, and prints for every layer the relative
error of Sigma in the Frobenius norm, that of the mean, and the smallest eigenvalue of Sigma over its largest (for layers
of at most 1,200 dimensions). Part of the error is that the two runtimes' layer inputs differ by rounding. Fails above
1e-5.
"""

import argparse
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import zlib

import numpy
import onnx
import onnxruntime
from onnx import helper

ROOT = pathlib.Path(__file__).resolve().parent.parent


def read_safetensors(path):
    data = numpy.memmap(path, dtype=numpy.uint8, mode="r")
    length = struct.unpack("<Q", data[:8].tobytes())[0]
    header = json.loads(data[8 : 8 + length].tobytes())
    types = {"F64": numpy.float64, "I64": numpy.int64}
    for name, entry in header.items():
        if name != "__metadata__":
            start, end = (8 + length + offset for offset in entry["data_offsets"])
            yield name, data[start:end].view(types[entry["dtype"]]).reshape(entry["shape"])


def write_png(path, pixels):
    """Writes `[H, W, 3]` bytes."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def smoothed_noise(random, size):
    """Noise with some large structure in it, `[size, size, 3]` bytes."""
    image = random.random((size, size, 3)) * 60
    for coarse in (4, 16, 56):
        image += numpy.kron(random.random((size // coarse + 1, size // coarse + 1, 3)), numpy.ones((coarse, coarse, 1)))[
            :size, :size] * 65
    return image.clip(0, 255).astype(numpy.uint8)


def unfold(x, kernel, strides, pads, dilations):
    """`[C k k, outputs]` of `x` [C, H, W], in double."""
    x = numpy.pad(x.astype(numpy.float64), [(0, 0), (pads[0], pads[2]), (pads[1], pads[3])])
    outputs = [
        (x.shape[1 + axis] - dilations[axis] * (kernel[axis] - 1) - 1) // strides[axis] + 1 for axis in range(2)]
    rows = []
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            y, z = i * dilations[0], j * dilations[1]
            rows.append(
                x[:, y : y + (outputs[0] - 1) * strides[0] + 1 : strides[0],
                    z : z + (outputs[1] - 1) * strides[1] + 1 : strides[1]].reshape(x.shape[0], -1))
    return numpy.stack(rows, 1).reshape(x.shape[0] * len(rows), -1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network")
    parser.add_argument("--images", type=int, default=2)
    parser.add_argument("--mean", type=float, default=0.45)
    parser.add_argument("--std", type=float, default=0.225)
    parser.add_argument("--scale", type=float, default=1 / 255)
    parser.add_argument("--size", type=int, default=224)
    arguments = parser.parse_args()
    model = onnx.load(arguments.network)
    weights = {constant.name: list(constant.dims) for constant in model.graph.initializer}
    nodes = [
        node for node in model.graph.node
        if node.op_type in ("Conv", "Gemm") and len(node.input) > 1 and node.input[1] in weights]
    outputs = {output.name for output in model.graph.output}
    for name in {node.input[0] for node in nodes} - outputs - {model.graph.input[0].name}:
        model.graph.output.append(helper.make_empty_tensor_value_info(name))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    random = numpy.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "images").mkdir()
        inputs = []
        for index in range(arguments.images):
            image = smoothed_noise(random, arguments.size)
            write_png(folder / "images" / f"{index:03}.png", image)
            pixels = image.astype(numpy.float32) * numpy.float32(arguments.scale)
            inputs.append(((pixels - numpy.float32(arguments.mean)) / numpy.float32(arguments.std)).transpose(2, 0, 1))
        subprocess.run(
            [ROOT / ".build/release/martlet", "sigma", arguments.network, folder / "images", "-o", folder / "s", "--scale",
                str(arguments.scale), "--mean", str(arguments.mean), "--std", str(arguments.std)],
            check=True, capture_output=True)
        found = dict(read_safetensors(folder / "s"))
        names = [output.name for output in session.get_outputs()]
        values = [dict(zip(names, session.run(names, {session.get_inputs()[0].name: x[None]}))) for x in inputs]
        for value, x in zip(values, inputs):
            value[session.get_inputs()[0].name] = x[None]
        worst = 0
        for node in nodes:
            attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
            if attributes.get("group", 1) != 1:
                continue
            sigma = mean = count = 0
            for value in values:
                x = value[node.input[0]][0]
                if node.op_type == "Gemm":
                    u = x.astype(numpy.float64).reshape(-1, 1)
                else:
                    u = unfold(
                        x, weights[node.input[1]][2:], attributes.get("strides", [1, 1]),
                        attributes.get("pads", [0] * 4), attributes.get("dilations", [1, 1]))
                sigma, mean, count = sigma + u @ u.T, mean + u.sum(1), count + u.shape[1]
            size = sigma.shape[0]
            triangle = numpy.zeros((size, size))
            triangle[numpy.tril_indices(size)] = found[node.name + ".products"][0]
            whole = triangle + triangle.T - numpy.diag(numpy.diag(triangle))
            assert found[node.name + ".count"][0] == count, node.name
            error = numpy.linalg.norm(whole - sigma) / numpy.linalg.norm(sigma)
            mean_error = numpy.linalg.norm(found[node.name + ".sums"][0] - mean) / numpy.linalg.norm(mean)
            smallest = ""
            if size <= 1200:
                eigenvalues = numpy.linalg.eigvalsh(whole)
                smallest = f"{eigenvalues[0] / eigenvalues[-1]:9.1e}"
            print(f"{node.name:45} {size:5}  sigma {error:8.1e}  mean {mean_error:8.1e}  {smallest}", flush=True)
            worst = max(worst, error, mean_error)
    print(f"largest relative error {worst:.1e}")
    sys.exit(1 if worst > 1e-5 else 0)


if __name__ == "__main__":
    main()
