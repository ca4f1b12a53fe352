#!/usr/bin/env python3
"""Makes Tests/MartletImagesTests/Goldens with Pillow and NumPy.

    python3 -m venv .venv-images && .venv-images/bin/pip install 'pillow>=13' numpy
    .venv-images/bin/python tools/make-image-goldens.py

Pillow 13 is wanted: before it, `resize` began with the horizontal pass even where the height shrinks much more. The
folder holds small PNG and JPEG
files, `pixels.bin` (what they decode to and what resizes give, one after another) and `index.json` (what is where).
Sources of resizes are computed from a formula, here and in the tests. Digests of images in ../shared are made if that
folder is there; the images themselves stay there.
"""

import io
import json
import struct
import zlib
from pathlib import Path

import numpy
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
GOLDENS = ROOT / "Tests/MartletImagesTests/Goldens"
SHARED = ROOT.parent / "shared"

pixels = bytearray()


def store(array):
    """Appends an array's bytes to pixels.bin and says where they are."""
    array = numpy.ascontiguousarray(array)
    height, width = array.shape[:2]
    channels = 1 if array.ndim == 2 else array.shape[2]
    offset = len(pixels)
    pixels.extend(array.tobytes())
    return {"offset": offset, "width": width, "height": height, "channels": channels}


def fnv1a(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def pattern(width, height, channels):
    """The tests' source image: waves and steps, so that every filter has edges to work on."""
    y, x, c = numpy.mgrid[0:height, 0:width, 0:channels]
    value = (x * x * 3 + y * y * 5 + x * y * 7 + c * 83 + (x // 9 + y // 7) % 2 * 128) % 256
    array = value.astype(numpy.uint8)
    return array[..., 0] if channels == 1 else array


# --- PNG -----------------------------------------------------------------------------------------------------------


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def packed_rows(samples, depth):
    """Rows of samples [h, w, c] as PNG stores them unfiltered, each after a filter byte 0."""
    rows = b""
    for row in samples:
        flat = row.reshape(-1)
        if depth == 16:
            data = flat.astype(">u2").tobytes()
        elif depth == 8:
            data = flat.astype(numpy.uint8).tobytes()
        else:
            bits = "".join(f"{int(v):0{depth}b}" for v in flat)
            bits += "0" * (-len(bits) % 8)
            data = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))
        rows += b"\0" + data
    return rows


def png(samples, depth, colour_type, interlaced=False, palette=None, transparency=None):
    height, width = samples.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, int(interlaced))
    if interlaced:
        rows = b""
        for x, y, dx, dy in [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]:
            part = samples[y::dy, x::dx]
            if part.size:
                rows += packed_rows(part, depth)
    else:
        rows = packed_rows(samples, depth)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    if palette is not None:
        data += chunk(b"PLTE", palette.astype(numpy.uint8).tobytes())
    if transparency is not None:
        data += chunk(b"tRNS", transparency)
    return data + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def as_decoded(data, colour):
    image = Image.open(io.BytesIO(data))
    return numpy.array(image.convert("RGB" if colour else "L"))


def png_cases():
    random = numpy.random.default_rng(1)
    cases = []

    def add(name, data, expected):
        (GOLDENS / name).write_bytes(data)
        cases.append({"file": name, **store(expected)})

    for interlaced in [False, True]:
        suffix = "-interlaced" if interlaced else ""
        for depth in [1, 2, 4, 8]:
            data = png(random.integers(0, 1 << depth, (11, 13, 1)), depth, 0, interlaced)
            add(f"grey{depth}{suffix}.png", data, as_decoded(data, False))
        samples = random.integers(0, 1 << 16, (11, 13, 1))
        # Pillow clamps 16-bit grey to 255; the high byte is the picture.
        add(f"grey16{suffix}.png", png(samples, 16, 0, interlaced), (samples[..., 0] >> 8).astype(numpy.uint8))
        for depth in [8, 16]:
            samples = random.integers(0, 1 << depth, (11, 13, 2))
            expected = (samples[..., 0] >> (depth - 8)).astype(numpy.uint8)
            add(f"grey-alpha{depth}{suffix}.png", png(samples, depth, 4, interlaced), expected)
            for kind, channels, colour_type in [("rgb", 3, 2), ("rgba", 4, 6)]:
                data = png(random.integers(0, 1 << depth, (11, 13, channels)), depth, colour_type, interlaced)
                add(f"{kind}{depth}{suffix}.png", data, as_decoded(data, True))
        for depth in [1, 2, 4, 8]:
            palette = random.integers(0, 256, (1 << depth, 3))
            data = png(random.integers(0, 1 << depth, (11, 13, 1)), depth, 3, interlaced, palette, b"\0\x80")
            add(f"palette{depth}{suffix}.png", data, as_decoded(data, True))
    data = png(random.integers(0, 256, (5, 4, 3)), 8, 2, transparency=struct.pack(">HHH", 1, 2, 3))
    add("rgb8-transparent.png", data, as_decoded(data, True))
    for width, height in [(1, 1), (1, 9), (9, 1), (3, 2)]:
        data = png(random.integers(0, 256, (height, width, 3)), 8, 2, True)
        add(f"rgb8-{width}x{height}-interlaced.png", data, as_decoded(data, True))
    buffer = io.BytesIO()
    Image.fromarray(pattern(31, 22, 3)).save(buffer, "PNG")
    add("filtered.png", buffer.getvalue(), pattern(31, 22, 3))
    return cases


# --- JPEG ----------------------------------------------------------------------------------------------------------


def jpeg_cases():
    cases = []
    smooth = Image.fromarray(pattern(16, 12, 3)).resize((61, 45), Image.Resampling.BICUBIC)

    def add(name, data, colour=True):
        (GOLDENS / name).write_bytes(data)
        cases.append({"file": name, **store(as_decoded(data, colour))})

    def encoded(image, **options):
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", **options)
        return buffer.getvalue()

    for name, subsampling in [("444", 0), ("422", 1), ("420", 2)]:
        for progressive in [False, True]:
            kind = "progressive" if progressive else "baseline"
            add(f"{kind}-{name}.jpg", encoded(smooth, quality=85, subsampling=subsampling, progressive=progressive))
    add("low-quality.jpg", encoded(smooth, quality=15))
    add("restarts.jpg", encoded(smooth, quality=80, restart_marker_blocks=3))
    add("rgb.jpg", encoded(smooth, quality=90, keep_rgb=True))
    add("grey.jpg", encoded(smooth.convert("L"), quality=80), colour=False)
    add("grey-progressive.jpg", encoded(smooth.convert("L"), quality=80, progressive=True), colour=False)
    for width, height in [(1, 1), (8, 8), (17, 1), (1, 17), (7, 13), (33, 31)]:
        add(f"size-{width}x{height}.jpg", encoded(smooth.crop((0, 0, width, height)), quality=90, subsampling=2))
    cmyk = Image.merge("CMYK", [*smooth.split(), smooth.convert("L").rotate(180)])
    data = encoded(cmyk, quality=90)
    add("cmyk.jpg", data)
    add("cmyk-progressive.jpg", encoded(cmyk, quality=90, progressive=True))
    # The same samples taken as YCCK: the last byte of Adobe's marker says so.
    marker = data.index(b"\xff\xee\x00\x0eAdobe")
    add("ycck.jpg", data[: marker + 15] + b"\x02" + data[marker + 16 :])
    # An orientation that nobody applies.
    exif = Image.Exif()
    exif[0x0112] = 6
    add("rotated.jpg", encoded(smooth, quality=85, exif=exif))
    return cases


# --- Resizing and preprocessing --------------------------------------------------------------------------------------

FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "hamming": Image.Resampling.HAMMING,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


def resize_cases():
    cases = []
    sizes = [
        ((37, 29, 3), [(1, 1), (5, 7), (37, 29), (13, 29), (37, 11), (36, 30), (61, 50), (20, 64), (40, 9), (30, 20)]),
        ((37, 29, 1), [(1, 29), (18, 14), (45, 31)]),
        ((1, 1, 3), [(4, 3)]),
        ((2, 53, 3), [(7, 10)]),
        ((1000, 700, 3), [(7, 5), (40, 3)]),
        ((333, 1, 1), [(100, 1), (17, 2)]),
    ]
    for (width, height, channels), targets in sizes:
        source = Image.fromarray(pattern(width, height, channels))
        for target in targets:
            for name, resampling in FILTERS.items():
                result = numpy.array(source.resize(target, resampling))
                cases.append({"source": [width, height, channels], "filter": name, **store(result)})
    return cases


def shorter_side(image, size, resampling):
    width, height = image.size
    short, long = min(width, height), max(width, height)
    scaled = int(size * long / short)
    return image.resize((size, scaled) if width <= height else (scaled, size), resampling)


def center_crop(image, width, height):
    """Hugging Face's `center_crop` on an array [h, w] or [h, w, c], written from its definition."""
    array = numpy.array(image)
    top, left = (array.shape[0] - height) // 2, (array.shape[1] - width) // 2
    result = numpy.zeros((height, width) + array.shape[2:], array.dtype)
    for y in range(height):
        for x in range(width):
            if 0 <= y + top < array.shape[0] and 0 <= x + left < array.shape[1]:
                result[y, x] = array[y + top, x + left]
    return result


IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
CLIP = ([0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711])
HALF = ([0.5], [0.5])
# name: (resize, filter, crop, scale, (mean, std), channels)
PRESETS = {
    "imagenet": (256, "bilinear", 224, 1 / 255, IMAGENET, "rgb"),
    "imagenet-crop": (None, "bilinear", 224, 1 / 255, IMAGENET, "rgb"),
    "imagenet-pixels": (None, "bilinear", None, 1 / 255, IMAGENET, "rgb"),
    "imagenet-bicubic": (256, "bicubic", 224, 1 / 255, IMAGENET, "rgb"),
    "caffe": (256, "bilinear", 224, 1, ([104, 117, 123], [1]), "bgr"),
    "caffe-crop": (None, "bilinear", 224, 1, ([104, 117, 123], [1]), "bgr"),
    "inception": (342, "bilinear", 299, 1 / 255, HALF, "rgb"),
    "clip": (224, "bicubic", 224, 1 / 255, CLIP, "rgb"),
    "vit": ((224, 224), "bilinear", None, 1 / 255, HALF, "rgb"),
    "cifar10": ((32, 32), "bilinear", None, 1 / 255, ([0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616]), "rgb"),
    "cifar100": ((32, 32), "bilinear", None, 1 / 255, ([0.5071, 0.4867, 0.4408], [0.2675, 0.2565, 0.2761]), "rgb"),
    "mnist": ((28, 28), "bilinear", None, 1 / 255, ([0.1307], [0.3081]), "grey"),
    "fashion-mnist": ((28, 28), "bilinear", None, 1 / 255, ([0.2860], [0.3530]), "grey"),
    "unit": (None, "bilinear", None, 1 / 255, ([0], [1]), "rgb"),
    "signed": (None, "bilinear", None, 1 / 255, HALF, "rgb"),
    "bytes": (None, "bilinear", None, 1, ([0], [1]), "rgb"),
}


def geometry(image, resize, filter_name, crop, channels):
    image = image.convert("L" if channels == "grey" else "RGB")
    if isinstance(resize, tuple):
        image = image.resize(resize, FILTERS[filter_name])
    elif resize:
        image = shorter_side(image, resize, FILTERS[filter_name])
    return center_crop(image, crop, crop) if crop else numpy.array(image)


def preprocessing_cases():
    cases = []
    random = numpy.random.default_rng(2)
    for name, (resize, filter_name, crop, scale, (mean, std), channels) in PRESETS.items():
        for width, height in [(301, 263), (210, 240), (227, 227)]:
            array = geometry(Image.fromarray(pattern(width, height, 3)), resize, filter_name, crop, channels)
            digest = fnv1a(array.tobytes())
            planes = array[None] if channels == "grey" else array.transpose(2, 0, 1)
            planes = planes.astype(numpy.float64) * scale
            if channels == "bgr":
                planes = planes[::-1]
            result = (planes - numpy.reshape(mean, (-1, 1, 1))) / numpy.reshape(std, (-1, 1, 1))
            flat = result.reshape(-1)
            places = sorted(int(p) for p in random.choice(flat.size, 24, replace=False))
            cases.append(
                {
                    "preset": name,
                    "source": [width, height, 3],
                    "shape": list(result.shape),
                    "digest": digest,
                    "places": places,
                    "values": [float(flat[p]) for p in places],
                }
            )
    return cases


def shared_cases():
    if not SHARED.exists():
        return []
    files = sorted(SHARED.glob("data/imagenet-val/*/*.JPEG"))[::30]
    files += sorted(SHARED.glob("data/imagenet-calibration/*.jpg"))[::100]
    files += sorted(SHARED.glob("data/flowers102/*.jpg"))[::40]
    cases = []
    for file in files:
        image = Image.open(file).convert("RGB")
        cases.append(
            {
                "file": str(file.relative_to(SHARED)),
                "decoded": fnv1a(image.tobytes()),
                "imagenet": fnv1a(geometry(image, 256, "bilinear", 224, "rgb").tobytes()),
                "clip": fnv1a(geometry(image, 224, "bicubic", 224, "rgb").tobytes()),
            }
        )
    return cases


def main():
    GOLDENS.mkdir(parents=True, exist_ok=True)
    for old in GOLDENS.iterdir():
        old.unlink()
    index = {
        "png": png_cases(),
        "jpeg": jpeg_cases(),
        "resize": resize_cases(),
        "preprocessing": preprocessing_cases(),
        "shared": shared_cases(),
    }
    (GOLDENS / "index.json").write_text(json.dumps(index, separators=(",", ":")).replace("},{", "},\n{") + "\n")
    (GOLDENS / "pixels.bin").write_bytes(pixels)
    print(sum(f.stat().st_size for f in GOLDENS.iterdir()), "bytes")


main()
