"""G9: a backlog that is delivered late does not starve what is live: it is marked, keeps its times, and another pipeline to the same
database stays as quick as it was."""

import time

from delivery import ByHand, Line
from fault_proxy import FaultProxy
from figures import percentile, record
from postgres import Postgres

BACKLOG = 30_000


def latencies(database, source):
    return [float(row[0]) for row in
            database.rows(f"select extract(epoch from arrived) - sent from got where source = '{source}' and not coalesce(backfill, false)")]


def test_g9_live_data_is_not_starved_by_a_backlog(tmp_path):
    with Postgres() as database, FaultProxy(database.port) as proxy:
        line = Line(tmp_path, database, database_port=proxy.port)
        late = line.from_hand("late")
        live = ByHand(line.hub, line.from_hand("live"), source="live", batch=1, pause=0.02)
        try:
            line.hub.wait_status(line.sink, "Connected")
            live.start()
            time.sleep(5)
            undisturbed = percentile(latencies(database, "live"), 0.99)
            live.end()
            proxy.order("refuse")
            proxy.order("cut rst")
            for begin in range(0, BACKLOG, 5000):
                records = [{"n": i, "source": "late", "k": 0, "sent": time.time(), "$meta": {}} for i in range(begin, begin + 5000)]
                line.hub.api("POST", f"/pipelines/{late}/run", {"input": records})
            time.sleep(11)  # old enough to be backfill
            database.sql("delete from got where source = 'live'")
            proxy.order("pass")
            line.hub.wait_status(line.sink, "Connected")
            begin = time.monotonic()
            live = ByHand(line.hub, line.pipelines["live"], source="live", batch=1, pause=0.02)
            live.start()
            line.drain(120)
            took = time.monotonic() - begin
            live.end()
            line.drain(30)
            disturbed = percentile(latencies(database, "live"), 0.99)
            record("G9 live p99 undisturbed", 1000 * undisturbed, unit="ms")
            record("G9 live p99 while a backlog drains", 1000 * disturbed, unit="ms")
            record("G9 backlog delivered a second", BACKLOG / took)
            assert disturbed <= max(2 * undisturbed, 0.25), "live data waited behind the backlog"
            marked, = database.rows("select count(*), count(*) filter (where backfill) from got where source = 'late'")
            assert marked == [str(BACKLOG), str(BACKLOG)]
            assert line.rows("late") == list(range(BACKLOG))
        finally:
            live.stopping.set()
            line.close()
