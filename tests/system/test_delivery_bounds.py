"""G7, G10, edge cases 32 and 33: while the destination is away memory and disk stay bounded, and what is dropped is counted."""

import os
import time
from pathlib import Path

import pytest
from delivery import ByBroker, Line
from fault_proxy import FaultProxy
from figures import record, within
from hub import Mosquitto, wait_for
from postgres import Postgres

LONG = os.environ.get("TRIBUTARY_LONG") == "1"
SECONDS = 600 if LONG else 20
CAP = 8 << 20


def rss_mib(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def spool_mib(data):
    return sum(file.stat().st_size for file in Path(data).glob("spool*") if file.is_file()) / (1 << 20)


@pytest.mark.parametrize("when_full", ["block", "dropOldest", "dropNewest"])
def test_g7_edge_32_33_memory_and_disk_are_bounded_and_drops_are_counted(tmp_path, when_full):
    broker = Mosquitto(tmp_path, lines=["allow_anonymous true", "max_queued_messages 0", "max_inflight_messages 500"])
    with Postgres() as database, FaultProxy(database.port) as proxy:
        line = Line(tmp_path, database, broker.port, database_port=proxy.port, delivery={"maxBytes": CAP, "whenFull": when_full})
        pipeline = line.from_broker()
        messages = ByBroker(broker.port, rate=5000.0)
        try:
            line.hub.wait_status(line.sink, "Connected")
            proxy.order("refuse")
            proxy.order("cut rst")
            time.sleep(1)
            idle = rss_mib(line.hub.process.pid)
            messages.start()
            most, largest = idle, 0.0
            begin = time.monotonic()
            while time.monotonic() - begin < SECONDS:
                most = max(most, rss_mib(line.hub.process.pid))
                largest = max(largest, spool_mib(line.hub.data_dir))
                time.sleep(0.5)
            within(f"G7 {when_full}: memory above idle", most - idle, 64, "MiB")
            within(f"G7 {when_full}: spool on disk", largest, 3 * CAP / (1 << 20) + 16, "MiB")
            queue = line.balanced(pipeline)
            assert queue["waitingBytes"] <= CAP
            assert (queue["dropped"] > 0) == (when_full != "block")
            # A start with a full spool reads none of it into memory.
            line.hub.kill()
            line.hub.start()
            time.sleep(2)
            within(f"G7 {when_full}: memory after a start with a full spool", rss_mib(line.hub.process.pid) - idle, 64, "MiB")
            messages.end(300)
            proxy.order("pass")
            wait_for(lambda: line.queue(pipeline)["waiting"] == 0, 120, every=0.5, what="an empty queue")
            if when_full == "block":
                wait_for(lambda: len(set(line.rows("broker"))) == messages.sent, 300, every=1, what="every message")
            queue = line.balanced(pipeline)
            record(f"G10 {when_full}: offered, delivered, dropped", queue["accepted"])
            rows = line.rows("broker")
            assert len(rows) >= queue["delivered"] or when_full == "block"
            if when_full == "dropOldest":
                assert messages.sent - 1 in rows, "the newest survives"
            if when_full == "dropNewest":
                assert 0 in rows, "the oldest survives"
        finally:
            messages.stopping.set()
            messages.process.kill()
            line.close()
            broker.stop()
