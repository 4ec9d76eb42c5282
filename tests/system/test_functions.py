"""Functions of a connection: writes whose outcome nobody knows, functions that rest, subscriptions that fall silent."""

import subprocess
import threading
import time

from hub import wait_for

from test_faults import FAST, connected, points


def test_edge_39_a_write_cut_before_its_answer_is_unknown_and_made_once(hub, device):
    connection = connected(hub, device)
    function = hub.function(connection, "set", "modbus.write", {**points(5), "values": {"r5": 1500}})
    device.mode = "cut"
    answer = hub.execute(function)
    assert not answer["success"]
    assert answer["error"]["code"] == "outcome_unknown" and answer["error"]["outcomeUnknown"] is True, answer
    device.mode = "good"
    hub.wait_status(connection, "Connected")
    time.sleep(1.5)
    assert len(device.writes) == 1, "the device saw exactly one write"


def test_edge_39_a_durable_delivery_repeats_an_unknown_write_only_when_it_is_idempotent(hub, device):
    connection = connected(hub, device)

    def deliver(name, **more):
        function = hub.api("POST", f"/connections/{connection['id']}/functions", {
            "name": name, "type": "modbus.write", "settings": {**points(5), "values": {"r5": 7}}, **more})
        pipeline = hub.api("POST", "/pipelines", {
            "name": name, "enabled": True,
            "nodes": [{"id": "t", "type": "trigger.manual"},
                      {"id": "d", "type": "function", "settings": {"functionId": function["id"], "parameters": {}}, "delivery": {"mode": "durable"}}],
            "edges": [{"from": "t", "to": "d"}]})
        device.writes.clear()
        device.mode = "cut"
        hub.api("POST", f"/pipelines/{pipeline['id']}/run", {"input": {"a": 1}})  # answered when it is on disk
        wait_for(lambda: device.writes, 10, what="the first write")
        device.mode = "good"
        hub.wait_status(connection, "Connected")
        return pipeline

    once = deliver("once")
    (letter,) = wait_for(lambda: hub.api("GET", f"/pipelines/{once['id']}/deadletters")["items"], 10, what="the dead letter")
    assert letter["reason"]["code"] == "outcome_unknown" and letter["reason"]["outcomeUnknown"] is True
    time.sleep(1.5)
    assert len(device.writes) == 1
    deliver("again", idempotent=True)
    wait_for(lambda: len(device.writes) == 2, 10, what="the repetition")


def test_a_function_that_fails_rests_and_the_others_go_on(hub, device):
    connection = connected(hub, device)
    broken = hub.function(connection, "broken", "modbus.read", points(1))
    healthy = hub.function(connection, "healthy", "modbus.read", points(2))
    device.mode = "exception"
    for _ in range(5):
        assert hub.execute(broken)["error"]["code"] == "illegal_address"
    device.mode = "good"
    refused = hub.execute(broken)["error"]
    assert refused["code"] == "function_breaker_open" and refused["class"] == "Busy"
    assert 20_000 < refused["retryAfterMs"] <= 30_000
    assert hub.api("GET", f"/functions/{broken['id']}")["breaker"]["state"] == "open"
    assert hub.values(healthy)["r2"]["value"] == 2
    assert hub.state(connection)["breaker"]["consecutiveFailures"] == 0
    hub.api("PATCH", f"/functions/{broken['id']}", {"description": "corrected"}, headers={"If-Match": "*"})
    assert hub.values(broken)["r1"]["value"] == 1, "an edit ends the rest"


def test_the_deadline_of_a_call_is_checked_and_holds(hub, device):
    connection = connected(hub, device)
    function = hub.function(connection, "slow", "modbus.read", points(1))
    refused = hub.api("POST", f"/functions/{function['id']}/execute", {"timeoutMs": 300001}, expect=422)
    assert refused["errors"][0]["pointer"] == "/timeoutMs"
    device.delay = 0.4
    answer = hub.api("POST", f"/functions/{function['id']}/execute", {"timeoutMs": 100})
    assert answer["error"]["code"] == "call_timeout", answer
    assert answer["durationMs"] < 390
    time.sleep(0.6)
    device.delay = 0.0
    assert hub.state(connection)["status"] == "Connected", "an impatient caller costs no session"
    assert device.connections == 1


def test_a_connector_shows_the_defaults_of_its_family(hub):
    properties = hub.api("GET", "/connectors/mqtt")["reconnectSchema"]["properties"]
    assert properties["maxDelayMs"]["default"] == 60_000
    assert properties["keepAlive"]["properties"]["idleSeconds"]["default"] == 10
    assert properties["functionBreaker"]["properties"]["openMs"]["default"] == 30_000
    assert "connectTimeoutMs" not in properties, "MQTT has it among its settings"


def test_a_publisher_that_stops_is_noticed_although_the_broker_is_there(hub, broker):
    connection = hub.connection("Broker", "mqtt", {"host": "127.0.0.1", "port": broker.port},
                                reconnect={**FAST, "rebuildSilentAfterMs": 3000})
    hub.wait_status(connection, "Connected")
    function = hub.api("POST", f"/connections/{connection['id']}/functions", {
        "name": "temperature", "type": "mqtt.subscribe", "freshness": {"expectMs": 1000},
        "settings": {"topics": [{"topic": "plant/t", "qos": 1}], "format": "json"}})
    publishing = threading.Event()
    publishing.set()
    ended = threading.Event()

    def publish():
        while not ended.is_set():
            if publishing.is_set():
                subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(broker.port), "-t", "plant/t", "-m", "21.5"], check=False)
            time.sleep(0.2)

    publisher = threading.Thread(target=publish)
    publisher.start()
    try:
        def subscription():
            return hub.api("GET", f"/functions/{function['id']}")["subscription"]
        wait_for(lambda: subscription()["restored"] and subscription()["status"] == "active", 15, what="the first value")
        assert subscription()["expectedMs"] == 1000
        publishing.clear()
        wait_for(lambda: subscription()["status"] == "silent", 15, what="silence")
        state = hub.state(connection)
        assert state["status"] == "Connected"
        assert "1 of 1 subscriptions" in state["degraded"] and "silent since" in state["degraded"], state
        meta = hub.api("GET", f"/functions/{function['id']}/values")["records"][0]["$meta"]
        assert meta["quality"] == "uncertain" and meta["ageMs"] >= 1000, meta
        wait_for(lambda: any((e["cause"] or {}).get("code") == "silent" for e in hub.events(connection)), 20, what="a new session")
        hub.wait_status(connection, "Connected")
        publishing.set()
        wait_for(lambda: subscription()["restored"] and subscription()["status"] == "active", 15, what="the values after the silence")
        wait_for(lambda: hub.state(connection)["degraded"] is None, 5, what="a clean state")
    finally:
        ended.set()
        publisher.join()


def test_edge_40_a_retained_message_is_never_shown_as_good(hub, broker):
    subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(broker.port), "-t", "plant/old", "-m", "19", "-r"], check=True)
    connection = hub.connection("Broker", "mqtt", {"host": "127.0.0.1", "port": broker.port})
    hub.wait_status(connection, "Connected")
    function = hub.function(connection, "old", "mqtt.subscribe", {"topics": [{"topic": "plant/old", "qos": 1}], "format": "json"})

    def record():
        records = hub.api("GET", f"/functions/{function['id']}/values").get("records")
        return records[0] if records else None
    wait_for(record, 10, what="the retained message")
    kept = record()
    assert kept["retained"] is True and kept["payload"] == 19
    assert kept["$meta"]["quality"] == "uncertain" and kept["$meta"]["ageMs"] >= 0
    assert hub.api("GET", f"/functions/{function['id']}")["subscription"]["restored"] is False
    subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(broker.port), "-t", "plant/old", "-m", "20"], check=True)
    wait_for(lambda: record()["payload"] == 20, 10, what="the fresh message")
    assert "quality" not in record()["$meta"]
    hub.api("POST", f"/connections/{connection['id']}/stop")
    assert record()["$meta"]["quality"] == "bad"
