#!/usr/bin/env python3
"""Compress a network with every method at several sizes, evaluate each result, and write the table for the documentation.

    tools/accuracy-table.py NETWORK.onnx --sigma FILE --data CSV_OR_FOLDER [--labels CLASSES] [--methods A,B] [--rates 1.25,1.5]
        [--preprocessing FILE] [--output FOLDER]

The sizes are rates of compression (parameters before over after). A method's VBMF ratio for a rate is found by bisection
over the parameter count alone, with zero sweeps, so no image that is evaluated on has a say. The images of --data must be
others than those of --sigma. What has been done is kept in FOLDER (.build/accuracy) and not done again. Prints Markdown:
top-1, its difference from the original, and the margin, half the width of the 95 % interval of that difference on the same
images, from how often the two networks agree. Images on which both are wrong in different ways count as if one were right,
so the margin is rather too wide than too narrow.
"""

import argparse
import json
import math
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
METHODS = (
    "tucker2-als,ag-lra,tucker2-als-sigma,spatial-svd,spatial-svd-sigma,cp-als,cp-als-sigma,greedy,greedy-sigma"
)
# SVD alone touches only 1x1 and fully connected layers; it is shown on top of Tucker-2, as in the paper's Appendix E.
HYBRIDS = {
    "tucker2-als + svd": ["--method", "tucker2-als", "--pointwise", "svd", "--linear", "svd"],
    "tucker2-als-sigma + svd-sigma": [
        "--method", "tucker2-als-sigma", "--pointwise", "svd-sigma", "--linear", "svd-sigma",
    ],
}


class Run:
    def __init__(self, arguments):
        self.arguments = arguments
        self.folder = pathlib.Path(arguments.output) / pathlib.Path(arguments.network).stem
        self.folder.mkdir(parents=True, exist_ok=True)

    def martlet(self, *command):
        result = subprocess.run([self.arguments.martlet, *command, "--json"], capture_output=True, text=True)
        if result.returncode:
            raise SystemExit(f"martlet {' '.join(command)}\n{result.stderr}")
        return json.loads(result.stdout)

    def evaluate(self, network, *options):
        a = self.arguments
        options = list(options) + (["--labels", a.labels] if a.labels else [])
        if network == a.network and a.preprocessing:
            options += ["--preprocessing", a.preprocessing]
        return self.martlet("evaluate", network, a.data, *options)

    def compress(self, method, ratio, output, *options):
        flags = HYBRIDS.get(method, ["--method", method])
        return self.martlet(
            "compress", self.arguments.network, "--sigma", self.arguments.sigma, *flags, "--vbmf-ratio", f"{ratio:.4f}",
            "-o", str(output), *options,
        )

    def rate(self, report):
        return report["parameters_before"] / report["parameters_after"]

    def ratio_for(self, method, rate):
        """The VBMF ratio that gives a rate. Ranks depend on form and ratio alone, so the Frobenius sibling stands in."""
        cheap = {"tucker2-als-sigma": "tucker2-als", "ag-lra": "tucker2-als", "cp-als-sigma": "cp-als"}
        cheap |= {"spatial-svd-sigma": "spatial-svd", "greedy": "cp-als", "greedy-sigma": "cp-als"}
        stand_in = cheap.get(method, method.replace("-sigma", ""))
        cache = self.folder / "ratios.json"
        known = json.loads(cache.read_text()) if cache.exists() else {}
        key = f"{stand_in}@{rate}"
        if key not in known:
            low, high = 0.0, 1.0
            for _ in range(7):
                middle = (low + high) / 2
                report = self.compress(stand_in, middle, self.folder / "probe.onnx", "--sweeps", "0")
                low, high = (middle, high) if self.rate(report) < rate else (low, middle)
            known[key] = (low + high) / 2
            cache.write_text(json.dumps(known))
        return known[key]

    def result(self, method, rate):
        path = self.folder / f"{method.replace(' ', '')}-{rate}.json"
        if path.exists():
            return json.loads(path.read_text())
        network = self.folder / "small.onnx"
        report = self.compress(method, self.ratio_for(method, rate), network)
        evaluation = self.evaluate(str(network), "--reference", self.arguments.network)
        layers = [layer for layer in report["layers"] if "kept" not in layer]
        result = {
            "rate": self.rate(report),
            "macs": report["macs_before"] / report["macs_after"],
            "sigma_error": sum(layer["sigma_error"] for layer in layers) / len(layers),
            "top1": evaluation["top1"],
            "agreement": evaluation["agreement"],
            "images": evaluation["images"],
        }
        path.write_text(json.dumps(result))
        return result


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("network")
    parser.add_argument("--sigma", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--labels")
    parser.add_argument("--preprocessing")
    parser.add_argument("--methods", default=METHODS)
    parser.add_argument("--hybrids", action="store_true", help="also Tucker-2 with SVD for 1x1 and fully connected layers")
    parser.add_argument("--rates", default="1.25,1.4,1.5,1.75")
    parser.add_argument("--output", default=str(ROOT / ".build/accuracy"))
    parser.add_argument("--martlet", default=str(ROOT / ".build/release/martlet"))
    run = Run(parser.parse_args())
    original = run.evaluate(run.arguments.network)
    images = original["images"]
    print(f"Original: {100 * original['top1']:.1f} % of {images} images.\n")
    print("| method | rate | MACs | mean Sigma error | top-1 | difference | margin |")
    print("|---|---|---|---|---|---|---|")
    methods = [name for name in run.arguments.methods.split(",") if name]
    for method in methods + (list(HYBRIDS) if run.arguments.hybrids else []):
        for rate in map(float, run.arguments.rates.split(",")):
            r = run.result(method, rate)
            if r["rate"] < 0.97 * rate:
                # VBMF's own ranks, ratio 1, are as small as it gets.
                print(f"| {method} | {rate:.2f}x is out of reach: {r['rate']:.2f}x at VBMF's ranks | | | | | |", flush=True)
                continue
            difference = r["top1"] - original["top1"]
            # Images on which the two say something else bound those on which one is right and the other wrong.
            margin = 1.96 * math.sqrt(max(0.0, (1 - r["agreement"]) - difference**2) / images)
            print(
                f"| {method} | {r['rate']:.2f}x | {r['macs']:.2f}x | {r['sigma_error']:.4f} | {100 * r['top1']:.1f} % "
                f"| {100 * difference:+.1f} | {100 * margin:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
