"""G8, edge case 25: a record that the destination refuses does not stop the line: it is isolated, the others are delivered, and it
can be looked at, released and deleted."""

import time

import pytest
from delivery import Line
from figures import within
from hub import Mosquitto, wait_for
from postgres import Postgres


@pytest.fixture
def database():
    with Postgres() as made:
        yield made


@pytest.mark.parametrize("mode", ["insert", "copy"])
def test_g8_one_bad_row_of_10_000_becomes_a_dead_letter(tmp_path, database, mode):
    line = Line(tmp_path, database, mode=mode)
    try:
        database.sql("alter table got add constraint sane check (n <> 7777)")
        pipeline = line.from_hand()
        begin = time.monotonic()
        records = [{"n": i, "source": "hand", "k": 0, "sent": 0} for i in range(10_000)]
        line.hub.api("POST", f"/pipelines/{pipeline}/run", {"input": records})
        wait_for(lambda: len(line.rows("hand")) == 9_999, 30, what="9 999 rows")
        within(f"G8 sql, {mode}: blocked", time.monotonic() - begin, 10, "s")
        queue = wait_for(lambda: (q := line.balanced(pipeline))["waiting"] == 0 and q, what="an empty queue")
        assert (queue["delivered"], queue["deadLettered"], queue["deadLetters"]) == (9_999, 1, 1)
        (letter,) = line.hub.api("GET", f"/pipelines/{pipeline}/deadletters")["items"]
        assert letter["payload"]["record"]["n"] == 7777
        assert letter["nodeId"] == "d" and letter["attempts"] <= 3 and "sane" in letter["reason"]["message"]
        assert line.hub.api("GET", f"/pipelines/{pipeline}/deadletters/{letter['id']}") == letter
        # Released while the reason stands it comes back, and once it is gone it is delivered.
        line.hub.api("POST", f"/pipelines/{pipeline}/deadletters/{letter['id']}/release")
        again = wait_for(lambda: line.hub.api("GET", f"/pipelines/{pipeline}/deadletters")["items"], what="the letter's return")
        assert again[0]["payload"]["record"]["n"] == 7777
        database.sql("alter table got drop constraint sane")
        assert line.hub.api("POST", f"/pipelines/{pipeline}/deadletters/release", {"ids": [again[0]["id"]]}) == {"released": 1}
        wait_for(lambda: 7777 in line.rows("hand"), what="the released row")
        assert line.balanced(pipeline)["deadLetters"] == 0
    finally:
        line.close()


def test_g8_when_everything_is_refused_the_source_is_held_back_and_nothing_spins(tmp_path, database):
    line = Line(tmp_path, database, delivery={"maxBytes": 1 << 20})
    try:
        database.sql("alter table got add constraint never check (n < 0)")
        pipeline = line.from_hand()
        records = [{"n": i, "source": "hand", "k": 0, "sent": 0} for i in range(1000)]
        line.hub.api("POST", f"/pipelines/{pipeline}/run", {"input": records})
        begin, cpu = time.monotonic(), cpu_seconds(line.hub.process.pid)
        time.sleep(10)
        share = (cpu_seconds(line.hub.process.pid) - cpu) / (time.monotonic() - begin)
        within("G8 all refused: share of a core", 100 * share, 20, "%")
        queue = line.balanced(pipeline)
        assert queue["delivered"] == 0 and queue["deadLetters"] > 0
        letters = line.hub.api("GET", f"/pipelines/{pipeline}/deadletters?limit=5")
        assert len(letters["items"]) == 5 and letters["next"]
        assert line.hub.api("POST", f"/pipelines/{pipeline}/deadletters/delete", {"ids": [letters["items"][0]["id"]]}) == {"deleted": 1}
        line.hub.api("GET", f"/pipelines/{pipeline}/deadletters/{letters['items'][0]['id']}", expect=404)
    finally:
        line.close()


def test_g8_a_message_that_is_too_large_for_the_broker_is_set_aside(tmp_path, hub):
    broker = Mosquitto(tmp_path, lines=["allow_anonymous true", "message_size_limit 2000"])
    try:
        connection = hub.connection("broker", "mqtt", {"host": "127.0.0.1", "port": broker.port, "version": "5.0"},
                                    reconnect={"initialDelayMs": 100, "maxDelayMs": 300})
        publish = hub.function(connection, "publish", "mqtt.publish", {"topic": "out", "qos": 1})
        hub.wait_status(connection, "Connected")
        pipeline = hub.api("POST", "/pipelines", {"name": "p", "enabled": True, "nodes": [
            {"id": "t", "type": "trigger.manual"},
            {"id": "d", "type": "function", "settings": {"functionId": publish["id"]}, "delivery": {"mode": "durable"}}],
            "edges": [{"from": "t", "to": "d"}]})["id"]
        records = [{"n": i, "text": "x" * (5000 if i == 50 else 10)} for i in range(100)]
        hub.api("POST", f"/pipelines/{pipeline}/run", {"input": records})

        def ended():
            queue = hub.api("GET", f"/pipelines/{pipeline}")["state"]["nodes"][1]["delivery"]
            return queue if queue["waiting"] == 0 else None
        queue = wait_for(ended, 20, what="the end of delivery")
        assert (queue["delivered"], queue["deadLettered"]) == (99, 1)
        (letter,) = hub.api("GET", f"/pipelines/{pipeline}/deadletters")["items"]
        assert letter["payload"]["record"]["n"] == 50
    finally:
        broker.stop()


def cpu_seconds(pid):
    import os
    from pathlib import Path
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
