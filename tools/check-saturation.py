#!/usr/bin/env python3
"""Print what engines make of an INT8 network on this processor: how many images each has right.

    tools/setup-python.sh peers
    .venv-peers/bin/python tools/check-saturation.py INT8.onnx... --data DATA [--labels CLASSES]

Without VNNI, products of bytes are added in pairs of 16 bits, which is exact only where two neighbouring weights are not both
large: else the sum saturates. The networks are Martlet's, which say how images are prepared; DATA is as
tools/quantization-table.py reads it. The last column is ONNX Runtime node by node in floating point: what the file says.
"""

import argparse
import importlib.util
import json
import pathlib
import subprocess

from peers.engines import PEERS
from peers.network import read

ROOT = pathlib.Path(__file__).resolve().parent.parent


def quantization_table():
    """tools/quantization-table.py, for how it prepares images."""
    spec = importlib.util.spec_from_file_location("table", ROOT / "tools/quantization-table.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def accuracy(run, images):
    answers = [int(run(image).argmax()) == label for image, label in images]
    return sum(answers) / len(answers)


def main():
    import numpy

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="+")
    parser.add_argument("--data", required=True)
    parser.add_argument("--labels")
    parser.add_argument("--martlet", default=str(ROOT / ".build/release/martlet"))
    a = parser.parse_args()
    table = quantization_table()
    print(f"{'network':40} {'Martlet':>8} {'ONNX Runtime':>13} {'OpenVINO':>9} {'as written':>11}")
    for network in a.networks:
        labels = ["--labels", a.labels] if a.labels else []
        result = subprocess.run([a.martlet, "evaluate", network, a.data, *labels, "--json"], capture_output=True, text=True)
        if result.returncode:
            raise SystemExit(result.stderr)
        data = table.Images(a.data, a.labels, table.preprocessing_of(network))
        images = [(numpy.ascontiguousarray(image), label) for image, label in data]
        row = [json.loads(result.stdout)["top1"]]
        for engine in (PEERS["onnxruntime"], PEERS["openvino"]):
            engine.load_library()
            row.append(accuracy(engine.open(network, read(network), 1, 1), images))
        row.append(table.accuracy_in_onnx_runtime(network, data))
        print("{:40} {:8.2f} {:13.2f} {:9.2f} {:11.2f}".format(pathlib.Path(network).name, *(100 * part for part in row)))


if __name__ == "__main__":
    main()
