#!/usr/bin/env python3
"""Write the unrolled inner loops of `convolveRows`.

    tools/generate-strips.py            # write Sources/MartletKernelsBaseline/Blocked/ConvolutionStrips+*.generated.swift
    tools/generate-strips.py --check    # fail if the committed files differ from what would be written

A strip is a few output pixels of one or two output vectors. Its pixels x vectors sums are named variables, so that each
stays in a register from the first product to the last: an array of them would live in memory. Strips of an even number
of pixels are two runs of neighbours from two base pointers, which lets two short rows share the loads of the weights;
strips of an odd number are one run. How many pixels fit follows from the registers, which hold pixels x vectors sums,
the weights of one lane and one input.
"""

import argparse
import pathlib
import sys

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "Sources/MartletKernelsBaseline/Blocked"
LINE_LENGTH = 120  # as in .swift-format

# Condition, and the longest run for one and for two vectors: the widest strip is two of these.
SETS = {
    "AVX512": ("MARTLET_AVX512", {1: 7, 2: 7}),  # 32 registers
    "AVX2": ("MARTLET_AVX2", {1: 6, 2: 3}),  # 16 registers
    "Baseline": ("!MARTLET_AVX512 && !MARTLET_AVX2", {1: 4, 2: 2}),  # 16 registers, some of them for products
}

PARAMETERS = [
    ("input0", "UnsafePointer<Float>"),
    ("input1", "UnsafePointer<Float>"),
    ("step", "Int"),
    ("offsets", "UnsafePointer<Int>"),
    ("offsetCount", "Int"),
    ("lanes", "Int"),
    ("weights", "UnsafePointer<Float>"),
    ("bias", "UnsafePointer<Float>"),
    ("residual0", "UnsafePointer<Float>?"),
    ("residual1", "UnsafePointer<Float>?"),
    ("residualBlockStep", "Int"),
    ("output0", "UnsafeMutablePointer<Float>"),
    ("output1", "UnsafeMutablePointer<Float>"),
    ("outputBlockStep", "Int"),
    ("minimum", "Float"),
    ("maximum", "Float"),
]


def strips(run):
    """Pixels of each strip, even ones first, each from the widest."""
    return [*range(2 * run, 0, -2), *(pixels for pixels in range(run, 0, -1) if pixels % 2 == 1)]


def name(pixels, vectors):
    return f"convolveStrip{pixels}x{vectors}"


def wrapped(pieces, indent):
    """The pieces, comma-separated, in lines as long as the formatter allows."""
    lines = [""]
    for piece in pieces:
        text = f"{lines[-1]}, {piece}" if lines[-1] else piece
        if lines[-1] and len(indent + text + ",") > LINE_LENGTH:
            lines[-1] += ","
            lines.append(piece)
        else:
            lines[-1] = text
    return "\n".join(indent + line for line in lines)


def parameters(indent):
    return wrapped([f"_ {parameter}: {kind}" for parameter, kind in PARAMETERS], indent)


def vectors_further(count):
    return ["", " + Vector.scalarCount"][count] if count < 2 else f" + {count} * Vector.scalarCount"


def strip(pixels, vectors):
    runs = 2 if pixels % 2 == 0 else 1
    length = pixels // runs
    places = [(p, p // length, p % length) for p in range(pixels)]  # pixel, its run, its place there
    both = range(vectors)
    out = [f"@inline(never) private func {name(pixels, vectors)}(", parameters("    "), ") {"]
    for v in both:
        out.append(f"    let bias{v} = load(bias{vectors_further(v)})")
    for p, _, _ in places:
        for v in both:
            out.append(f"    var sum{p}v{v} = bias{v}")
    out.append("    var weights = weights")
    out.append("    var i = 0")
    out.append("    while i < offsetCount {")
    for r in range(runs):
        out.append(f"        var x{r} = input{r} + offsets[i]")
    # Not unrolled over the lanes: a wide strip's products hide the loop's own few instructions.
    out.append("        var lane = 0")
    out.append("        while lane < lanes {")
    for v in both:
        out.append(f"            let w{v} = load(weights{vectors_further(v)})")
    for p, r, k in places:
        index = {0: "0", 1: "step"}.get(k, f"{k} * step")
        out.append(f"            let pixel{p} = Vector(repeating: x{r}[{index}])")
        for v in both:
            out.append(f"            sum{p}v{v} = multiplyAdd(sum{p}v{v}, pixel{p}, w{v})")
    for r in range(runs):
        out.append(f"            x{r} += 1")
    out.append(f"            weights += {'2 * ' if vectors == 2 else ''}Vector.scalarCount")
    out.append("            lane += 1")
    out.append("        }")
    out.append("        i += 1")
    out.append("    }")
    out.append("    if let residual0, let residual1 {" if runs == 2 else "    if let residual0 {")
    for p, r, k in places:
        for v in both:
            block = " + residualBlockStep" if v else ""
            out.append(f"        sum{p}v{v} += load(residual{r}{block}{vectors_further(k)})")
    out.append("    }")
    for p, r, k in places:
        for v in both:
            block = " + outputBlockStep" if v else ""
            out.append(f"    store(clamp(sum{p}v{v}, minimum, maximum), to: output{r}{block}{vectors_further(k)})")
    out.append("}")
    return out


def dispatch(run):
    out = [
        "/// Calls the strip of `pixels` pixels, which must be one of those below, and `vectors` vectors.",
        "@inline(__always) func convolveStrip(",
        "    pixels: Int, vectors: Int,",
        parameters("    "),
        ") {",
        "    if vectors == 2 {",
    ]
    for vectors in (2, 1):
        out.append("        switch pixels {")
        for pixels in sorted(strips(run[vectors]), reverse=True):
            out.append(f"        case {pixels}:" if pixels > 1 else "        default:")
            out.append(f"            {name(pixels, vectors)}(")
            out.append(wrapped([parameter for parameter, _ in PARAMETERS], " " * 16) + ")")
        out.append("        }")
        out.append("    } else {" if vectors == 2 else "    }")
    out.append("}")
    return out


def file(key):
    condition, run = SETS[key]
    lines = [
        "/// The longest run of pixels of a strip; the widest strip is two of them.",
        "@inline(__always) func longestRun(vectors: Int) -> Int {",
        f"    vectors == 2 ? {run[2]} : {run[1]}" if run[1] != run[2] else f"    {run[1]}",
        "}",
        "",
        *dispatch(run),
    ]
    for vectors in (2, 1):
        for pixels in strips(run[vectors]):
            lines += ["", *strip(pixels, vectors)]
    body = "\n".join(lines).split("\n")
    return "\n".join(
        [
            "// Generated by tools/generate-strips.py; do not edit.",
            "",
            "// The arguments of a strip are those of `convolveRows`, the pointers once for each of its two runs.",
            "",
            f"#if {condition}",
            *("    " + line if line else "" for line in body),
            "#endif",
            "",
        ]
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the committed files instead of writing")
    check = parser.parse_args().check
    stale = 0
    for key in SETS:
        path = FOLDER / f"ConvolutionStrips+{key}.generated.swift"
        text = file(key)
        if not check:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            print(f"{path.name} is not what tools/generate-strips.py writes", file=sys.stderr)
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
