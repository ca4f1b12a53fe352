"""Run a command and say when it began, when it ended and how much memory it took:

    python -I -S launch.py REPLY COMMAND...

writes a JSON object to the file REPLY. This is a program of its own because Linux counts what the parent held at the
time of the fork towards the child's peak: this parent is small.
"""

import json
import os
import sys
import time

start = time.monotonic_ns()
pid = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(pid, 0)
end = time.monotonic_ns()
answer = {
    "start_ns": start,
    "end_ns": end,
    "code": os.waitstatus_to_exitcode(status),
    "peak_bytes": usage.ru_maxrss * 1024,
}
with open(sys.argv[1], "w", encoding="utf-8") as reply:
    json.dump(answer, reply)
