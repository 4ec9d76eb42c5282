"""G2 (b): what the spool has acknowledged is there after a power cut, on a disk that forgets what was not flushed."""

import random
import subprocess
import threading

import figures
import pytest
from power import Disk
from spool import HANG, LONG, TOOL, numbers, set_aside, verify

CUTS = 1000 if LONG else 200
LYING_CUTS = 20


def run_until_the_cut(disk, longest=0.3):
    """What the process said before its machine lost its power, within so many seconds."""
    disk.power_on()
    process = subprocess.Popen([TOOL, "churn", str(disk.folder)], stdout=subprocess.PIPE, text=True, env=disk.environment())
    killer = threading.Timer(random.uniform(longest / 10, longest), process.kill)
    killer.start()
    lines = process.communicate(timeout=HANG)[0].splitlines()
    killer.cancel()
    assert process.returncode == -9, f"it ended by itself: {lines[-1:]}"
    return lines


def test_g2_everything_acknowledged_survives_power_cuts(tmp_path):
    disk = Disk(tmp_path / "data", tmp_path / "disk")
    acknowledged = settled = missing = worked = 0
    for cut in range(CUTS):
        lines = run_until_the_cut(disk)
        worked += bool(numbers(lines, "acked"))
        acknowledged = max([acknowledged, *numbers(lines, "acked")])
        settled = max([settled, *numbers(lines, "settled")])
        disk.cut(mixed=cut % 2 == 1)
        counters = verify(disk.folder)
        missing += max(0, acknowledged - counters["accepted"])
        assert counters["lost"] == counters["dropped"] == counters["dead"] == 0, counters
        assert settled <= counters["delivered"], (settled, counters)
        assert counters["waiting"] == counters["accepted"] - counters["delivered"], "no gap and none twice"
        assert set_aside(disk.folder) == [], "a power cut damages nothing"
        # Written and not acknowledged may be there as well; the numbers go on behind it.
        acknowledged, settled = counters["accepted"], counters["delivered"]
    figures.record("G2 power cuts", CUTS, at_least=200)
    figures.record("G2 entries acknowledged before power cuts", acknowledged)
    figures.within("G2 acknowledged entries missing after a power cut", missing, 0)
    assert worked > CUTS / 2, "it came to work between the cuts"


# The database is flushed only when the WAL is moved into it.
@pytest.mark.parametrize("lies, seconds", [("-wal", 0.3), ("spool.db", 4.0)])
def test_g2_a_flush_that_is_left_out_is_found_out(tmp_path, lies, seconds):
    """The proof that the proof above can fail: without one kind of flush entries are missing."""
    disk = Disk(tmp_path / "data", tmp_path / "disk", lies)
    for _ in range(LYING_CUTS):
        acknowledged = max([0, *numbers(run_until_the_cut(disk, seconds), "acked")])
        disk.cut(mixed=False)
        done = subprocess.run([TOOL, "verify", str(disk.folder)], capture_output=True, text=True, timeout=HANG)
        if done.returncode != 0 or verify(disk.folder)["accepted"] < acknowledged or verify(disk.folder)["lost"] > 0:
            return
    pytest.fail("nothing was missing: the power cuts take nothing away")
