#!/usr/bin/env python3
"""Quantize a network and what compression makes of it, and write the table of the paper's Appendix H beside ONNX Runtime's.

    tools/setup-python.sh test
    .venv-test/bin/python tools/quantization-table.py NETWORK.onnx --images DATA --data DATA [--labels CLASSES]
        [--preprocessing FILE] [--methods tucker2-als-sigma,cp-als-sigma] [--rates 1.25,1.5,1.75,2] [--limit 128]
        [--output FOLDER] [--table]

Sigma is gathered, ranges are found and ONNX Runtime is calibrated on the same images (--images, --limit of them), which must be
others than those of --data. Each row is the network as it is, or compressed by a method (the paper's recipe: VBMF's ranks at
the ratio that gives the rate of parameters), in FP32, FP16 and INT8. ONNX Runtime's INT8 is `quantize_static` on the same FP32
file: QDQ, uint8 activations by their least and largest number, int8 weights, one scale an output. DATA is a CSV of path and
label, a folder of class folders, or CIFAR records (.bin). What has been done is kept in FOLDER (.build/quantization) row by
row and not done again; --table only prints what is there.

FP32, FP16 and INT8 are run by Martlet; the last two columns by ONNX Runtime: Martlet's INT8 file, and its own, each as it is written,
node by node in floating point, which is the same on every processor.
"""

import argparse
import csv
import itertools
import json
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Images:
    """Prepared as a network's metadata say. Images that would have to be resized first are not for this script."""

    def __init__(self, path, labels, preprocessing, limit=None):
        self.path = pathlib.Path(path)
        self.preprocessing = preprocessing
        if preprocessing.get("resize"):
            raise SystemExit("this script crops and scales images, and leaves resizing to others")
        self.entries = list(self.records() if self.path.suffix == ".bin" else self.files(labels))
        if limit and limit < len(self.entries):
            # As `--limit` chooses: records from the beginning, lists and folders evenly.
            count = len(self.entries)
            indices = range(limit) if self.path.suffix == ".bin" else [i * count // limit for i in range(limit)]
            self.entries = [self.entries[i] for i in indices]

    def records(self):
        import numpy

        for record in numpy.fromfile(self.path, numpy.uint8).reshape(-1, 3073):
            yield record[1:].reshape(3, 32, 32), int(record[0])

    def files(self, labels):
        if self.path.suffix == ".csv":
            for name, label in csv.reader(self.path.open()):
                yield self.path.parent / name, int(label)
        else:
            order = [line.split()[0] for line in open(labels)]
            for file in sorted(self.path.glob("*/*")):
                yield file, order.index(file.parent.name)

    def __iter__(self):
        import numpy
        from PIL import Image

        p = self.preprocessing
        mean, std = (numpy.array(p.get(key, fallback), numpy.float32).reshape(-1, 1, 1) for key, fallback in
                     [("mean", [0.0]), ("std", [1.0])])
        for image, label in self.entries:
            if isinstance(image, pathlib.Path):
                image = numpy.asarray(Image.open(image).convert("RGB")).transpose(2, 0, 1)
            if crop := p.get("crop"):
                top, left = (image.shape[1] - crop["height"]) // 2, (image.shape[2] - crop["width"]) // 2
                image = image[:, top:top + crop["height"], left:left + crop["width"]]
            if p.get("channels") == "bgr":
                image = image[::-1]
            yield ((image.astype(numpy.float32) * p.get("scale", 1) - mean) / std)[None], label


def preprocessing_of(network):
    import onnx

    for entry in onnx.load(str(network), load_external_data=False).metadata_props:
        if entry.key == "martlet.preprocessing":
            return json.loads(entry.value)
    raise SystemExit(f"{network} does not say how its images are prepared")


def accuracy_in_onnx_runtime(network, images):
    import numpy
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # As the file is written, in floating point. Its kernels for integers saturate on processors without VNNI.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(network), options)
    name = session.get_inputs()[0].name
    entries = iter(images)
    right = total = 0
    while batch := list(itertools.islice(entries, 25)):
        scores = session.run(None, {name: numpy.concatenate([image for image, _ in batch])})[0]
        answers = scores.reshape(len(batch), -1).argmax(axis=1)
        right += sum(int(answer) == label for answer, (_, label) in zip(answers, batch))
        total += len(batch)
    return right / total


def quantize_with_onnx_runtime(network, images, output):
    from onnxruntime import quantization
    from onnxruntime.quantization import shape_inference

    class Reader(quantization.CalibrationDataReader):
        def __init__(self):
            self.images = iter(images)

        def get_next(self):
            entry = next(self.images, None)
            return None if entry is None else {"input": entry[0]}

    prepared = output.with_suffix(".prepared.onnx")
    shape_inference.quant_pre_process(str(network), str(prepared), skip_symbolic_shape=True)
    quantization.quantize_static(
        str(prepared), str(output), Reader(), quant_format=quantization.QuantFormat.QDQ, per_channel=True,
        activation_type=quantization.QuantType.QUInt8, weight_type=quantization.QuantType.QInt8,
    )
    prepared.unlink()


class Table:
    def __init__(self, arguments):
        self.a = arguments
        self.folder = pathlib.Path(arguments.output) / pathlib.Path(arguments.network).stem
        self.folder.mkdir(parents=True, exist_ok=True)

    def martlet(self, *command):
        result = subprocess.run([self.a.martlet, *map(str, command), "--json"], capture_output=True, text=True)
        if result.returncode:
            raise SystemExit(f"martlet {' '.join(map(str, command))}\n{result.stderr}")
        return json.loads(result.stdout)

    def preprocessing_flags(self):
        return ["--preprocessing", self.a.preprocessing] if self.a.preprocessing else []

    def calibration_flags(self):
        return ["--limit", self.a.limit]

    def evaluate(self, network, *flags):
        labels = ["--labels", self.a.labels] if self.a.labels else []
        return self.martlet("evaluate", network, self.a.data, *labels, *flags)["top1"]

    def network(self, method, rate):
        """The FP32 network of a row, and the flags that say how its images are prepared."""
        if not method:
            return self.a.network, self.preprocessing_flags(), 1.0
        sigma = self.folder / "sigma.safetensors"
        if not sigma.exists():
            self.martlet("sigma", self.a.network, self.a.images, "-o", sigma, *self.calibration_flags(),
                         *self.preprocessing_flags())
        path = self.folder / f"{method}-{rate}.onnx"
        bounded = ["--bounded"] if method.startswith("cp") else []
        report = self.martlet("compress", self.a.network, "--sigma", sigma, "--recipe", "paper", "--method", method, *bounded,
                              "--budget", f"params={1 / rate:.4f}", "-o", path)
        return path, [], report["parameters_before"] / report["parameters_after"]

    def row(self, method, rate):
        path = self.folder / f"{method or 'dense'}-{rate}.json"
        if path.exists() or self.a.table:
            return json.loads(path.read_text()) if path.exists() else None
        network, flags, reached = self.network(method, rate)
        half, integer, theirs = (path.with_suffix(f".{name}.onnx") for name in ["fp16", "int8", "onnxruntime"])
        self.martlet("quantize", network, "--precision", "fp16", "-o", half, *flags)
        report = self.martlet("quantize", network, "--precision", "int8", "--images", self.a.images,
                              *self.calibration_flags(), "-o", integer, *flags)
        preprocessing = preprocessing_of(integer)
        quantize_with_onnx_runtime(network, Images(self.a.images, self.a.labels, preprocessing, self.a.limit), theirs)
        data = Images(self.a.data, self.a.labels, preprocessing)
        size = pathlib.Path(network).stat().st_size
        result = {
            "method": method, "rate": reached, "images": len(data.entries),
            "fp32": self.evaluate(network, *flags), "fp16": self.evaluate(half), "int8": self.evaluate(integer),
            "int8_in_onnxruntime": accuracy_in_onnx_runtime(integer, data),
            "onnxruntime": accuracy_in_onnx_runtime(theirs, data),
            "fp16_bytes": half.stat().st_size / size, "int8_bytes": integer.stat().st_size / size,
            "layers": report["layers"],
        }
        # Whole or not at all: an interrupted run leaves nothing that looks finished.
        part = path.with_suffix(".part")
        part.write_text(json.dumps(result))
        part.replace(path)
        return result

    def print(self):
        rates = [float(rate) for rate in self.a.rates.split(",")]
        rows = [(None, 1)] + [(method, rate) for method in self.a.methods.split(",") if method for rate in rates]
        print("| method | rate | FP32 | FP16 | INT8 | INT8 in ONNX Runtime | ONNX Runtime's own INT8 | bytes FP16, INT8 |")
        print("|---|---|---|---|---|---|---|---|")
        for method, rate in rows:
            if row := self.row(method, rate):
                figures = " | ".join(
                    f"{100 * row[key]:.2f}" for key in ["fp32", "fp16", "int8", "int8_in_onnxruntime", "onnxruntime"])
                print(f"| {method or 'dense'} | {row['rate']:.2f} | {figures} | {row['fp16_bytes']:.3f}, "
                      f"{row['int8_bytes']:.3f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network")
    parser.add_argument("--images", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--labels")
    parser.add_argument("--preprocessing")
    parser.add_argument("--methods", default="tucker2-als-sigma,cp-als-sigma")
    parser.add_argument("--rates", default="1.25,1.5,1.75,2")
    parser.add_argument("--limit", type=int, default=128)
    parser.add_argument("--output", default=ROOT / ".build" / "quantization")
    parser.add_argument("--martlet", default=str(ROOT / ".build" / "release" / "martlet"))
    parser.add_argument("--table", action="store_true")
    Table(parser.parse_args()).print()


if __name__ == "__main__":
    main()
