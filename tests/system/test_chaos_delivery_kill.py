"""G1: kill -9 of the hub, again and again, between real mosquitto and real PostgreSQL: nothing that was acknowledged is missing,
and a kill costs at most one batch of duplicates."""

import os
import random

from delivery import ByBroker, ByHand, Line, duplicates
from figures import record, within
from hub import Mosquitto
from postgres import Postgres

LONG = os.environ.get("TRIBUTARY_LONG") == "1"
KILLS = 1000 if LONG else 100
BATCH = 500  # records that a destination takes in one call


def test_g1_nothing_that_was_acknowledged_is_lost_by_kills(tmp_path):
    chance = random.Random(20261126)
    broker = Mosquitto(tmp_path, lines=["allow_anonymous true", "max_queued_messages 0", "max_inflight_messages 100"])
    with Postgres() as database:
        line = Line(tmp_path, database, broker.port)
        hand = ByHand(line.hub, line.from_hand())
        line.from_broker()
        messages = ByBroker(broker.port)
        try:
            hand.start()
            messages.start()
            for _ in range(KILLS):
                hand.stopping.wait(chance.uniform(0.05, 0.5))
                line.hub.kill()
                line.hub.start()
            hand.end()
            messages.end()
            sent = messages.sent

            def all_there():
                return len(set(line.rows("broker"))) >= sent
            from hub import wait_for
            line.drain(120)
            wait_for(all_there, 120, every=0.5, what="every message of the broker")
            line.drain(60)
            by_hand, by_broker = line.rows("hand"), line.rows("broker")
            missing = len(hand.acknowledged - set(by_hand)) + len(set(range(sent)) - set(by_broker))
            record("G1 kills", KILLS)
            record("G1 records acknowledged to the sender", len(hand.acknowledged) + sent)
            within("G1 acknowledged records that are missing", missing, 0)
            assert set(by_hand) <= hand.offered
            within("G1 duplicates a kill", (duplicates(by_hand) + duplicates(by_broker)) / KILLS, BATCH)
            for pipeline in line.pipelines.values():
                line.balanced(pipeline)
        finally:
            hand.stopping.set()
            messages.stopping.set()
            messages.process.kill()
            line.close()
            broker.stop()
