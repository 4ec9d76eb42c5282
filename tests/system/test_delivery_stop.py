"""G11, edge case 34: SIGTERM while the destination is there, gone or mute: exit 0 within 10 s, and nothing is lost."""

import os

from delivery import ByHand, Line
from fault_proxy import FaultProxy
from figures import record, within
from postgres import Postgres

LONG = os.environ.get("TRIBUTARY_LONG") == "1"
STOPS = 100 if LONG else 30


def test_g11_edge_34_a_stop_loses_nothing_whatever_the_destination_does(tmp_path):
    with Postgres() as database, FaultProxy(database.port) as proxy:
        line = Line(tmp_path, database, database_port=proxy.port)
        hand = ByHand(line.hub, line.from_hand())
        longest = 0.0
        try:
            hand.start()
            for i in range(STOPS):
                proxy.order(("pass", "refuse", "stall")[i % 3])
                if i % 3 == 1:
                    proxy.order("cut rst")
                hand.stopping.wait(0.3)
                code, took = line.hub.stop()
                assert code == 0, line.hub.output[-20:]
                longest = max(longest, took)
                line.hub.start()
            hand.end()
            proxy.order("pass")
            line.drain(120)
            missing = hand.acknowledged - set(line.rows("hand"))
            record("G11 stops", STOPS)
            record("G11 records acknowledged", len(hand.acknowledged))
            within("G11 longest stop", longest, 10, "s")
            within("G11 missing", len(missing), 0)
            for pipeline in line.pipelines.values():
                line.balanced(pipeline)
        finally:
            hand.stopping.set()
            line.close()
