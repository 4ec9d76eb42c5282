"""G6: the order of every key is kept, across outages of the destination and kills of the hub."""

import os
import threading
import time

from delivery import ByBroker, Line
from fault_proxy import FaultProxy
from figures import record, within
from hub import Mosquitto, wait_for
from postgres import Postgres

LONG = os.environ.get("TRIBUTARY_LONG") == "1"
KEYS = 32
RECORDS = KEYS * (100_000 if LONG else 500)
KILLS = 20 if LONG else 6


def inversions(rows):
    """Records that came after a later one of their key, when what came twice counts once."""
    last, seen, count = {}, set(), 0
    for key, number in rows:
        if number in seen:
            continue
        seen.add(number)
        if number < last.get(key, -1):
            count += 1
        last[key] = max(number, last.get(key, -1))
    return count


def test_g6_order_is_kept_across_outages_and_kills(tmp_path):
    broker = Mosquitto(tmp_path, lines=["allow_anonymous true", "max_queued_messages 0", "max_inflight_messages 100"])
    with Postgres() as database, FaultProxy(database.port) as proxy:
        line = Line(tmp_path, database, broker.port, database_port=proxy.port)
        line.from_broker()
        messages = ByBroker(broker.port, rate=2000.0, count=RECORDS, keys=KEYS)
        stopping = threading.Event()

        def toggle():
            while not stopping.wait(2):
                proxy.order("refuse")
                proxy.order("cut rst")
                stopping.wait(0.7)
                proxy.order("pass")
        toggler = threading.Thread(target=toggle, daemon=True)
        try:
            toggler.start()
            messages.start()
            for _ in range(KILLS):
                time.sleep(1.5)
                line.hub.kill()
                line.hub.start()
            messages.join(600)
            stopping.set()
            toggler.join()
            proxy.order("pass")
            messages.end()
            wait_for(lambda: int(database.sql("select count(distinct n) from got")) >= RECORDS, 300, every=1, what="every record")
            rows = [(int(k), int(n)) for k, n in database.rows("select k, n from got order by serial")]
            record("G6 records", RECORDS)
            record("G6 delivered twice", len(rows) - RECORDS)
            within("G6 inversions", inversions(rows), 0)
            assert {n for _, n in rows} == set(range(RECORDS)), "every record, and no other"
        finally:
            stopping.set()
            messages.stopping.set()
            messages.process.kill()
            line.close()
            broker.stop()
