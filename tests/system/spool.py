"""The spool as a process of its own, that can be killed, traced and robbed of its disk (tests/spool/spool_tool.cpp)."""

import json
import os
import subprocess
from pathlib import Path

from hub import BINARY

BIN = Path(BINARY).parent
TOOL = str(BIN / "spool_tool")
IO_FAULT = str(BIN / "libio_fault.so")
LONG = os.environ.get("TRIBUTARY_LONG") == "1"
HANG = 60  # seconds; nothing here takes long


def verify(folder):
    """Starts it on what is there, reads everything and checks that the counters add up. Answers them."""
    done = subprocess.run([TOOL, "verify", str(folder)], capture_output=True, text=True, timeout=HANG)
    assert done.returncode == 0, done.stdout + done.stderr
    counters = json.loads(done.stdout.splitlines()[-1])
    ended = sum(counters[name] for name in ("delivered", "dead", "dropped", "lost"))
    assert counters["accepted"] == ended + counters["waiting"], counters
    assert counters["found"] == counters["waiting"], counters
    return counters


def set_aside(folder):
    """The damaged files that were found so far."""
    return sorted(path.name for path in Path(folder).glob("spool.damaged-*.db"))


def numbers(lines, word):
    """N of each line "word N"."""
    return [int(line.split()[1]) for line in lines if line.startswith(word + " ")]
