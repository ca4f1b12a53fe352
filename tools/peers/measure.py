"""Runs the engines beside each other and takes their times."""

import contextlib
import dataclasses
import json
import os
import pathlib
import select
import signal
import subprocess
import sys
import time

import numpy as np

from peers.engines import PEERS
from peers.failure import PATIENCE, Failure, ending

HERE = pathlib.Path(__file__).resolve().parent
# Of the largest logit. Engines round differently, Winograd most; what is further off computes something else.
TOLERANCE = 1e-3


def percentile(values, percent):
    return float(np.percentile(values, percent))


def end(process):
    """Ends a process that leads a session of its own, and what it started, unless it has ended by itself."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class Worker:
    """A peer's process that has the network loaded and runs it for a while whenever it is told to."""

    def __init__(self, request, log, environment):
        self.log = log
        self.buffer = b""
        self.answers, reply = os.pipe()
        try:
            with open(log, "wb") as output:
                self.process = subprocess.Popen(
                    [sys.executable, HERE / "worker.py", f"/dev/fd/{reply}", json.dumps(request)],
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=output,
                    pass_fds=(reply,),
                    env=environment,
                    text=True,
                    start_new_session=True,  # Ctrl-C is for this program, which then ends its children
                )
        finally:
            os.close(reply)

    def answer(self):
        deadline = time.monotonic() + PATIENCE
        while b"\n" not in self.buffer:
            if not select.select([self.answers], [], [], max(0, deadline - time.monotonic()))[0]:
                raise Failure(f"no answer in {PATIENCE} s")
            if not (piece := os.read(self.answers, 1 << 16)):
                raise Failure(ending(self.process.wait(), self.log))
            self.buffer += piece
        line, self.buffer = self.buffer.split(b"\n", 1)
        return json.loads(line)

    def latencies(self, seconds):
        try:
            self.process.stdin.write(f"{seconds}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Failure(ending(self.process.wait(), self.log)) from None
        return self.answer()

    def close(self):
        end(self.process)
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        os.close(self.answers)


class Bench:
    """Measures one network after the other. Converted networks, inputs and logits lie in `folder`."""

    def __init__(self, folder, martlet, peers, progress):
        self.folder = pathlib.Path(folder)
        self.martlet = martlet
        self.peers = [PEERS[name] for name in peers]
        self.progress = progress
        self.converted = {}

    # What every measurement needs

    def file(self, engine, network):
        """The form of the network that the engine reads, converted at the first call."""
        if network.quantized and not engine.reads_quantized:
            raise Failure("does not read QuantizeLinear networks")
        key = engine.name, network.path
        if key not in self.converted:
            if engine.converter:
                self.progress(f"converting with {engine.converter}")
            try:
                self.converted[key] = engine.convert(network, self.folder)
            except Failure as failure:
                self.converted[key] = failure
        if isinstance(self.converted[key], Failure):
            raise self.converted[key]
        return self.converted[key]

    def input(self, network, batch):
        path = self.folder / f"input-{'x'.join(map(str, network.shape(batch)))}.npy"
        if not path.exists():
            np.save(path, np.random.default_rng(1).standard_normal(network.shape(batch), dtype=np.float32))
        return path

    def request(self, mode, engine, network, batch, threads):
        return {
            "mode": mode,
            "engine": engine.name,
            "network": dataclasses.asdict(network),
            "file": self.file(engine, network),
            "input": str(self.input(network, batch)),
            "logits": str(self.folder / f"{engine.name}.npy"),
            "threads": threads,
        }

    def environment(self, threads):
        # ncnn works with OpenMP, which otherwise starts a thread for each processor.
        return {**os.environ, "OMP_NUM_THREADS": str(threads)}

    def launched(self, command, environment):
        """Runs a command to its end. When it began and ended, and its peak memory, in bytes and nanoseconds."""
        log, reply = self.folder / "launch.log", self.folder / "launch.json"
        with open(log, "wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", HERE / "launch.py", reply, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                start_new_session=True,
            )
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failure(f"no end after {PATIENCE} s") from None
        finally:
            end(process)
        if process.returncode != 0:
            raise Failure(ending(process.returncode, log))
        answer = json.loads(reply.read_text(encoding="utf-8"))
        if answer["code"] != 0:
            raise Failure(ending(answer["code"], log))
        return answer

    def started(self, engine, network, batch, threads):
        """One peer from the start of its process to its first logits."""
        request = self.request("start", engine, network, batch, threads)
        reply = self.folder / "worker.json"
        launch = self.launched(
            [sys.executable, HERE / "worker.py", reply, json.dumps(request)], self.environment(threads)
        )
        marks = json.loads(reply.read_text(encoding="utf-8"))
        return {
            "process_ms": (marks["logits_ns"] - launch["start_ns"]) / 1e6,
            "python_ms": (marks["python_ns"] - launch["start_ns"]) / 1e6,
            "library_ms": (marks["library_ns"] - marks["python_ns"]) / 1e6,
            "peak_bytes": marks["logits_bytes"],
            "python_bytes": marks["python_bytes"],
            "library_bytes": marks["library_bytes"],
        }

    def martlet_started(self, network, batch, threads):
        """The same for Martlet, whose process also writes the logits to a file and ends before the clock stops."""
        command = self.martlet.run_command(network, threads, self.input(network, batch), self.folder / "martlet.npy")
        launch = self.launched(command, self.martlet.environment)
        milliseconds = (launch["end_ns"] - launch["start_ns"]) / 1e6
        return {"process_ms": milliseconds, "peak_bytes": launch["peak_bytes"]}

    def error(self, engine_name):
        """How far logits are from ONNX Runtime's, relative to the largest of those."""
        reference = np.load(self.folder / "reference.npy")
        logits = np.load(self.folder / f"{engine_name}.npy")
        if logits.size != reference.size:
            raise Failure(f"{logits.size} logits instead of {reference.size}")
        error = float(np.abs(logits.reshape(reference.shape) - reference).max() / np.abs(reference).max())
        if not error <= TOLERANCE:
            raise Failure(f"wrong logits: off by {error:.2g} of the largest")
        return error

    def make_reference(self, network, batch):
        self.progress("reference logits")
        self.started(PEERS["onnxruntime"], network, batch, threads=1)
        os.replace(self.folder / "onnxruntime.npy", self.folder / "reference.npy")

    # The two measurements

    def speed(self, network, batch, threads, rounds, seconds):
        """Each round runs every engine for `seconds`, one after the other, the next round in another order."""
        self.make_reference(network, batch)
        workers, failures, errors = {}, {}, {}
        with contextlib.ExitStack() as stack:
            for peer in self.peers:
                self.progress(f"loading in {peer.title}")
                try:
                    request = self.request("time", peer, network, batch, threads)
                    log = self.folder / f"{peer.name}.log"
                    worker = Worker(request, log, self.environment(threads))
                    stack.callback(worker.close)
                    worker.answer()
                    errors[peer.name] = self.error(peer.name)
                    workers[peer.name] = worker.latencies
                except Failure as failure:
                    failures[peer.name] = str(failure)
            if self.martlet:
                try:
                    self.martlet_started(network, batch, threads)
                    errors["martlet"] = self.error("martlet")
                    workers["martlet"] = lambda seconds: self.martlet.latencies(network, batch, threads, seconds)
                except Failure as failure:
                    failures["martlet"] = str(failure)
            latencies = self.rounds(workers, failures, rounds, lambda run: run(seconds))
        figures = {
            name: {
                "p10_ms": percentile(sum(values, []), 10),
                "median_ms": percentile(sum(values, []), 50),
                "round_p10_ms": [percentile(value, 10) for value in values],
                "runs": sum(map(len, values)),
                "error": errors[name],
            }
            for name, values in latencies.items()
        }
        return {"figures": figures, "failures": failures}

    def start(self, network, threads, rounds):
        """Each round starts every engine once, on one image."""
        self.make_reference(network, 1)
        starts = {
            peer.name: lambda peer=peer: self.started(peer, network, 1, threads) for peer in self.peers
        }
        if self.martlet:
            starts["martlet"] = lambda: self.martlet_started(network, 1, threads)
        failures = {}
        for name, start in list(starts.items()):
            # Once without the clock: it finds the files in the page cache, as every later one does.
            try:
                start()
                self.error(name)
            except Failure as failure:
                failures[name] = str(failure)
                del starts[name]
        samples = self.rounds(starts, failures, rounds, lambda start: start())
        figures = {
            name: {key: percentile([sample[key] for sample in values], 10) for key in values[0]}
            for name, values in samples.items()
        }
        return {"figures": figures, "failures": failures}

    def rounds(self, actions, failures, rounds, act):
        """What `act` returns for each action in each round. One that fails leaves, and its figures with it."""
        actions = dict(actions)
        samples = {name: [] for name in actions}
        for index in range(rounds):
            self.progress(f"round {index + 1} of {rounds}")
            names = list(actions)
            for name in names[index % max(1, len(names)) :] + names[: index % max(1, len(names))]:
                try:
                    samples[name].append(act(actions[name]))
                except Failure as failure:
                    failures[name] = str(failure)
                    del actions[name]
        return {name: samples[name] for name in actions}
