#!/usr/bin/env python3
"""Time a pass forward and backward in Martlet and in PyTorch, alternately, and compare the memory they take.

    swift build -c release --product martlet && tools/setup-python.sh peers
    .venv-peers/bin/python tools/compare-training.py NETWORK.onnx [--batch 16] [--threads 2] [--rounds 5]

Both run the same network with batch normalisations folded, on noise, with cross-entropy as the loss; PyTorch in both of its
memory formats, of which the faster one counts. Each measurement is a process of its own; figures are 10th percentiles
over all rounds, memory is the process's peak.
"""

import argparse
import json
import pathlib
import resource
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


def time_pytorch(arguments):
    """Prints the milliseconds of each pass, and the peak memory, as JSON."""
    import torch
    from torch.nn import functional as F

    from onnx_in_torch import Network

    torch.set_num_threads(arguments.threads)
    memory_format = torch.channels_last if arguments.pytorch == "channels_last" else torch.contiguous_format
    network = Network(arguments.network, memory_format)
    x = torch.rand(arguments.batch, 3, arguments.size, arguments.size) * 2 - 1
    x = x.contiguous(memory_format=memory_format)
    times = []
    end = None
    while len(times) < 5 or time.monotonic() < end:
        start = time.monotonic()
        y = network(x)
        loss = F.cross_entropy(y, torch.arange(arguments.batch) % y.shape[1])
        for leaf in network.parameters.values():
            leaf.grad = None
        loss.backward()
        times.append((time.monotonic() - start) * 1e3)
        if len(times) == 2 and end is None:
            # Two that are not counted.
            times = []
            end = time.monotonic() + arguments.seconds
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"latencies_ms": times, "peak_bytes": peak}))


def measure(command):
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def percentile(values, percent):
    values = sorted(values)
    return values[max(0, min(len(values) - 1, -(-percent * len(values) // 100) - 1))]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", type=pathlib.Path)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--size", type=int, default=224, help="height and width of the images")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5, help="of each measurement")
    parser.add_argument("--martlet", type=pathlib.Path, default=ROOT / ".build" / "release" / "martlet")
    parser.add_argument("--pytorch", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.pytorch:
        return time_pytorch(arguments)
    common = ["--batch", str(arguments.batch), "--threads", str(arguments.threads), "--seconds", str(arguments.seconds)]
    commands = {"martlet": [arguments.martlet, "benchmark", arguments.network, "--training", "--json", *common]}
    for memory_format in ("contiguous", "channels_last"):
        commands["PyTorch, " + memory_format] = [
            sys.executable, __file__, arguments.network, "--pytorch", memory_format, "--size", str(arguments.size), *common,
        ]
    times = {name: [] for name in commands}
    memory = dict.fromkeys(commands, 0)
    for _ in range(arguments.rounds):
        for name, command in commands.items():
            result = measure(command)
            times[name] += result["latencies_ms"]
            memory[name] = max(memory[name], result["peak_bytes"])
    tenth = {name: percentile(values, 10) for name, values in times.items()}
    for name in commands:
        print(f"{name:24}{tenth[name]:8.1f} ms, {memory[name] / 2**20:6.0f} MiB")
    best = min((name for name in tenth if name != "martlet"), key=tenth.get)
    print(f"ratio {tenth['martlet'] / tenth[best]:.2f} to {best}")


if __name__ == "__main__":
    main()
