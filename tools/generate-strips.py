#!/usr/bin/env python3
"""Write the unrolled inner loops of `convolveRows` and `depthwiseRows`.

    tools/generate-strips.py            # write *Strips+*.generated.swift of Sources/MartletKernelsBaseline/Blocked
    tools/generate-strips.py --check    # fail if the committed files differ from what would be written

A strip is a few output pixels of one or two output vectors. Its pixels x vectors sums are named variables, so that each
stays in a register from the first product to the last: an array of them would live in memory. Strips of an even number
of pixels are two runs of neighbours from two base pointers, which lets two short rows share the loads of the weights;
strips of an odd number are one run. How many pixels fit follows from the registers, which hold pixels x vectors sums,
the weights of one lane and one input.

A convolution multiplies one channel of a pixel with a vector of weights, a depthwise one a vector of channels.
"""

import argparse
import pathlib
import sys

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "Sources/MartletKernelsBaseline/Blocked"
LINE_LENGTH = 120 - 4  # as in .swift-format, within `#if`

# Condition, and the longest run by the number of vectors: the widest strip is two of these.
SETS = {
    "AVX512": ("MARTLET_AVX512", {2: 7, 1: 7}),  # 32 registers
    "AVX2": ("MARTLET_AVX2", {2: 3, 1: 5}),  # 16 registers
    "Baseline": ("!MARTLET_AVX512 && !MARTLET_AVX2", {2: 3, 1: 4}),  # 16 registers, some of them for products
}

CONVOLUTION = [
    ("input0", "UnsafePointer<Float>"),
    ("input1", "UnsafePointer<Float>"),
    ("step", "Int"),
    ("offsets", "UnsafePointer<Int>"),
    ("offsetCount", "Int"),
    ("lanes", "Int"),
    ("weights", "UnsafePointer<Float>"),
    ("ahead", "Int"),
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
# One vector, one lane at each offset, which is the whole vector.
DEPTHWISE = [pair for pair in CONVOLUTION if pair[0] not in ("lanes", "ahead", "residualBlockStep", "outputBlockStep")]


def strips(run):
    """Pixels of each strip, even ones first, each from the widest."""
    return [*range(2 * run, 0, -2), *(pixels for pixels in range(run, 0, -1) if pixels % 2 == 1)]


def name(kind, pixels, vectors):
    return f"depthwiseStrip{pixels}" if kind is DEPTHWISE else f"convolveStrip{pixels}x{vectors}"


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


def parameters(kind, indent):
    return wrapped([f"_ {parameter}: {swift_type}" for parameter, swift_type in kind], indent)


def vectors_further(count):
    return ["", " + Vector.scalarCount"][count] if count < 2 else f" + {count} * Vector.scalarCount"


def strip(kind, pixels, vectors):
    runs = 2 if pixels % 2 == 0 else 1
    length = pixels // runs
    places = [(p, p // length, p % length) for p in range(pixels)]  # pixel, its run, its place there
    both = range(vectors)
    out = [f"@inline(never) private func {name(kind, pixels, vectors)}(", parameters(kind, "    "), ") {"]
    for v in both:
        out.append(f"    let bias{v} = load(bias{vectors_further(v)})")
    for p, _, _ in places:
        for v in both:
            out.append(f"    var sum{p}v{v} = bias{v}")
    out.append("    var weights = weights")
    out.append("    var i = 0")
    out.append("    while i < offsetCount {")

    def products(pixel, indent):
        for v in both:
            out.append(f"{indent}let w{v} = load(weights{vectors_further(v)})")
        for p, r, k in places:
            out.append(f"{indent}let pixel{p} = {pixel(r, k)}")
            for v in both:
                out.append(f"{indent}sum{p}v{v} = multiplyAdd(sum{p}v{v}, pixel{p}, w{v})")
        if kind is CONVOLUTION:
            for v in both:
                out.append(f"{indent}martlet_prefetch(weights + ahead{vectors_further(v)})")
        out.append(f"{indent}weights += {'2 * ' if vectors == 2 else ''}Vector.scalarCount")

    if kind is DEPTHWISE:
        for r in range(runs):
            out.append(f"        let x{r} = input{r} + offsets[i]")
        products(lambda r, k: f"load(x{r}{['', ' + step'][k] if k < 2 else f' + {k} * step'})", " " * 8)
    else:
        for r in range(runs):
            out.append(f"        var x{r} = input{r} + offsets[i]")
        # Not unrolled over the lanes: a wide strip's products hide the loop's own few instructions.
        out.append("        var lane = 0")
        out.append("        while lane < lanes {")
        products(lambda r, k: f"Vector(repeating: x{r}[{['0', 'step'][k] if k < 2 else f'{k} * step'}])", " " * 12)
        for r in range(runs):
            out.append(f"            x{r} += 1")
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


def dispatch(kind, run):
    """The function that chooses the strip."""
    if kind is DEPTHWISE:
        out = ["/// Calls the strip of `pixels` pixels, which must be one of those below."]
        out += ["@inline(__always) func depthwiseStrip(", "    pixels: Int,"]
    else:
        out = ["/// Calls the strip of `pixels` pixels, which must be one of those below, and `vectors` vectors."]
        out += ["@inline(__always) func convolveStrip(", "    pixels: Int, vectors: Int,"]
    out += [parameters(kind, "    "), ") {"]

    def choose(vectors, indent):
        out.append(f"{indent}switch pixels {{")
        for pixels in sorted(strips(run[vectors]), reverse=True):
            out.append(f"{indent}case {pixels}:" if pixels > 1 else f"{indent}default:")
            out.append(f"{indent}    {name(kind, pixels, vectors)}(")
            out.append(wrapped([parameter for parameter, _ in kind], indent + " " * 8) + ")")
        out.append(f"{indent}}}")

    if kind is DEPTHWISE:
        choose(1, "    ")
    else:
        out.append("    if vectors == 2 {")
        choose(2, " " * 8)
        out.append("    } else {")
        choose(1, " " * 8)
        out.append("    }")
    return [*out, "}"]


def file(kind, key):
    condition, run = SETS[key]
    lines = dispatch(kind, run)
    if kind is DEPTHWISE:
        rows, run = "depthwiseRows", {1: run[1]}
    else:
        rows = "convolveRows"
        lines = [
            "/// The longest run of pixels of a strip; the widest strip is two of them.",
            "@inline(__always) func longestRun(vectors: Int) -> Int {",
            f"    vectors == 2 ? {run[2]} : {run[1]}" if run[1] != run[2] else f"    {run[1]}",
            "}",
            "",
            *lines,
        ]
    for vectors, length in run.items():
        for pixels in strips(length):
            lines += ["", *strip(kind, pixels, vectors)]
    body = "\n".join(lines).split("\n")
    return "\n".join(
        [
            "// Generated by tools/generate-strips.py; do not edit.",
            "",
            f"// The arguments of a strip are those of `{rows}`, the pointers once for each of its two runs.",
            "",
            *(["import CMartletIntrinsics", ""] if kind is CONVOLUTION else []),
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
        for kind, prefix in ((CONVOLUTION, "Convolution"), (DEPTHWISE, "Depthwise")):
            path = FOLDER / f"{prefix}Strips+{key}.generated.swift"
            text = file(kind, key)
            if not check:
                path.write_text(text, encoding="utf-8")
            elif not path.exists() or path.read_text(encoding="utf-8") != text:
                print(f"{path.name} is not what tools/generate-strips.py writes", file=sys.stderr)
                stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
