"""G4: any single failure of the disk is survivable. Call k of each kind fails, for every k until the scenario ends without meeting the
fault. Each time the process either goes on and finishes, or says why it does not start; and all it has acknowledged is there."""

import concurrent.futures
import os
import subprocess
import tempfile
from pathlib import Path

import figures
import pytest
from spool import HANG, IO_FAULT, TOOL, numbers, verify

FAULTS = [("open", "EIO"), ("open", "ENOSPC"), ("write", "EIO"), ("pwrite", "EIO"), ("pwrite", "ENOSPC"), ("pwrite", "EINTR"),
          ("pwrite", "SHORT"), ("fsync", "EIO"), ("fsync", "EINTR"), ("fdatasync", "EIO"), ("fdatasync", "ENOSPC"),
          ("fdatasync", "EINTR"), ("rename", "EIO"), ("rename", "ENOSPC"), ("ftruncate", "EIO"), ("ftruncate", "ENOSPC"),
          ("unlink", "EIO")]
START_REFUSED = 3
CODES = {"disk_full", "spool_failed", "spool_unwritable"}


def run_tool(folder, call, kind, nth):
    """The scenario in `folder`, with the fault; and the file that is there when the fault was met."""
    folder.mkdir()
    fired = folder.with_suffix(".fired")
    environment = dict(os.environ, LD_PRELOAD=IO_FAULT, TRIBUTARY_FAULT_DIR=str(folder), TRIBUTARY_FAULT_CALL=call,
                       TRIBUTARY_FAULT_KIND=kind, TRIBUTARY_FAULT_NTH=str(nth), TRIBUTARY_FAULT_FIRED=str(fired))
    return subprocess.run([TOOL, "scenario", str(folder)], env=environment, capture_output=True, text=True, timeout=HANG), fired


def run_scenario(folder, call, kind, nth):
    """Runs it and judges it; whether the fault was met at all."""
    done, fired = run_tool(folder, call, kind, nth)
    lines = done.stdout.splitlines()
    acknowledged = max([0, *numbers(lines, "acked")])
    settled = max([0, *numbers(lines, "settled")])
    refusals = {line.split()[1] for line in lines if line.startswith("refused ")}
    assert refusals <= CODES, f"{call} {nth} {kind}: {refusals}"
    if done.returncode == START_REFUSED:
        assert acknowledged == 0 and refusals, lines
    else:
        assert done.returncode == 0, f"{call} {nth} {kind}: ended with {done.returncode}: {lines[-3:]} {done.stderr[-500:]}"
        assert (acknowledged, settled) == (50, 25), "it went on by itself"
    counters = verify(folder)
    assert counters["accepted"] == acknowledged, f"{call} {nth} {kind}: {counters}, acknowledged {acknowledged}"
    assert counters["delivered"] == settled and counters["lost"] == 0, f"{call} {nth} {kind}: {counters}, settled {settled}"
    return fired.exists()


@pytest.mark.parametrize("call, kind", FAULTS, ids=lambda value: value)
def test_any_call_may_fail_once(call, kind):
    parent = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # flushes cost nothing there, and there are thousands
    with tempfile.TemporaryDirectory(dir=parent) as folder, concurrent.futures.ThreadPoolExecutor(4) as pool:
        nth, met = 1, 0
        while True:
            batch = range(nth, nth + 8)
            fired = list(pool.map(lambda k: run_scenario(Path(folder) / str(k), call, kind, k), batch))
            met += sum(fired)
            if not all(fired):
                assert fired == sorted(fired, reverse=True), "calls are counted without a gap"
                break
            nth += 8
    figures.record(f"G4 {call} fails with {kind}: calls that failed, all survived", met)
    if call in ("pwrite", "fdatasync"):
        assert met > 15, "the scenario meets the disk often enough to mean something"


def test_edge_29_after_a_refused_flush_nothing_is_acknowledged_before_the_files_were_read_again(tmp_path):
    done, fired = run_tool(tmp_path / "spool", "fdatasync", "EIO", 12)
    assert done.returncode == 0 and fired.exists()
    lines = done.stdout.splitlines()
    refused = lines.index("refused spool_failed")
    assert numbers(lines[:refused], "acked"), "it was in the midst of its work"
    assert "the spool works again" in done.stderr, "the files were closed, opened and read in between"
    assert verify(tmp_path / "spool")["accepted"] == 50, "what was refused was not there, what came again is there once"
