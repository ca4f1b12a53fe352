"""Engines fail, and the reason belongs into the report."""

import signal

PATIENCE = 300  # seconds until an engine that does not answer has failed


class Failure(Exception):
    """Why an engine has no figure."""


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no message"


def ending(code, log):
    """How a process ended that should not have: its exit code and its last words."""
    if code is not None and code < 0:
        return f"ended by {signal.Signals(-code).name}"
    with open(log, encoding="utf-8", errors="replace") as file:
        return f"exit code {code}: {last_line(file.read())}"
