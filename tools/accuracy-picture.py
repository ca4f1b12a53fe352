#!/usr/bin/env python3
"""Draw error and accuracy against compression, from what tools/accuracy-table.py left, as one SVG for each guide.

    tools/accuracy-picture.py FOLDER... [--output Sources/Martlet/Documentation.docc/Resources]

FOLDER is one network's, .build/accuracy/NETWORK. Each picture has a row for each network: on the left the mean Sigma error
of the layers (logarithmic), on the right top-1 with its margin. The methods of the guide are coloured, the default method
and its Frobenius sibling stand beside them in grey. Plain SVG of its own; colours follow the reader's light or dark setting.
"""

import argparse
import json
import math
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
PICTURES = {
    "accuracy-tucker": ["tucker2-als", "tucker2-als-sigma"],
    "accuracy-cp": ["cp-als", "cp-als-sigma", "greedy", "greedy-sigma"],
    "accuracy-matrices": ["spatial-svd", "spatial-svd-sigma", "ag-lra", "tucker2-als + svd", "tucker2-als-sigma + svd-sigma"],
}
COMPARED = ["tucker2-als", "tucker2-als-sigma"]
# Light, dark: told apart by lightness too, and by the marks.
COLOURS = [("#b3400e", "#f4a582"), ("#0b5fa5", "#7fb8ec"), ("#4d7a1f", "#a6d96a"), ("#7b3294", "#c9a3dc"), ("#6b5b00", "#e0cb5a")]
NAMES = {"resnet18-imagenet": "ResNet-18", "googlenet-imagenet": "GoogLeNet"}
WIDTH, HEIGHT, LEFT, TOP, GAP = 300, 190, 58, 34, 84


def results(folder):
    found = {}
    for path in sorted(pathlib.Path(folder).glob("*.json")):
        value = json.loads(path.read_text())
        if "method" in value:
            found.setdefault(value["method"], []).append(value)
    return {method: sorted(rows, key=lambda row: row["rate"]) for method, rows in found.items()}


def mark(kind, x, y):
    if kind % 3 == 0:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>'
    if kind % 3 == 1:
        return f'<rect x="{x - 3.2:.1f}" y="{y - 3.2:.1f}" width="6.4" height="6.4"/>'
    return f'<path d="M{x:.1f} {y - 4.2:.1f}l4 7h-8z"/>'


def panel(rows, methods, x0, y0, title, value, scale, ticks, label):
    """One diagram; `scale` maps a value to 0 (below) ... 1 (above)."""
    rates = [row["rate"] for method in rows for row in rows[method]]
    low, high = math.floor(min(rates) * 10) / 10, math.ceil(max(rates) * 10) / 10

    def at(rate, v):
        return x0 + (rate - low) / (high - low) * WIDTH, y0 + (1 - scale(v)) * HEIGHT

    parts = [f'<text class="title" x="{x0}" y="{y0 - 10}">{title}</text>']
    for tick in ticks:
        y = at(low, tick)[1]
        parts.append(f'<path class="grid" d="M{x0} {y:.1f}h{WIDTH}"/>')
        parts.append(f'<text x="{x0 - 6}" y="{y + 4:.1f}" text-anchor="end">{label(tick)}</text>')
    steps = round((high - low) * 10)
    for step in range(0, steps + 1, 2 if steps > 5 else 1):
        rate = low + step / 10
        parts.append(f'<text x="{at(rate, ticks[0])[0]:.1f}" y="{y0 + HEIGHT + 16}" text-anchor="middle">{rate:.1f}x</text>')
    for method, style in methods:
        points = [(*at(row["rate"], value(row)), row) for row in rows.get(method, [])]
        if not points:
            continue
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in points)
        parts.append(f'<g class="{style}"><polyline points="{line}"/>')
        for x, y, row in points:
            if value(row) == row["top1"]:
                ends = [at(0, max(0, row["top1"] + sign * row["margin"]))[1] for sign in (-1, 1)]
                parts.append(f'<path d="M{x:.1f} {ends[0]:.1f}V{ends[1]:.1f}"/>')
            parts.append(mark(int(style[1:]) if style[0] == "m" else 0, x, y))
        parts.append("</g>")
    return parts


def picture(networks, methods):
    shown = [method for method in methods if any(method in rows for _, rows, _ in networks)]
    styles = [(method, "grey") for method in COMPARED if method not in shown]
    styles += [(method, f"m{methods.index(method)}") for method in shown]
    width = LEFT + 2 * WIDTH + GAP + 20
    row_height = TOP + HEIGHT + 34
    legend = 20 * ((len(styles) + 1) // 2) + 10
    css = ["text{font:12px sans-serif;fill:#333}.title{font-weight:bold}.grid{stroke:#ccc;stroke-width:1}"]
    dark = ["text{fill:#ddd}.grid{stroke:#444}"]
    css.append("g{stroke-width:1.8}polyline{fill:none}.grey{stroke:#999;fill:#999}")
    dark.append(".grey{stroke:#888;fill:#888}")
    for index, (day, night) in enumerate(COLOURS):
        css.append(f".m{index}{{stroke:{day};fill:{day}}}")
        dark.append(f".m{index}{{stroke:{night};fill:{night}}}")
    height = len(networks) * row_height + legend
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">',
        f"<style>{''.join(css)}@media (prefers-color-scheme:dark){{{''.join(dark)}}}</style>",
        "<title>Mean Sigma error and top-1 against the rate of compression</title>",
    ]
    for index, (name, rows, original) in enumerate(networks):
        rows = {method: rows[method] for method, _ in styles if method in rows}
        y0 = TOP + index * row_height
        errors = [row["sigma_error"] for method in rows for row in rows[method]]
        low, high = math.floor(math.log10(min(errors))), math.ceil(math.log10(max(errors)))
        parts += panel(
            rows, styles, LEFT, y0, f"{name}: mean Sigma error", lambda row: row["sigma_error"],
            lambda v: (math.log10(v) - low) / (high - low), [10.0**e for e in range(low, high + 1)], lambda v: f"{v:g}")
        top = math.ceil(original * 10) / 10
        parts += panel(
            rows, styles, LEFT + WIDTH + GAP, y0, f"{name}: top-1 ({100 * original:.1f} % before)",
            lambda row: row["top1"], lambda v: v / top, [t / 10 for t in range(0, round(top * 10) + 1, 2)],
            lambda v: f"{100 * v:.0f} %")
    for index, (method, style) in enumerate(styles):
        x, y = LEFT + index % 2 * (WIDTH + GAP), len(networks) * row_height + 20 * (index // 2) + 8
        kind = int(style[1:]) if style[0] == "m" else 0
        parts.append(f'<g class="{style}"><path d="M{x} {y}h26"/>{mark(kind, x + 13, y)}</g>')
        parts.append(f'<text x="{x + 34}" y="{y + 4}">{method}</text>')
    return "\n".join(parts + ["</svg>", ""])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--output", default=str(ROOT / "Sources/Martlet/Documentation.docc/Resources"))
    arguments = parser.parse_args()
    networks = []
    for folder in map(pathlib.Path, arguments.folders):
        original = json.loads((folder / "original.json").read_text())["top1"]
        networks.append((NAMES.get(folder.name, folder.name), results(folder), original))
    output = pathlib.Path(arguments.output)
    output.mkdir(parents=True, exist_ok=True)
    for name, methods in PICTURES.items():
        if any(method in rows for _, rows, _ in networks for method in methods):
            (output / f"{name}.svg").write_text(picture(networks, methods))


if __name__ == "__main__":
    main()
