#!/usr/bin/env python3
"""Time Martlet beside ONNX Runtime, OpenVINO, ncnn and MNN, and print the README's table.

    swift build -c release --product martlet
    tools/setup-python.sh peers
    .venv-peers/bin/python tools/benchmark-peers.py --readme        # the whole suite, a quarter of an hour
    .venv-peers/bin/python tools/benchmark-peers.py a.onnx b.onnx@1,32   # these, b.onnx at two batch sizes

The suite's networks are made by tools/make-benchmark-networks.py, into `.build/benchmark` unless they are there. Speed
is measured in rounds, each of which runs every engine for a moment; the figure is the 10th percentile over all rounds,
because on a machine that others use too the median measures them as well. A cold start is a new process for every
engine, to its first logits. tools/peers/README.md says what exactly is compared.

Figures are kept in the --results file after each step, and steps that it has already are not repeated: measure in
pieces, or go on after an interruption. Ctrl-C prints what there is. Progress goes to standard error, the tables to
standard output.
"""

import argparse
import dataclasses
import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from peers import network as networks
from peers import report
from peers.engines import PEERS, version
from peers.failure import Failure
from peers.martlet import Martlet
from peers.measure import Bench

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".build" / "benchmark"


@dataclasses.dataclass(frozen=True)
class Case:
    """A network to measure: its speed at these batch sizes, and, where `starts`, its cold start."""

    path: pathlib.Path
    title: str | None
    batches: tuple = (1,)
    starts: bool = False


# In the order of the tables.
SUITE = [
    Case(FOLDER / "resnet18.onnx", "ResNet-18", (1, 32), starts=True),
    Case(FOLDER / "resnet50.onnx", "ResNet-50"),
    Case(FOLDER / "googlenet.onnx", "GoogLeNet", starts=True),
    Case(FOLDER / "alexnet.onnx", "AlexNet"),
    Case(FOLDER / "resnet18-tucker.onnx", "ResNet-18, Tucker-2, a quarter of the MACs", starts=True),
    Case(FOLDER / "resnet18-tucker-odd.onnx", "the same, ranks not multiples of 4"),
    Case(FOLDER / "resnet18-cp.onnx", "ResNet-18, CP, a third of the MACs"),
    Case(FOLDER / "resnet20.onnx", "CIFAR ResNet-20", (1, 128)),
]
BEGIN, END = "<!-- benchmark: begin -->", "<!-- benchmark: end -->"


def whole_numbers(text):
    numbers = tuple(int(number) for number in text.split(","))
    if not numbers or min(numbers) < 1:
        raise argparse.ArgumentTypeError("numbers from 1 up, with commas between them")
    return numbers


def names(choices):
    def parse(text):
        chosen = text.split(",")
        if unknown := [name for name in chosen if name not in choices]:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: choose from {', '.join(choices)}")
        return chosen

    return parse


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    martlet = ROOT / ".build" / "release" / "martlet"
    parser.add_argument("networks", nargs="*", metavar="FILE[@BATCH,...]", help="networks instead of the suite")
    parser.add_argument("--martlet", default=martlet, metavar="FILE", help="the command to measure (.build/release)")
    parser.add_argument("--isa", metavar="NAME", help="hold Martlet to baseline, avx2 or avx512 (MARTLET_ISA)")
    parser.add_argument("--peers", type=names(PEERS), default=list(PEERS), help=f"of {','.join(PEERS)} (all)")
    measurements = ["speed", "start"]
    parser.add_argument("--measure", type=names(measurements), default=measurements, help="of speed,start (both)")
    parser.add_argument("--threads", type=whole_numbers, default=(1, 2), metavar="N,...", help="threads (1,2)")
    parser.add_argument("--rounds", type=int, default=8, metavar="N", help="rounds (8)")
    parser.add_argument("--seconds", type=float, default=0.4, help="seconds an engine runs in a round (0.4)")
    parser.add_argument("--results", type=pathlib.Path, metavar="FILE", help="JSON to keep in and go on from")
    parser.add_argument("--again", action="store_true", help="measure what --results has too, in its place")
    parser.add_argument("--readme", action="store_true", help="put the tables into README.md too")
    parser.add_argument("--print", action="store_true", help="measure nothing, print what --results holds")
    return parser.parse_args()


def say(text):
    print(text, file=sys.stderr, flush=True)


def suite():
    missing = [case.path.stem for case in SUITE if not case.path.exists()]
    if missing:
        say(f"making {', '.join(missing)} in {FOLDER}")
        script = ROOT / "tools" / "make-benchmark-networks.py"
        subprocess.run([sys.executable, script, FOLDER, *missing], check=True, stdout=sys.stderr)
    return SUITE


def chosen(text):
    """The case that `FILE` or `FILE@BATCH,...` stands for."""
    path, _, batches = text.partition("@")
    titles = {case.path.stem: case.title for case in SUITE}
    try:
        return Case(path, titles.get(pathlib.Path(path).stem), whole_numbers(batches or "1"), starts=True)
    except ValueError:
        raise SystemExit(f"{text}: after @ come batch sizes, with commas between them") from None


def environment(martlet, peers):
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        fields = dict(line.split(":", 1) for line in file if ":" in line)
    fields = {key.strip(): value.strip() for key, value in fields.items()}
    flags = fields.get("flags", "").split()
    vectors = "AVX-512" if "avx512f" in flags else "AVX2" if "avx2" in flags else "no AVX2"
    return {
        "processor": fields.get("model name", os.uname().machine),
        "threads": len(os.sched_getaffinity(0)),
        "vectors": vectors,
        "instruction_set": martlet.instruction_set,
        "versions": {"martlet": martlet.version()} | {name: version(PEERS[name]) for name in peers},
        "martlet_sha256": martlet.digest(),
    }


def load(path, environment, peers):
    titles = {"martlet": Martlet.title} | {name: PEERS[name].title for name in peers}
    results = {"date": None, "environment": environment, "engines": titles, "speed": [], "start": []}
    if path and path.exists():
        results = json.loads(path.read_text(encoding="utf-8"))
        if results["environment"] != environment:
            raise SystemExit(
                f"{path} comes from another machine, other engines or versions, or another build of Martlet; "
                "choose another file"
            )
    return results


def save(path, results):
    if path:
        beside = path.with_suffix(path.suffix + ".new")
        beside.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        os.replace(beside, path)


def steps(options, results):
    """What is to be measured and not in the results yet: kind, network, and the conditions."""
    for case in [chosen(text) for text in options.networks] or suite():
        try:
            network = networks.read(case.path, case.title)
        except (OSError, ValueError) as error:
            raise SystemExit(str(error)) from None
        speed = [{"batch": batch, "threads": threads} for batch in case.batches for threads in options.threads]
        start = [{"batch": 1, "threads": options.threads[0]}] if case.starts else []
        for kind, wanted in (("speed", speed), ("start", start)):
            for conditions in wanted:
                conditions = {"network": network.name, "title": network.title, **conditions}
                there = any(conditions.items() <= entry.items() for entry in results[kind])
                if kind in options.measure and (options.again or not there):
                    yield kind, network, conditions


def measure(options, martlet, results):
    todo = list(steps(options, results))
    with tempfile.TemporaryDirectory(prefix="martlet-benchmark-") as folder:
        bench = Bench(folder, martlet, options.peers, progress=lambda text: say(f"    {text}"))
        for index, (kind, network, conditions) in enumerate(todo, start=1):
            batch, threads = conditions["batch"], conditions["threads"]
            say(f"[{index}/{len(todo)}] {network.title}: {kind}, batch {batch}, threads {threads}")
            try:
                if kind == "speed":
                    entry = bench.speed(network, batch, threads, options.rounds, options.seconds)
                else:
                    entry = bench.start(network, threads, options.rounds)
            except Failure as failure:
                # Without reference logits nobody can be held to anything.
                reason = f"no reference logits: {failure}"
                entry = {"figures": {}, "failures": dict.fromkeys(results["engines"], reason)}
            for engine, reason in entry["failures"].items():
                say(f"    {results['engines'][engine]} FAILED: {reason}")
            if kind == "speed" and (unsteady := report.disturbed(entry)):
                engines = ", ".join(results["engines"][name] for name in unsteady)
                say(f"    unsteady: {engines}; something else uses the machine, measure this --again")
            results[kind] = [other for other in results[kind] if not conditions.items() <= other.items()]
            results[kind].append({**conditions, **entry})
            results["date"] = datetime.date.today().isoformat()
            save(options.results, results)


def in_order(results):
    """Entries in the order of the suite, whatever order they were measured in."""
    order = {case.path.stem: index for index, case in enumerate(SUITE)}

    def key(entry):
        return order.get(entry["network"], len(order)), entry["batch"], entry["threads"]

    return {**results, "speed": sorted(results["speed"], key=key), "start": sorted(results["start"], key=key)}


def write_readme(text):
    """Puts the tables between two comments in README.md."""
    path = ROOT / "README.md"
    readme = path.read_text(encoding="utf-8")
    if readme.count(BEGIN) != 1 or readme.count(END) != 1:
        raise SystemExit(f"README.md needs one line {BEGIN} and one {END} to put the tables between")
    before, rest = readme.split(BEGIN)
    after = rest.split(END)[1]
    path.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


def main():
    options = arguments()
    code = 0
    if options.print:
        if not options.results or not options.results.exists():
            raise SystemExit("--print wants a --results file that exists")
        results = json.loads(options.results.read_text(encoding="utf-8"))
    else:
        martlet = Martlet(str(options.martlet), options.isa)
        try:
            results = load(options.results, environment(martlet, options.peers), options.peers)
        except Failure as failure:
            message = f"{martlet.path} does not run ({failure}); build it, or name another with --martlet"
            raise SystemExit(message) from None
        try:
            measure(options, martlet, results)
        except KeyboardInterrupt:
            say("interrupted; this is what there is")
            code = 130
    if not results["speed"] and not results["start"]:
        say("nothing was measured")
        return code or 1
    text = report.markdown(in_order(results))
    print(text)
    if options.readme and code == 0:
        write_readme(text)
    return code


if __name__ == "__main__":
    sys.exit(main())
