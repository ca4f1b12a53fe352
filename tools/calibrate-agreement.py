#!/usr/bin/env python3
"""Fit the line by which Martlet predicts how often a compressed network agrees with the original.

    tools/calibrate-agreement.py SWEEP.json...

Each file is a `sweep.json` of `martlet sweep`, one network a file, evaluated on images that nothing was calibrated on.
For each compressed network there are how often random changes of the expected size give another class, r, and the agreement
that was found. Fitted is log(d / (1 - d)) = a + b log(r / (1 - r)), d being the part of images on which the two disagree, with as
much weight for each network. The margin is that of 95 % of the points when the network that a point is of is left
out of the fit. Prints the constants for AgreementPrediction.swift and, for each network, how it would have been predicted
from the others alone.
"""

import json
import math
import pathlib
import sys


def points(path):
    result = []
    sweep = json.loads(pathlib.Path(path).read_text())
    for point in sweep["points"]:
        if point.get("predicted") and point.get("figures"):
            evaluation = point["figures"]["evaluation"]
            images = evaluation["images"]
            # Half an image more, so that perfect agreement has odds.
            d = ((1 - evaluation["agreement"]) * images + 0.5) / (images + 1)
            r = min(max(point["predicted"]["random_disagreement"], 1e-4), 1 - 1e-4)
            result.append((math.log(r / (1 - r)), math.log(d / (1 - d))))
    return result


def fit(groups):
    weights, xs, ys = [], [], []
    for group in groups:
        for x, y in group:
            weights.append(1 / len(group)), xs.append(x), ys.append(y)
    total = sum(weights)
    mx = sum(w * x for w, x in zip(weights, xs)) / total
    my = sum(w * y for w, y in zip(weights, ys)) / total
    slope = sum(w * (x - mx) * (y - my) for w, x, y in zip(weights, xs, ys)) / sum(
        w * (x - mx) ** 2 for w, x in zip(weights, xs)
    )
    return my - slope * mx, slope


def main():
    groups = {path: points(path) for path in sys.argv[1:]}
    groups = {path: group for path, group in groups.items() if group}
    if len(groups) < 2:
        raise SystemExit(__doc__)
    misses = []
    for path, group in groups.items():
        a, b = fit([other for name, other in groups.items() if name != path])
        own = [y - a - b * x for x, y in group]
        misses += own
        print(f"{path}: {len(group)} points, from the others alone off by {min(own):+.2f} to {max(own):+.2f}")
    a, b = fit(list(groups.values()))
    ordered = sorted(abs(miss) for miss in misses)
    margin = ordered[min(len(ordered) - 1, math.ceil(0.95 * len(ordered)) - 1)]
    print(f"intercept {a:.3f}, slope {b:.3f}, margin {margin:.3f} ({len(misses)} points)")


if __name__ == "__main__":
    main()
