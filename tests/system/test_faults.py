"""Devices and brokers that are dead, mute, lying or half-open: right class and sentence, right status, no wrong value."""

import socket
import threading
import time

import pytest
from hub import Mosquitto, Process, free_port, wait_for, wait_port

# Quick to notice and quick to come back, so that a test sees several attempts.
FAST = {"initialDelayMs": 200, "maxDelayMs": 400, "cooldownMs": 60000, "failuresToOpen": 1000}


def modbus(port, **more):
    return {"transport": "tcp", "host": "127.0.0.1", "port": port, "unitId": 1, "requestTimeoutMs": 500, "connectTimeoutMs": 1000, **more}


def points(*addresses):
    return {"points": [{"name": f"r{a}", "area": "holdingRegisters", "address": a, "dataType": "uint16"} for a in addresses]}


def connected(hub, device, name="Device", **more):
    connection = hub.connection(name, "modbus", modbus(device.port), reconnect=FAST, **more)
    hub.wait_status(connection, "Connected")
    return connection


def test_refusing_host(hub):
    connection = hub.connection("Refusing", "modbus", modbus(free_port()), reconnect=FAST)
    state = hub.wait_status(connection, "Disconnected")
    assert state["cause"]["class"] == "Transient"
    assert state["cause"]["code"] == "connection_refused"
    assert "refused" in state["cause"]["message"] and "127.0.0.1" in state["cause"]["message"]
    assert state["nextAttemptAt"]
    assert state["breaker"]["consecutiveFailures"] >= 1


def test_unknown_host(hub):
    connection = hub.connection("Nowhere", "modbus", {**modbus(502), "host": "no-such-host.invalid"}, reconnect=FAST)
    state = hub.wait_status(connection, "Disconnected", seconds=20)
    assert state["cause"]["class"] == "Name"
    assert "no-such-host.invalid" in state["cause"]["message"]


def test_host_that_drops_packets(hub):
    """A full listen queue drops every further SYN, as a firewall would."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        fillers = []
        for _ in range(8):
            filler = socket.socket()
            filler.setblocking(False)
            try:
                filler.connect(("127.0.0.1", port))
            except BlockingIOError:
                pass
            fillers.append(filler)
        time.sleep(0.2)
        connection = hub.connection("Dropping", "modbus", modbus(port), reconnect=FAST)
        state = hub.wait_status(connection, "Disconnected", seconds=10)
        assert state["cause"]["class"] == "Transient"
        assert state["cause"]["code"] in ("connect_timeout", "timeout"), state["cause"]
        for filler in fillers:
            filler.close()


@pytest.mark.parametrize("mode,codes", [
    ("mute", ("timeout",)),
    ("close", ("connection_closed", "connection_reset")),
    ("garbage", ("protocol_error",)),
    ("truncated", ("connection_closed", "connection_reset", "timeout")),
])
def test_peer_that_accepts_and_fails(hub, device, mode, codes):
    device.mode = mode
    connection = hub.connection(mode, "modbus", modbus(device.port), reconnect=FAST)
    state = hub.wait_status(connection, "Disconnected")
    assert state["cause"]["class"] == "Transient", state["cause"]
    assert state["cause"]["code"] in codes, state["cause"]
    assert state["cause"]["message"] and state["cause"]["hint"] is not None
    device.mode = "good"
    hub.wait_status(connection, "Connected")


@pytest.mark.parametrize("mode", ["wrong_transaction", "wrong_unit", "wrong_function", "late", "merged", "truncated", "mute", "garbage"])
def test_no_wrong_value_ever(hub, device, mode):
    """Each register holds its own address: whatever the device does, a good sample must say its address."""
    connection = connected(hub, device)
    function = hub.function(connection, "read", "modbus.read", points(0, 5, 17, 300))
    seen = 0
    for round_ in range(60):
        device.mode = mode if round_ % 3 else "good"
        answer = hub.execute(function)
        if not answer["success"]:
            continue
        for sample in answer["data"]["samples"]:
            if sample["quality"] == "good":
                seen += 1
                assert sample["value"] == int(sample["point"][1:]), (mode, sample)
    device.mode = "good"
    hub.wait_status(connection, "Connected")
    assert seen > 0


def test_exception_codes_are_the_functions_problem(hub, device):
    connection = connected(hub, device)
    function = hub.function(connection, "read", "modbus.read", points(1))
    device.mode = "exception"
    answer = hub.execute(function)
    text = str(answer)
    assert "illegal" in text.lower() and "address" in text.lower(), answer
    if answer["success"]:
        assert answer["data"]["samples"][0]["quality"] == "bad"
        assert answer["data"]["samples"][0]["error"]["code"]
    assert hub.state(connection)["status"] == "Connected", "an exception answer is an answer"
    device.mode = "good"
    assert hub.values(function)["r1"]["value"] == 1


def test_one_bad_point_leaves_the_others(hub, pymodbus_server):
    connection = hub.connection("pymodbus", "modbus", modbus(pymodbus_server.port))
    hub.wait_status(connection, "Connected")
    function = hub.function(connection, "mixed", "modbus.read", points(3, 4, 1998, 60000))
    values = hub.values(function)
    assert [values[p]["value"] for p in ("r3", "r4", "r1998")] == [3, 4, 1998]
    assert values["r60000"]["quality"] == "bad" and values["r60000"]["error"]["code"]
    assert values["r60000"]["value"] is None


async def collect_values(hub, function, seconds, on_message):
    import asyncio
    import json

    import websockets
    uri = f"ws://127.0.0.1:{hub.port}/api/v1/stream"
    async with websockets.connect(uri, extra_headers={"Authorization": f"Bearer {hub.token}"}) as socket_:
        await socket_.send(json.dumps({"subscribe": 1, "topic": "values", "functionId": function["id"]}))
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                message = json.loads(await asyncio.wait_for(socket_.recv(), left))
            except asyncio.TimeoutError:
                return
            if on_message(message, time.monotonic()):
                return


def samples_of(message):
    data = message.get("data")
    if isinstance(data, dict):
        data = data.get("samples", [data])
    return [s for s in data or [] if isinstance(s, dict) and "quality" in s]


def test_values_turn_bad_within_a_second_of_the_loss(hub, device):
    import asyncio
    connection = connected(hub, device)
    function = hub.function(connection, "watch", "modbus.subscribe", {**points(7), "intervalMs": 100, "reportOn": "always"})
    seen = {}

    def watch(message, now):
        for sample in samples_of(message):
            if sample["quality"] == "good" and "good" not in seen:
                assert sample["value"] == 7
                seen["good"] = now
                device.cut()
                seen["cut"] = time.monotonic()
            elif sample["quality"] == "bad" and "cut" in seen:
                seen["bad"] = now
                return True
        return False

    asyncio.run(collect_values(hub, function, 15, watch))
    assert "bad" in seen, seen
    assert seen["bad"] - seen["cut"] < 1.0 + 0.5  # the request in flight has 500 ms
    try:
        state = hub.wait_status(connection, "Disconnected", "Reconnecting")
    except AssertionError as late:
        raise AssertionError(f"{late}\n{seen}\n{hub.events(connection)}\n{hub.api('GET', '/functions/' + function['id'])}") from None
    assert state["cause"]["code"] in ("connection_reset", "connection_closed", "connection_refused")


def test_device_comes_back_by_itself(hub, device):
    connection = connected(hub, device)
    function = hub.function(connection, "read", "modbus.read", points(9))
    device.cut()
    hub.wait_status(connection, "Disconnected", "Reconnecting")
    refusal = hub.execute(function)
    assert refusal["success"] is False and refusal["error"]["code"] == "connection_disconnected", refusal
    device.open()
    hub.wait_status(connection, "Connected")
    assert hub.values(function)["r9"]["value"] == 9
    chain = hub.events(connection)
    for earlier, later in zip(chain, chain[1:]):
        assert later["seq"] == earlier["seq"] + 1 and later["from"] == earlier["to"], chain


def test_broker_back_without_its_sessions_is_subscribed_again(hub, tmp_path):
    """Edge case 8, shown by data received."""
    broker = Mosquitto(tmp_path)
    try:
        connection = hub.connection("Broker", "mqtt", {"host": "127.0.0.1", "port": broker.port, "cleanSession": False}, reconnect=FAST)
        hub.wait_status(connection, "Connected")
        subscribe = hub.function(connection, "all", "mqtt.subscribe", {"topics": [{"topic": "plant/#", "qos": 1}], "format": "json"})
        publish = hub.function(connection, "say", "mqtt.publish", {"topic": "plant/line", "qos": 1, "payload": "((payload))"})

        def arrives(value):
            def published_and_seen():
                hub.execute(publish, {"payload": {"n": value}})
                return hub.api("GET", f"/functions/{subscribe['id']}")["subscription"]["samples"]
            return published_and_seen()

        first = wait_for(lambda: arrives(1), 15, what="a message before the restart")
        broker.stop()
        hub.wait_status(connection, "Disconnected", "Reconnecting")
        broker = Mosquitto(tmp_path, port=broker.port)
        hub.wait_status(connection, "Connected", seconds=20)
        begin = time.monotonic()
        wait_for(lambda: (arrives(2) or 0) > first, 10, what="a message after the restart")
        assert time.monotonic() - begin <= 10
    finally:
        broker.stop()


def test_wrong_password_is_not_hammered(hub, tmp_path):
    passwords = tmp_path / "passwords"
    import subprocess
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), "line3", "right-password"], check=True)
    passwords.chmod(0o644)
    broker = Mosquitto(tmp_path, lines=["allow_anonymous false", f"password_file {passwords}"])
    try:
        connection = hub.connection("Guarded", "mqtt", {"host": "127.0.0.1", "port": broker.port, "username": "line3"},
                                    secrets={"password": "wrong-password"}, reconnect=FAST)
        state = hub.wait_status(connection, "Disconnected", "Failed")
        assert state["cause"]["class"] == "Identity", state
        time.sleep(2)
        assert sum("not authorised" in line.lower() or "Not authorized" in line for line in broker.output) <= 2, broker.output
        hub.api("PATCH", f"/connections/{connection['id']}", {"secrets": {"password": "right-password"}}, headers={"If-Match": "*"})
        hub.wait_status(connection, "Connected", seconds=5)
    finally:
        broker.stop()


def test_staged_test_of_an_unsaved_profile(hub, device):
    body = {"name": "t", "type": "modbus", "settings": modbus(device.port)}
    good = hub.api("POST", "/connections/test", body)
    assert good["success"] is True and all(s["ok"] for s in good["stages"])
    assert [s["stage"] for s in good["stages"]][:2] == ["resolve", "tcp"]
    bad = hub.api("POST", "/connections/test", {**body, "settings": modbus(free_port())})
    assert bad["success"] is False
    failed = bad["stages"][-1]
    assert failed["stage"] == "tcp" and failed["error"]["code"] == "cannot_connect" and failed["error"]["hint"]
    assert failed["error"]["pointer"].startswith("/settings/")
    device.mode = "mute"
    mute = hub.api("POST", "/connections/test", body)
    assert mute["success"] is False and mute["stages"][-1]["error"]["code"] in ("timeout", "wrong_port_or_protocol")
    assert hub.api("GET", "/connections")["items"] == []
