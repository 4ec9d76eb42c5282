"""G5 and edge case 28: a full disk refuses intake with a clear reason, loses nothing, and is back to normal within five seconds after
space returns, without anybody's help. On a file system of 64 MiB of the test's own."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import figures
import pytest
from spool import HANG, LONG, TOOL, set_aside

ROUNDS = 20
FULL_SECONDS = 60 if LONG else 1
HEAL_LIMIT = 5.0
CRUMB = 256 << 10
MOUNT = 'mount -t tmpfs -o size=64m,mode=0700 tmpfs "$1" && shift && exec "$@"'


class Pump:
    """The tool that offers and drains without end; `last` is what it counted most recently."""

    def __init__(self, folder):
        self.process = subprocess.Popen([TOOL, "pump", str(folder)], stdout=subprocess.PIPE, text=True)
        self.last = None
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.last = json.loads(line)

    def counted(self, node, member):
        return self.last[node][member] if self.last else 0

    def refused(self, code):
        return sum(queue["refused"].get(code, 0) for queue in self.last.values())

    def wait(self, condition, seconds, what):
        begin = time.monotonic()
        while not (self.last and condition()):
            assert self.process.poll() is None, f"it ended with {self.process.returncode}"
            assert time.monotonic() - begin < seconds, f"{what}: not within {seconds} s: {self.last}"
            time.sleep(0.01)
        return time.monotonic() - begin

    def finish(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(HANG) == 0
        self._reader.join()
        return self.last


def fill(path):
    with open(path, "wb", buffering=0) as file:
        for size in (1 << 20, 4096):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                pass


def fill_and_free(folder):
    """Inside the mount namespace: the proof itself."""
    folder = Path(folder)
    pump = Pump(folder)
    pump.wait(lambda: pump.counted("d1", "acknowledged") > 0, HANG, "work begins")
    slowest = 0.0
    for _ in range(ROUNDS):
        before = pump.refused("disk_full")
        pump.process.send_signal(signal.SIGUSR1)  # the destination is away, the spool grows
        fill(folder / "ballast")
        pump.wait(lambda: pump.refused("disk_full") > before, HANG, "intake is refused")
        time.sleep(FULL_SECONDS)
        # A little space, too little for intake: what waits is delivered all the same.
        os.truncate(folder / "ballast", (folder / "ballast").stat().st_size - CRUMB)
        delivered = pump.counted("d1", "delivered")
        pump.process.send_signal(signal.SIGUSR2)
        pump.wait(lambda: pump.counted("d1", "delivered") > delivered, HANG, "what waits is delivered")
        (folder / "ballast").unlink()
        accepted = pump.counted("d1", "acknowledged")
        slowest = max(slowest, pump.wait(lambda: pump.counted("d1", "acknowledged") > accepted, HANG, "work goes on"))
    last = pump.finish()
    figures.record("G5 rounds of a full disk", ROUNDS)
    figures.within("G5 slowest return to work after space came back", slowest, HEAL_LIMIT, "s")
    for queue in last.values():
        refused = sum(queue["refused"].values())
        figures.record("G5 entries offered", queue["offered"])
        figures.record("G5 of these refused because the disk was full", queue["refused"].get("disk_full", 0))
        assert set(queue["refused"]) <= {"disk_full", "spool_full"}, queue
        assert queue["waiting"] == queue["lost"] == 0, queue
        assert queue["accepted"] == queue["acknowledged"], queue
        assert queue["offered"] == queue["delivered"] + refused + queue["dropped"], queue
    assert last["d2"]["dropped"] > 0, "the policy had something to drop"
    assert set_aside(folder) == [], "a full disk is not damage"


def test_edge_28_a_full_disk_refuses_and_heals(tmp_path):
    possible = subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-c", MOUNT, "sh", str(tmp_path), "true"],
                              capture_output=True, text=True)
    if possible.returncode != 0:
        pytest.skip(f"a file system of its own is not permitted here: {possible.stderr.strip()}")
    done = subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-c", MOUNT, "sh", str(tmp_path), sys.executable,
                           os.path.abspath(__file__), str(tmp_path)], capture_output=True, text=True)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr


if __name__ == "__main__":
    fill_and_free(sys.argv[1])
