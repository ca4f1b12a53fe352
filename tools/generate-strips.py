#!/usr/bin/env python3
"""Write the unrolled inner loops of `convolveRows`, `depthwiseRows` and their siblings on bytes.

    tools/generate-strips.py            # write *Strips+*.generated.swift of Sources/MartletKernelsBaseline
    tools/generate-strips.py --check    # fail if the committed files differ from what would be written

A strip is a few output pixels of one or two output vectors. Its pixels x vectors sums are named variables, so that each
stays in a register from the first product to the last: an array of them would live in memory. Strips of an even number
of pixels are two runs of neighbours from two base pointers, which lets two short rows share the loads of the weights;
strips of an odd number are one run. How many pixels fit follows from the registers, which hold pixels x vectors sums,
the weights of one lane and one input.

Strips of one shape that follow each other, a series, are one call: of few input channels, choosing and calling a strip takes a
good part of the time of its products.

A convolution multiplies one channel of a pixel with a vector of weights, a depthwise one a vector of channels. On bytes a
convolution multiplies four channels at once: with one instruction where there is one for it (VNNI), with three where
products of bytes are summed in 16 bits first, or else in pairs of 16 bits, the first and third channel before the others.
"""

import argparse
import pathlib
import sys

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "Sources/MartletKernelsBaseline"
LINE_LENGTH = 120 - 4  # as in .swift-format, within `#if`

# Condition, and the longest run by the number of vectors: the widest strip is two of these.
SETS = {
    "AVX512": ("MARTLET_AVX512", {2: 7, 1: 7}),  # 32 registers
    "AVX2": ("MARTLET_AVX2", {2: 3, 1: 5}),  # 16 registers
    "Baseline": ("!MARTLET_AVX512 && !MARTLET_AVX2", {2: 3, 1: 4}),  # 16 registers, some of them for products
}

# The same for bytes, whose sums are integers of 32 bits. Beside them and the weights a product is there before it is added, and
# with AVX2 a vector of ones: two more pixels and sums would have to be kept in memory.
QUANTIZED_SETS = {
    "VNNI": ("MARTLET_VNNI", {2: 7, 1: 7}),
    "AVX512": ("MARTLET_AVX512", {2: 7, 1: 7}),
    "AVX2": ("MARTLET_AVX2", {2: 2, 1: 5}),
    "Baseline": ("!MARTLET_VNNI && !MARTLET_AVX512 && !MARTLET_AVX2", {2: 3, 1: 4}),
}

# Where products of bytes are added in 16 bits before they are in 32: what would not fit is multiplied a second time.
SUMMED_IN_16_BITS = ("AVX512", "AVX2")

CONVOLUTION = [
    ("series", "StripSeries"),
    ("input0", "UnsafePointer<Float>"),
    ("input1", "UnsafePointer<Float>"),
    ("step", "Int"),
    ("offsets", "UnsafePointer<Int>"),
    ("offsetCount", "Int"),
    ("lanes", "Int"),
    ("wholeCount", "Int"),
    ("lastLanes", "Int"),
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
NOT_DEPTHWISE = ("lanes", "wholeCount", "lastLanes", "ahead", "residualBlockStep", "outputBlockStep")
DEPTHWISE = [pair for pair in CONVOLUTION if pair[0] not in NOT_DEPTHWISE]

QUANTIZED_CONVOLUTION = [
    ("series", "StripSeries"),
    ("input0", "UnsafePointer<UInt8>"),
    ("input1", "UnsafePointer<UInt8>"),
    ("step", "Int"),
    ("offsets", "UnsafePointer<Int>"),
    ("offsetCount", "Int"),
    ("quads", "Int"),
    ("wholeCount", "Int"),
    ("lastQuads", "Int"),
    ("weights", "UnsafeRawPointer"),
    ("ahead", "Int"),
    ("excess", "UnsafePointer<Int>?"),
    ("bias", "UnsafePointer<Int32>"),
    ("factors", "UnsafePointer<Float>"),
    ("settings", "UnsafePointer<Float>"),
    ("residual0", "UnsafePointer<UInt8>?"),
    ("residual1", "UnsafePointer<UInt8>?"),
    ("residualVectorStep", "Int"),
    ("output0", "UnsafeMutablePointer<UInt8>"),
    ("output1", "UnsafeMutablePointer<UInt8>"),
    ("outputVectorStep", "Int"),
]
# Products of 16-bit numbers, without what comes after them in a layer.
PAIRS = [
    *QUANTIZED_CONVOLUTION[:6],
    ("pairs", "Int"),
    ("wholeCount", "Int"),
    ("lastPairs", "Int"),
    ("weights", "UnsafeRawPointer"),
    ("ahead", "Int"),
    ("factors", "UnsafePointer<Float>"),
    ("output0", "UnsafeMutablePointer<Float>"),
    ("output1", "UnsafeMutablePointer<Float>"),
    ("outputVectorStep", "Int"),
]
QUANTIZED_DEPTHWISE = [
    pair
    for pair in QUANTIZED_CONVOLUTION
    if pair[0] not in ("quads", "wholeCount", "lastQuads", "ahead", "excess", "residualVectorStep", "outputVectorStep")
]


def is_depthwise(kind):
    return kind is DEPTHWISE or kind is QUANTIZED_DEPTHWISE


def is_quantized(kind):
    return kind is QUANTIZED_CONVOLUTION or kind is QUANTIZED_DEPTHWISE or kind is PAIRS


def reads_bytes(key):
    """Whether the weights of a convolution of bytes are bytes, not 16 bits."""
    return key == "VNNI" or key in SUMMED_IN_16_BITS


def strips(run):
    """Pixels of each strip, even ones first, each from the widest."""
    return [*range(2 * run, 0, -2), *(pixels for pixels in range(run, 0, -1) if pixels % 2 == 1)]


def name(kind, pixels, vectors):
    if kind is PAIRS:
        return f"multiplyPairsStrips{pixels}x{vectors}"
    stem = ("depthwise" if is_depthwise(kind) else "convolve") + ("QuantizedStrips" if is_quantized(kind) else "Strips")
    return f"{stem}{pixels}" if is_depthwise(kind) else f"{stem}{pixels}x{vectors}"


def wrapped(pieces, indent, length=LINE_LENGTH):
    """The pieces, comma-separated, in lines as long as the formatter allows."""
    lines = [""]
    for piece in pieces:
        text = f"{lines[-1]}, {piece}" if lines[-1] else piece
        if lines[-1] and len(indent + text + ",") > length:
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
    loop, out = out, []
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
        out.append("        let lanes = i < wholeCount ? lanes : lastLanes")
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
    for r in range(runs):
        out.append(f"        let addend{r} = residual{r} + strip * series.residualStep")
    for p, r, k in places:
        for v in both:
            block = " + residualBlockStep" if v else ""
            out.append(f"        sum{p}v{v} += load(addend{r}{block}{vectors_further(k)})")
    out.append("    }")
    for p, r, k in places:
        for v in both:
            block = " + outputBlockStep" if v else ""
            out.append(f"    store(clamp(sum{p}v{v}, minimum, maximum), to: output{r}{block}{vectors_further(k)})")
    return [*loop, *for_each_strip(out, runs), "}"]


def for_each_strip(body, runs):
    """The loop over the strips of a series."""
    out = []
    for r in range(runs):
        out.append(f"    var (input{r}, output{r}) = (input{r}, output{r})")
    out += ["    var strip = 0", "    while strip < series.count {", *("    " + line for line in body)]
    for r in range(runs):
        out += [f"        input{r} += series.inputStep", f"        output{r} += series.outputStep"]
    return [*out, "        strip += 1", "    }"]


def times(count, step):
    """The text that adds so many steps to a pointer."""
    return ["", f" + {step}"][count] if count < 2 else f" + {count} * {step}"


def call(function, arguments, indent):
    """The lines of a call in the body of a series' loop, which is four columns further in."""
    line = f"{indent}{function}({', '.join(arguments)})"
    if len(line) + 4 <= LINE_LENGTH:
        return [line]
    return [f"{indent}{function}(", *(wrapped(arguments, indent + " " * 4, LINE_LENGTH - 4) + ")").split("\n")]


def excess(places, vectors, runs):
    """What weights too large to be summed in 16 bits leave, one vector after the other."""
    lanes = "Integers.scalarCount"
    out = ["    if let excess {", "        var place = excess", "        var end = place"]
    for v in range(vectors):
        out.append("        end = place + 1 + place[0]")
        out.append("        place += 1")
        out.append("        while place < end {")
        indent = " " * 12
        for r in range(runs):
            out.append(f"{indent}let x{r} = input{r} + place[0]")
        out.append(f"{indent}let w = martlet_load_integers(weights)")
        for p, r, k in places:
            pixel = f"martlet_broadcast_quad(x{r}{times(k, 'step')})"
            out.append(f"{indent}sum{p}v{v} = martlet_add_quads(sum{p}v{v}, {pixel}, w)")
        out.append(f"{indent}weights += 4 * {lanes}")
        out.append(f"{indent}place += 1")
        out.append("        }")
    out.append("    }")
    return out


def quantized_strip(kind, key, pixels, vectors):
    runs = 2 if pixels % 2 == 0 else 1
    length = pixels // runs
    places = [(p, p // length, p % length) for p in range(pixels)]
    both = range(vectors)
    lanes = "Integers.scalarCount"
    out = [f"@inline(never) private func {name(kind, pixels, vectors)}(", parameters(kind, "    "), ") {"]
    for v in both if kind is not PAIRS else ():
        out.append(f"    let bias{v} = martlet_load_integers(bias{times(v, lanes)})")
    for v in both:
        out.append(f"    let factor{v} = martlet_load_reals(factors{times(v, lanes)})")
    loop, out = out, []
    for p, _, _ in places:
        for v in both:
            out.append(f"    var sum{p}v{v} = {'Integers.zero' if kind is PAIRS else f'bias{v}'}")
    out.append("    var weights = weights")
    out.append("    var i = 0")
    out.append("    while i < offsetCount {")
    if kind is QUANTIZED_DEPTHWISE:
        for r in range(runs):
            out.append(f"        let x{r} = input{r} + offsets[i]")
        out.append("        let w = martlet_load_integers(weights)")
        for p, r, k in places:
            out.append(f"        sum{p}v0 = martlet_add_pairs(sum{p}v0, martlet_load_bytes(x{r}{times(k, 'step')}), w)")
        out.append(f"        weights += 4 * {lanes}")
    else:
        for r in range(runs):
            out.append(f"        var x{r} = input{r} + offsets[i]")
        name_of_terms = "pair" if kind is PAIRS else "quad"
        out.append(
            f"        let {name_of_terms}s = i < wholeCount ? {name_of_terms}s : last{name_of_terms.capitalize()}s")
        out.append(f"        var {name_of_terms} = 0")
        out.append(f"        while {name_of_terms} < {name_of_terms}s {{")
        indent = " " * 12
        if reads_bytes(key) or kind is PAIRS:
            add = "martlet_add_pairs" if kind is PAIRS else "martlet_add_quads"
            for v in both:
                out.append(f"{indent}let w{v} = martlet_load_integers(weights{times(v, f'4 * {lanes}')})")
            for p, r, k in places:
                out.append(f"{indent}let pixel{p} = martlet_broadcast_quad(x{r}{times(k, 'step')})")
                for v in both:
                    out.append(f"{indent}sum{p}v{v} = {add}(sum{p}v{v}, pixel{p}, w{v})")
        else:
            for v in both:
                out.append(f"{indent}let even{v} = martlet_load_integers(weights{times(2 * v, f'4 * {lanes}')})")
                out.append(f"{indent}let odd{v} = martlet_load_integers(weights{times(2 * v + 1, f'4 * {lanes}')})")
            for p, r, k in places:
                out.append(f"{indent}let pixel{p} = martlet_broadcast_quad(x{r}{times(k, 'step')})")
                out.append(f"{indent}let (even{p}x, odd{p}x) = (martlet_even_bytes(pixel{p}), martlet_odd_bytes(pixel{p}))")
                for v in both:
                    out.append(f"{indent}sum{p}v{v} = martlet_add_pairs(sum{p}v{v}, even{p}x, even{v})")
                    out.append(f"{indent}sum{p}v{v} = martlet_add_pairs(sum{p}v{v}, odd{p}x, odd{v})")
        size = vectors * (1 if reads_bytes(key) or kind is PAIRS else 2)
        for line in range(size):
            out.append(f"{indent}martlet_prefetch(weights + ahead{times(line, f'4 * {lanes}')})")
        out.append(f"{indent}weights += {4 * size} * {lanes}")
        for r in range(runs):
            out.append(f"{indent}x{r} += 4")
        out.append(f"{indent}{name_of_terms} += 1")
        out.append("        }")
    out.append("        i += 1")
    out.append("    }")
    if kind is QUANTIZED_CONVOLUTION and key in SUMMED_IN_16_BITS:
        out += excess(places, vectors, runs)
    if kind is PAIRS:
        for p, r, k in places:
            for v in both:
                to = f"output{r}{' + outputVectorStep' if v else ''}{times(k, lanes)}"
                out += call("martlet_store_reals", [f"martlet_to_reals(sum{p}v{v}) * factor{v}", to], "    ")
        return [*loop, *for_each_strip(out, runs), "}"]
    # Two vectors of eight lanes are the sixteen channels of a pixel, and are stored as one.
    whole = kind is QUANTIZED_CONVOLUTION and key == "AVX2" and vectors == 2
    stored = range(1) if whole else both
    suffix = "_pixel" if whole else ""

    def values(p, v):
        numbers = both if whole else (v,)
        return [f"sum{p}v{n}" for n in numbers] + [f"factor{n}" for n in numbers] + ["settings"]

    out.append("    if residual0 == nil && settings[3] == 0 {")
    for p, r, k in places:
        for v in stored:
            to = f"output{r}{' + outputVectorStep' if v else ''}{times(k, 'bytesOfPixel')}"
            out += call(f"martlet_store_scaled{suffix}", [*values(p, v), to], "        ")
    out.append("    } else {")
    for r in range(runs):
        out.append(f"        let addend{r} = residual{r}.map {{ $0 + strip * series.residualStep }}")
    for p, r, k in places:
        for v in stored:
            residual = f"addend{r}.map {{ $0{' + residualVectorStep' if v else ''}{times(k, 'bytesOfPixel')} }}"
            to = f"output{r}{' + outputVectorStep' if v else ''}{times(k, 'bytesOfPixel')}"
            out += call(f"martlet_store_sum{suffix}", [*values(p, v), residual, to], "        ")
    out.append("    }")
    return [*loop, *for_each_strip(out, runs), "}"]


def dispatch(kind, run):
    """The function that chooses the strip."""
    quantized = "Quantized" if is_quantized(kind) else ""
    if is_depthwise(kind):
        out = ["/// Calls the strips of `pixels` pixels, which must be one of those below."]
        out += [f"@inline(__always) func depthwise{quantized}Strips(", "    pixels: Int,"]
    else:
        out = ["/// Calls the strips of `pixels` pixels, which must be one of those below, and `vectors` vectors."]
        stem = "multiplyPairsStrips" if kind is PAIRS else f"convolve{quantized}Strips"
        out += [f"@inline(__always) func {stem}(", "    pixels: Int, vectors: Int,"]
    out += [parameters(kind, "    "), ") {"]

    def choose(vectors, indent):
        out.append(f"{indent}switch pixels {{")
        for pixels in sorted(strips(run[vectors]), reverse=True):
            out.append(f"{indent}case {pixels}:" if pixels > 1 else f"{indent}default:")
            out.append(f"{indent}    {name(kind, pixels, vectors)}(")
            out.append(wrapped([parameter for parameter, _ in kind], indent + " " * 8) + ")")
        out.append(f"{indent}}}")

    if is_depthwise(kind):
        choose(1, "    ")
    else:
        out.append("    if vectors == 2 {")
        choose(2, " " * 8)
        out.append("    } else {")
        choose(1, " " * 8)
        out.append("    }")
    return [*out, "}"]


def file(kind, key):
    condition, run = (QUANTIZED_SETS if is_quantized(kind) else SETS)[key]
    if key == "AVX512" and kind in SHARED_WITH_VNNI:
        condition += " || MARTLET_VNNI"
    lines = dispatch(kind, run)
    quantized = "Quantized" if is_quantized(kind) else ""
    if is_depthwise(kind):
        rows, run = f"depthwise{quantized}Rows", {1: run[1]}
    else:
        rows = "multiplyPairs" if kind is PAIRS else f"convolve{quantized}Rows"
        length = [
            "/// The longest run of pixels of a strip; the widest strip is two of them.",
            f"@inline(__always) func longest{quantized}Run(vectors: Int) -> Int {{",
            f"    vectors == 2 ? {run[2]} : {run[1]}" if run[1] != run[2] else f"    {run[1]}",
            "}",
            "",
        ]
        # Products have the strips of convolutions.
        lines = lines if kind is PAIRS else length + lines
    for vectors, length in run.items():
        for pixels in strips(length):
            make = quantized_strip(kind, key, pixels, vectors) if quantized else strip(kind, pixels, vectors)
            lines += ["", *make]
    body = "\n".join(lines).split("\n")
    return "\n".join(
        [
            "// Generated by tools/generate-strips.py; do not edit.",
            "",
            f"// The arguments of strips are those of `{rows}`, the pointers once for each of the first one's two runs.",
            "",
            *(["import CMartletIntrinsics", ""] if kind is not DEPTHWISE else []),
            f"#if {condition}",
            *("    " + line if line else "" for line in body),
            "#endif",
            "",
        ]
    )


# What multiplies no four channels at once is the same with VNNI and without.
SHARED_WITH_VNNI = (QUANTIZED_DEPTHWISE, PAIRS)


def files():
    """Every generated file with its path."""
    for key in SETS:
        for kind, prefix in ((CONVOLUTION, "Convolution"), (DEPTHWISE, "Depthwise")):
            yield FOLDER / "Blocked" / f"{prefix}Strips+{key}.generated.swift", file(kind, key)
    for key in QUANTIZED_SETS:
        for kind, prefix in (
            (QUANTIZED_CONVOLUTION, "QuantizedConvolution"),
            (QUANTIZED_DEPTHWISE, "QuantizedDepthwise"),
            (PAIRS, "Pair"),
        ):
            if key == "VNNI" and kind in SHARED_WITH_VNNI:
                continue
            yield FOLDER / "Quantized" / f"{prefix}Strips+{key}.generated.swift", file(kind, key)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the committed files instead of writing")
    check = parser.parse_args().check
    stale = 0
    for path, text in files():
        if not check:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            print(f"{path.name} is not what tools/generate-strips.py writes", file=sys.stderr)
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
