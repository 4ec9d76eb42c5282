"""G2 and edge case 30: nothing is acknowledged before it is flushed. Proven on the calls that the process makes: for each entry, a
flush of the file that begins after the last write of the entry, succeeds, and is over before the acknowledgement is written."""

import re
import shutil
import subprocess

import figures
import pytest
from spool import HANG, LONG, TOOL

COUNT = 5000 if LONG else 300
CALL = re.compile(r"^(\d+) +(\w+)\((\d+)<([^>]*)>")
RESUMED = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>")
MARK = re.compile(r"\[entry-(\d{8})\]")
FLUSHES = ("fsync", "fdatasync")


def completed_calls(trace):
    """(begin, end, name, path, succeeded, text) of each call, in the order of their ends; begin and end are places in the trace."""
    pending, calls = {}, []
    for at, line in enumerate(trace):
        call, resumed = CALL.match(line), RESUMED.match(line)
        succeeded = re.search(r"\) += \d+$", line) is not None
        if call and line.endswith("<unfinished ...>"):
            pending[call[1]] = (at, call[2], call[4], line)
        elif call:
            calls.append((at, at, call[2], call[4], succeeded, line))
        elif resumed and resumed[1] in pending:
            begin, name, path, text = pending.pop(resumed[1])
            calls.append((begin, at, name, path, succeeded, text))
    return calls


def test_edge_30_each_acknowledgement_comes_after_the_flush_of_what_it_promises(tmp_path):
    if not shutil.which("strace"):
        pytest.skip("strace is not installed here")
    trace = tmp_path / "trace"
    command = ["strace", "-f", "-y", "-s", "9000", "-e", "trace=write,pwrite64,pwritev,fsync,fdatasync", "-o", str(trace)]
    done = subprocess.run([*command, TOOL, "numbers", str(tmp_path), str(COUNT)], capture_output=True, text=True, timeout=10 * HANG)
    if done.returncode != 0 and "ptrace" in done.stderr:
        pytest.skip(f"tracing is not permitted here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    calls = completed_calls(trace.read_text(errors="replace").splitlines())

    written = {}  # entry: (end of its last write before its acknowledgement, path)
    flushes = []  # (begin, end, path) of those that succeeded
    proven, refuted = 0, []
    for begin, end, name, path, succeeded, text in calls:
        if name in FLUSHES and succeeded:
            flushes.append((begin, end, path))
        elif name == "write" and (acknowledged := re.search(r'"acked (\d+)\\n"', text)):
            number = int(acknowledged[1])
            wrote = written.get(number)
            if wrote and any(b > wrote[0] and e < begin and p == wrote[1] for b, e, p in flushes[-50:]):
                proven += 1
            else:
                refuted.append(number)
        elif name.startswith("pwrite"):
            for mark in MARK.findall(text):
                written[int(mark)] = (end, path)
    figures.record("G2 acknowledged entries", proven + len(refuted), at_least=COUNT)
    figures.record("G2 of these flushed before they were acknowledged", 100 * proven / COUNT, at_least=100, unit="%")
    assert refuted == [] and proven == COUNT
