"""G1, the part of the spool: what it has acknowledged is there after kill -9 at any moment, once, and the counters add up."""

import random
import subprocess
import threading
import time

import figures
from spool import HANG, LONG, TOOL, numbers, set_aside, verify

KILLS = 1000 if LONG else 100


def test_everything_acknowledged_survives_kills_at_any_moment(tmp_path):
    acknowledged = settled = reading = missing = 0
    for kill in range(KILLS):
        process = subprocess.Popen([TOOL, "churn", str(tmp_path)], stdout=subprocess.PIPE, text=True)
        killer = threading.Timer(random.uniform(0.02, 0.3), process.kill)
        killer.start()
        lines = process.communicate(timeout=HANG)[0].splitlines()
        killer.cancel()
        assert process.returncode == -9, f"kill {kill}: it ended by itself: {lines[-1:]}"
        acknowledged = max([acknowledged, *numbers(lines, "acked")])
        settled = max([settled, *numbers(lines, "settled")])
        reading = max([reading, settled, *numbers(lines, "reading")])
        if kill % 5 == 4 or kill == KILLS - 1:  # in between, the next one starts on what the kill left
            counters = verify(tmp_path)
            missing += max(0, acknowledged - counters["accepted"])
            assert counters["lost"] == counters["dropped"] == counters["dead"] == 0, counters
            assert settled <= counters["delivered"] <= reading, (settled, counters, reading)
            assert counters["waiting"] == counters["accepted"] - counters["delivered"], "no gap and none twice"
            assert set_aside(tmp_path) == [], "a kill damages nothing"
    figures.record("G1 spool: kills", KILLS, at_least=100)
    figures.record("G1 spool: entries acknowledged", acknowledged)
    figures.within("G1 spool: acknowledged entries missing", missing, 0)
    assert acknowledged > KILLS, "it came to work between the kills"


def test_edge_27_a_kill_while_a_damaged_spool_is_mended_is_taken_up_again(tmp_path):
    process = subprocess.Popen([TOOL, "churn", str(tmp_path)], stdout=subprocess.PIPE, text=True)
    time.sleep(0.7)
    process.kill()
    process.communicate()
    before = verify(tmp_path)
    for kill in range(200 if LONG else 40):
        database = tmp_path / "spool.db"
        if database.exists() and kill % 4 == 0:  # damage, then kills in the midst of mending it
            with open(database, "r+b") as file:
                file.seek(8192 * 2 + random.randrange(8192))
                file.write(b"\xff")
        process = subprocess.Popen([TOOL, "verify", str(tmp_path)], stdout=subprocess.DEVNULL)
        time.sleep(random.uniform(0, 0.06))
        process.kill()
        process.wait()
    after = verify(tmp_path)
    assert after["accepted"] == before["accepted"]
    assert after["found"] + after["lost"] == before["found"], (before, after)
