#!/usr/bin/env python3
"""Compress a network with every method at several sizes, evaluate each result, and write the table for the documentation.

    tools/accuracy-table.py NETWORK.onnx --sigma FILE --data CSV_OR_FOLDER [--gradients FILE] [--labels CLASSES] [--methods A,B]
        [--rates 1.25,1.5] [--preprocessing FILE] [--output FOLDER] [--table]

The sizes are rates of compression (parameters before over after). A method's VBMF ratio for a rate is found by bisection
over the parameter count alone, with zero sweeps, so no image that is evaluated on has a say. Where VBMF's own ranks are
not small enough, all of them are multiplied by one factor, found likewise. The images of --data must be others than those
of --sigma and --gradients, which `fw-lra` and `complete` (Tucker-2 in the complete norm) want. What has been done is kept in FOLDER (.build/accuracy) and not done again; --table only prints what is there.

Prints Markdown: top-1, its difference from the original, and the margin: half the width of the 95 % interval of that
difference, from the images on which one network is right and the other wrong. With `complete` and `tucker2-als-sigma` among
the methods, a second table has what the complete norm adds to the Sigma norm, likewise. tools/accuracy-picture.py draws the
same results.
"""

import argparse
import json
import math
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
METHODS = (
    "tucker2-als,ag-lra,tucker2-als-sigma,spatial-svd,spatial-svd-sigma,cp-als,cp-als-sigma,greedy,greedy-sigma"
)
GRADIENTS = {
    "fw-lra": ["--method", "fw-lra"],
    "complete": ["--method", "tucker2-als-sigma", "--norm", "complete"],
}
# SVD alone touches only 1x1 and fully connected layers; it is shown on top of Tucker-2, as in the paper's Appendix E.
HYBRIDS = {
    "tucker2-als + svd": ["--method", "tucker2-als", "--pointwise", "svd", "--linear", "svd"],
    "tucker2-als-sigma + svd-sigma": [
        "--method", "tucker2-als-sigma", "--pointwise", "svd-sigma", "--linear", "svd-sigma",
    ],
}


def paired(right, before):
    """How much more often the first is right, and half the width of the 95 % interval of that."""
    count = len(right)
    difference = (sum(right) - sum(before)) / count
    changed = sum(a != b for a, b in zip(right, before)) / count
    return difference, 1.96 * math.sqrt((changed - difference**2) / count)


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

    def evaluate(self, network):
        a = self.arguments
        options = ["--answers"] + (["--labels", a.labels] if a.labels else [])
        if network == a.network and a.preprocessing:
            options += ["--preprocessing", a.preprocessing]
        return self.martlet("evaluate", network, a.data, *options)

    def original(self):
        path = self.folder / "original.json"
        if not path.exists():
            self.write(path, self.evaluate(self.arguments.network))
        return json.loads(path.read_text())

    def write(self, path, value):
        """Whole or not at all: an interrupted run leaves nothing that looks finished."""
        part = path.with_suffix(".part")
        part.write_text(json.dumps(value))
        part.replace(path)

    def compress(self, method, output, *options):
        flags = (HYBRIDS | GRADIENTS).get(method, ["--method", method])
        if method in GRADIENTS:
            if not self.arguments.gradients:
                raise SystemExit(f"{method} wants --gradients, which `martlet gradients` writes")
            flags = flags + ["--gradients", self.arguments.gradients]
        return self.martlet("compress", self.arguments.network, *flags, "-o", str(output), *options)

    def rate(self, report):
        return report["parameters_before"] / report["parameters_after"]

    def bisect(self, stand_in, rate, low, high, falls, options):
        """The setting at which the rate is reached but for 0.5 %, by zero sweeps. `falls`: it falls as the setting grows."""
        for _ in range(8):
            middle = (low + high) / 2
            found = self.rate(self.compress(stand_in, self.folder / "probe.onnx", "--sweeps", "0", *options(middle)))
            if abs(found / rate - 1) < 0.005:
                return middle
            low, high = (middle, high) if (found < rate) != falls else (low, middle)
        return (low + high) / 2

    def ranks(self, full, factor):
        """A file of VBMF's ranks times a factor, for layers that it made smaller."""
        path = self.folder / "ranks.tmp.json"
        layers = [layer for layer in full["layers"] if "kept" not in layer]
        path.write_text(json.dumps({
            layer["name"]: [max(1, int(factor * rank)) for rank in layer["ranks"]] for layer in layers}))
        return ["--ranks", str(path)]

    def settings(self, method, rate):
        """The options that give a rate. Ranks depend on form and ratio alone, so the Frobenius sibling stands in."""
        cheap = {"tucker2-als-sigma": "tucker2-als", "ag-lra": "tucker2-als", "cp-als-sigma": "cp-als"}
        cheap |= {"fw-lra": "tucker2-als", "complete": "tucker2-als"}
        cheap |= {"spatial-svd-sigma": "spatial-svd", "greedy": "cp-als", "greedy-sigma": "cp-als"}
        cheap |= {"tucker2-als-sigma + svd-sigma": "tucker2-als + svd"}
        stand_in = cheap.get(method, method)
        cache = self.folder / "settings.json"
        known = json.loads(cache.read_text()) if cache.exists() else {}
        full = None
        if f"{stand_in}@vbmf" not in known:
            full = self.compress(stand_in, self.folder / "probe.onnx", "--sweeps", "0", "--vbmf-ratio", "1")
            known[f"{stand_in}@vbmf"] = full
            self.write(cache, known)
        full = known[f"{stand_in}@vbmf"]
        key = f"{stand_in}@{rate}"
        if key not in known:
            if self.rate(full) > rate:
                ratio = self.bisect(stand_in, rate, 0, 1, False, lambda ratio: ["--vbmf-ratio", f"{ratio:.4f}"])
                known[key] = {"ratio": ratio}
            else:
                factor = self.bisect(stand_in, rate, 0.1, 1, True, lambda factor: self.ranks(full, factor))
                known[key] = {"factor": factor}
            self.write(cache, known)
        if "factor" in known[key]:
            return self.ranks(full, known[key]["factor"])
        return ["--vbmf-ratio", f"{known[key]['ratio']:.4f}"]

    def path(self, method, rate):
        return self.folder / f"{method.replace(' ', '')}-{rate}.json"

    def result(self, method, rate):
        path = self.path(method, rate)
        if path.exists():
            return json.loads(path.read_text())
        network = self.folder / "small.onnx"
        report = self.compress(method, network, "--sigma", self.arguments.sigma, *self.settings(method, rate))
        evaluation = self.evaluate(str(network))
        layers = [layer for layer in report["layers"] if "kept" not in layer]
        original = self.original()
        right, before = (
            [answer == label for answer, label in zip(e["answers"], e["labels"])] for e in (evaluation, original))
        difference, margin = paired(right, before)
        result = {
            "method": method,
            "rate": self.rate(report),
            "macs": report["macs_before"] / report["macs_after"],
            "sigma_error": sum(layer["sigma_error"] for layer in layers) / len(layers),
            "seconds": sum(layer["seconds"] for layer in layers),
            "top1": evaluation["top1"],
            "difference": difference,
            "margin": margin,
            "images": len(right),
            "right": [int(value) for value in right],
        }
        self.write(path, result)
        return result


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("network")
    parser.add_argument("--sigma", required=True)
    parser.add_argument("--gradients")
    parser.add_argument("--data", required=True)
    parser.add_argument("--labels")
    parser.add_argument("--preprocessing")
    parser.add_argument("--methods", default=METHODS)
    parser.add_argument("--hybrids", action="store_true", help="also Tucker-2 with SVD for 1x1 and fully connected layers")
    parser.add_argument("--rates", default="1.25,1.5,1.75,2")
    parser.add_argument("--output", default=str(ROOT / ".build/accuracy"))
    parser.add_argument("--martlet", default=str(ROOT / ".build/release/martlet"))
    parser.add_argument("--table", action="store_true", help="print what has been done; do nothing more")
    arguments = parser.parse_args()
    run = Run(arguments)
    original = run.original()
    print(f"Original: {100 * original['top1']:.1f} % of {original['images']} images.\n")
    print("| method | rate | MACs | mean Sigma error | top-1 | difference | margin |")
    print("|---|---|---|---|---|---|---|")
    methods = [name for name in arguments.methods.split(",") if name]
    for method in methods + (list(HYBRIDS) if arguments.hybrids else []):
        for rate in map(float, arguments.rates.split(",")):
            if arguments.table and not run.path(method, rate).exists():
                print(f"{method} at {rate}x has not been done", file=sys.stderr)
                continue
            r = run.result(method, rate)
            print(
                f"| {method} | {r['rate']:.2f}x | {r['macs']:.2f}x | {r['sigma_error']:.4f} | {100 * r['top1']:.1f} % "
                f"| {100 * r['difference']:+.1f} | {100 * r['margin']:.1f} |",
                flush=True,
            )
    if {"complete", "tucker2-als-sigma"} <= set(methods):
        print("\n| rate | Sigma norm | complete norm | difference | margin |\n|---|---|---|---|---|")
        for rate in map(float, arguments.rates.split(",")):
            if all(run.path(method, rate).exists() for method in ("complete", "tucker2-als-sigma")):
                first, second = run.result("tucker2-als-sigma", rate), run.result("complete", rate)
                if not all("right" in result for result in (first, second)):
                    print(f"at {rate}x a result is older than this table; remove its file", file=sys.stderr)
                    continue
                difference, margin = paired(second["right"], first["right"])
                print(
                    f"| {first['rate']:.2f}x | {100 * first['top1']:.1f} % | {100 * second['top1']:.1f} % "
                    f"| {100 * difference:+.1f} | {100 * margin:.1f} |"
                )


if __name__ == "__main__":
    main()
