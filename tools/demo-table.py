#!/usr/bin/env python3
"""Print the demonstration's table from the JSON that `martlet evaluate` and `martlet inspect` wrote.

    tools/demo-table.py FOLDER RATIO...

`tools/demo.sh` calls it. FOLDER holds NAME.evaluation.json and NAME.inspection.json for `original` and for
METHOD-RATIO. Both methods get their ranks from the weights alone, so at one VBMF ratio their networks have the same
size; a difference would make the row meaningless and is an error.
"""

import json
import pathlib
import sys

FROBENIUS = "tucker2-als"
SIGMA = "tucker2-als-sigma"


def figures(folder, name):
    evaluation = json.loads((folder / f"{name}.evaluation.json").read_text())
    inspection = json.loads((folder / f"{name}.inspection.json").read_text())
    return {
        "top1": 100 * evaluation["top1"],
        "interval": [100 * bound for bound in evaluation["top1_interval"]],
        "images": evaluation["images"],
        "parameters": inspection["parameters"],
        "macs": inspection["macs"],
    }


def row(*cells):
    widths = (10, 12, 8, 12, 12, 12)
    return "  ".join(str(cell).rjust(width) for cell, width in zip(cells, widths, strict=True))


def main():
    folder = pathlib.Path(sys.argv[1])
    original = figures(folder, "original")
    print(row("VBMF ratio", "parameters", "ratio", "MACs", "Frobenius", "Sigma"))
    top1 = f"{original['top1']:.2f} %"
    print(row("original", f"{original['parameters']:,}", "1.00x", f"{original['macs']:,}", top1, top1))
    for ratio in sys.argv[2:]:
        frobenius = figures(folder, f"{FROBENIUS}-{ratio}")
        sigma = figures(folder, f"{SIGMA}-{ratio}")
        for key in ("parameters", "macs", "images"):
            if frobenius[key] != sigma[key]:
                raise SystemExit(f"at VBMF ratio {ratio} the two methods differ in {key}: {frobenius} and {sigma}")
        times = original["parameters"] / sigma["parameters"]
        print(
            row(
                ratio,
                f"{sigma['parameters']:,}",
                f"{times:.2f}x",
                f"{sigma['macs']:,}",
                f"{frobenius['top1']:.2f} %",
                f"{sigma['top1']:.2f} %",
            )
        )
    low, high = original["interval"]
    print(f"{original['images']:,} images; 95 % interval of the original: {low:.2f} to {high:.2f} %")


if __name__ == "__main__":
    main()
