#!/usr/bin/env python3
"""Hold what layers' errors are expected to do against what they do, layer by layer.

    martlet compress NET --images DATA --budget params=0.5 --leave-one-out --json -o small.onnx > report.json
    martlet compress NET --images DATA --budget params=0.5 --weights gradients --json -o other.onnx > gradients.json
    tools/check-weights.py report.json[,gradients.json]...

The truth is how much less the outputs change (squared class scores; Kullback-Leibler divergence) when a layer alone is given back
to the compressed network, on the calibration images. Expected is weight times error, with the weights that each way of weighing
gives; those from statistics of gradients are in a report of their own, if there is one. Prints the rank correlation (Spearman) and that of the logarithms (Pearson) for each way: 1 would be perfect.
"""

import json
import math
import pathlib
import sys


def pearson(xs, ys):
    mx, my = sum(xs) / len(xs), sum(ys) / len(ys)
    sxy = sum((x - mx) * (y - my) for x, y in zip(xs, ys))
    sx, sy = sum((x - mx) ** 2 for x in xs), sum((y - my) ** 2 for y in ys)
    return sxy / math.sqrt(sx * sy) if sx * sy > 0 else float("nan")


def ranks(values):
    order = sorted(range(len(values)), key=lambda index: values[index])
    result = [0.0] * len(values)
    for rank, index in enumerate(order):
        result[index] = rank
    return result


def main():
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    for argument in sys.argv[1:]:
        path, _, other = argument.partition(",")
        report = json.loads(pathlib.Path(path).read_text())
        errors = {layer["name"]: layer["choice"]["error"] for layer in report["plan"]["layers"] if layer.get("choice")}
        effects = {effect["name"]: effect for effect in report["effects"]}
        truth = report["leaving_one_out"]
        names = [name for name in errors if name in truth["without"] and name in effects]

        def weight(name, metric):
            change = effects[name]["change"]
            if metric == "disagreement":
                effect = (change["images"] - change["agreed"] + 0.5) / (change["images"] + 1)
            else:
                effect = max(change[metric], 1e-9)
            return effect / max(effects[name]["candidate"]["error"], 1e-6)

        ways = {"equal": lambda name: 1.0}
        for label, metric in [("logits", "scoreError"), ("kl", "divergence"), ("disagreement", "disagreement")]:
            ways[label] = lambda name, metric=metric: weight(name, metric)
        if other:
            layers = json.loads(pathlib.Path(other).read_text())["plan"]["layers"]
            given = {layer["name"]: layer["weight"] for layer in layers}
            ways["gradients"] = given.__getitem__
        print(f"{path}: {len(names)} layers")
        for label, way in ways.items():
            expected = [way(name) * errors[name] for name in names]
            cells = []
            for metric in ["scoreError", "divergence"]:
                gains = [truth["whole"][metric] - truth["without"][name][metric] for name in names]
                positive = [(e, g) for e, g in zip(expected, gains) if g > 0]
                log = pearson([math.log(e) for e, _ in positive], [math.log(g) for _, g in positive])
                cells.append(f"{metric}: rank {pearson(ranks(expected), ranks(gains)):.2f}, log {log:.2f}")
            print(f"  {label:13} {'; '.join(cells)}")


if __name__ == "__main__":
    main()
