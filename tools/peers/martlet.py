"""Martlet among the engines: commands, each a process that does the whole job."""

import dataclasses
import hashlib
import itertools
import json
import os
import subprocess

from peers.failure import PATIENCE, Failure, last_line
from peers.worker import LEAST_RUNS


@dataclasses.dataclass(frozen=True)
class Martlet:
    path: str
    instruction_set: str | None = None

    name = "martlet"
    title = "Martlet"

    @property
    def environment(self):
        forced = {"MARTLET_ISA": self.instruction_set} if self.instruction_set else {}
        return {**os.environ, **forced}

    def version(self):
        return self.answer(["--version"]).strip()

    def digest(self):
        """SHA-256 of the executable: the version does not tell two builds apart."""
        with open(self.path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def run_command(self, network, threads, x, y):
        files = ["--input", str(x), "--output", str(y)]
        return [self.path, "run", network.path, *files, "--threads", str(threads)]

    def latencies(self, network, batch, threads, seconds):
        """Milliseconds of each run of a fresh `martlet benchmark`, after its own warm-up of two runs."""
        numbers = ["--batch", str(batch), "--threads", str(threads), "--seconds", str(seconds)]
        latencies = json.loads(self.answer(["benchmark", network.path, *numbers, "--json"]))["latencies_ms"]
        # It runs five times at least, the peers LEAST_RUNS: of slow networks no more than those, or its 10th percentile
        # would be one of more runs.
        before = [0, *itertools.accumulate(latencies[:-1])]
        begun = sum(milliseconds < 1e3 * seconds for milliseconds in before)
        return latencies[: max(begun, LEAST_RUNS)]

    def answer(self, arguments):
        try:
            answer = subprocess.run(
                [self.path, *arguments],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Failure(str(error)) from error
        if answer.returncode != 0:
            raise Failure(last_line(answer.stderr))
        return answer.stdout
