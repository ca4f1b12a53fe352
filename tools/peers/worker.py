"""One peer in a process of its own, started by measure.py:

    python worker.py REPLY REQUEST

REPLY is where answers go, one line of JSON each (engines print what they like on standard output), REQUEST a JSON
object. With `"mode": "start"` it answers once: when, and with how much memory, Python was up, the engine imported, and
the first logits there. With `"mode": "time"` it then answers each number of seconds that it reads from standard input
with the milliseconds of each run in that time. The first logits go to the file `request["logits"]`.
"""

import json
import os
import sys
import time

LEAST_RUNS = 3


def peak_bytes():
    with open("/proc/self/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def main():
    reply = open(sys.argv[1], "w", encoding="utf-8")
    request = json.loads(sys.argv[2])
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

    def answer(value):
        reply.write(json.dumps(value) + "\n")
        reply.flush()

    import numpy

    from peers.engines import PEERS
    from peers.network import Network

    engine = PEERS[request["engine"]]
    network = Network(**request["network"])
    x = numpy.load(request["input"])
    marks = {"python_ns": time.monotonic_ns(), "python_bytes": peak_bytes()}
    engine.load_library()
    marks |= {"library_ns": time.monotonic_ns(), "library_bytes": peak_bytes()}
    run = engine.open(request["file"], network, len(x), request["threads"])
    logits = run(x)
    marks |= {"logits_ns": time.monotonic_ns(), "logits_bytes": peak_bytes()}
    numpy.save(request["logits"], logits)
    answer(marks)

    if request["mode"] == "time":
        for line in sys.stdin:
            for _ in range(2):
                run(x)  # Others have had the caches since the last round.
            answer(timed(run, x, float(line)))


def timed(run, x, seconds):
    """Milliseconds of each run that began within `seconds`, or of the first `LEAST_RUNS`."""
    milliseconds = []
    start = before = time.perf_counter()
    while before - start < seconds or len(milliseconds) < LEAST_RUNS:
        run(x)
        after = time.perf_counter()
        milliseconds.append(1e3 * (after - before))
        before = after
    return milliseconds


if __name__ == "__main__":
    main()
