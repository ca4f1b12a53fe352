"""Tables in Markdown from the figures."""

import textwrap

MARTLET = "martlet"
MEGABYTE = 1e6


def ratio(entry):
    """Martlet's 10th percentile over the best peer's, and the quartiles of the same from round to round."""
    figures = entry["figures"]
    best = best_peer(figures, "p10_ms")
    if best is None or MARTLET not in figures:
        return None
    value = figures[MARTLET]["p10_ms"] / figures[best]["p10_ms"]
    pairs = zip(figures[MARTLET]["round_p10_ms"], figures[best]["round_p10_ms"], strict=True)
    return value, *middle_half([martlet / peer for martlet, peer in pairs])


def middle_half(values):
    """The quartiles."""
    values = sorted(values)
    return values[len(values) // 4], values[-1 - len(values) // 4]


def disturbed(entry):
    """The engines whose time changed a lot from round to round: something else was using the machine."""
    halves = {name: middle_half(figure["round_p10_ms"]) for name, figure in entry["figures"].items()}
    return [name for name, (low, high) in halves.items() if high > 7 / 6 * low]


def best_peer(figures, key):
    peers = [name for name in figures if name != MARTLET]
    return min(peers, key=lambda name: figures[name][key], default=None)


def figure(value):
    """Three digits."""
    return f"{value:.0f}" if value >= 99.95 else f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"


def cell(entry, name, value, best):
    if name in entry["failures"]:
        return "failed"
    if name not in entry["figures"]:
        return ""
    return f"**{figure(value(name))}**" if name == best else figure(value(name))


def table(header, rows, left=1):
    lines = [header, ["---"] * left + ["---:"] * (len(header) - left), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def speed_table(entries, titles):
    rows = []
    for entry in entries:
        best = best_peer(entry["figures"], "p10_ms")
        cells = [
            cell(entry, name, lambda name: entry["figures"][name]["p10_ms"] / entry["batch"], best) for name in titles
        ]
        ratios = ratio(entry)
        text = "" if ratios is None else "{:.2f} ({:.2f} to {:.2f})".format(*ratios)
        rows.append([entry["title"], str(entry["batch"]), str(entry["threads"]), *cells, text])
    return table(["network", "batch", "threads", *titles.values(), "ratio"], rows)


# What is told of a start: a title, and the figure of one engine. Martlet has no Python to leave out: its figures are
# always those of the whole process.
START_MEASURES = [
    ("process to logits, ms", lambda f: f["process_ms"]),
    ("the same without Python, ms", lambda f: f["process_ms"] - f.get("python_ms", 0)),
    ("the same without the library, ms", lambda f: f["process_ms"] - f.get("python_ms", 0) - f.get("library_ms", 0)),
    ("peak memory, MB", lambda f: f["peak_bytes"] / MEGABYTE),
    ("the same without Python, MB", lambda f: (f["peak_bytes"] - f.get("python_bytes", 0)) / MEGABYTE),
    ("the same without the library, MB", lambda f: (f["peak_bytes"] - f.get("library_bytes", 0)) / MEGABYTE),
]


def start_table(entries, titles):
    rows = []
    for entry in entries:
        figures = entry["figures"]
        for title, measure in START_MEASURES:
            values = {name: measure(figure) for name, figure in figures.items()}
            best = min((name for name in values if name != MARTLET), key=values.get, default=None)
            known = best is not None and MARTLET in values
            cells = [cell(entry, name, values.get, best) for name in titles]
            rows.append([entry["title"], title, *cells, f"{values[MARTLET] / values[best]:.2f}" if known else ""])
    return table(["network", "what", *titles.values(), "ratio"], rows, left=2)


def failure_lines(entries, titles):
    seen = {}
    for entry in entries:
        for name, reason in entry["failures"].items():
            seen.setdefault((titles.get(name, name), entry["title"], reason))
    return [f"- {engine} failed on {network}: {reason}" for engine, network, reason in seen]


def markdown(results):
    titles = results["engines"]
    environment = results["environment"]
    versions = ", ".join(f"{titles[name]} {version}" for name, version in environment["versions"].items())
    forced = environment["instruction_set"]
    parts = [
        f"Measured on {results['date']}, {environment['processor']} ({environment['threads']} hardware threads, "
        f"{environment['vectors']}), with {versions}." + (f" Martlet was held to {forced}." if forced else "")
    ]
    if results["speed"]:
        parts += [
            "Milliseconds an image, 10th percentile. The ratio is Martlet's time over the best peer's (bold), in "
            "parentheses the middle half of the rounds.",
            speed_table(results["speed"], titles),
        ]
    if results["start"]:
        parts += [
            f"A new process for one image; threads: {results['start'][0]['threads']}. Peers run in Python: 'without "
            "Python' leaves out what the interpreter and NumPy took before, 'without the library' what importing the "
            "engine took too. Martlet's figure is always that of its whole process.",
            start_table(results["start"], titles),
        ]
    if failures := failure_lines(results["speed"] + results["start"], titles):
        parts.append("\n".join(failures))
    return "\n\n".join(part if part[0] in "|-" else textwrap.fill(part, 120) for part in parts)
