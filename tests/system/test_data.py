"""Data that really flows: Modbus devices, a broker, pipelines between them, the demo plant, live events."""

import asyncio
import json
import subprocess
import time

from hub import SOURCE, wait_for
from test_faults import collect_values, connected, modbus, points, samples_of


def test_all_data_types_from_pymodbus(hub, pymodbus_server):
    """Holding register n holds n, so every type's value follows from its address and byte order."""
    import struct
    connection = hub.connection("pymodbus", "modbus", modbus(pymodbus_server.port))
    hub.wait_status(connection, "Connected")
    raw = lambda first, count: b"".join(struct.pack(">H", first + i) for i in range(count))
    swap_words = lambda data: b"".join(data[i:i + 2] for i in range(len(data) - 2, -1, -2))
    swap_bytes = lambda data: b"".join(data[i:i + 2][::-1] for i in range(0, len(data), 2))
    cases = {"uint16": (">H", 1), "int16": (">h", 1), "uint32": (">I", 2), "int32": (">i", 2), "uint64": (">Q", 4), "int64": (">q", 4),
             "float32": (">f", 2), "float64": (">d", 4)}
    orders = {"ABCD": lambda d: d, "CDAB": swap_words, "BADC": swap_bytes, "DCBA": lambda d: d[::-1]}
    wanted, listed = {}, []
    address = 100
    for kind, (form, count) in cases.items():
        for order, arrange in orders.items():
            if count == 1 and order in ("CDAB", "DCBA"):
                continue
            name = f"{kind}_{order}"
            listed.append({"name": name, "area": "holdingRegisters", "address": address, "dataType": kind, "byteOrder": order})
            wanted[name] = struct.unpack(form, arrange(raw(address, count)))[0]
            address += count
    listed.append({"name": "coil", "area": "coils", "address": 3, "dataType": "bool"})
    listed.append({"name": "input", "area": "discreteInputs", "address": 4, "dataType": "bool"})
    listed.append({"name": "scaled", "area": "inputRegisters", "address": 50, "dataType": "uint16", "scale": 0.5, "offset": -5})
    wanted |= {"coil": True, "input": False, "scaled": 20.0}
    function = hub.function(connection, "everything", "modbus.read", {"points": listed})
    values = hub.values(function)
    for name, value in wanted.items():
        assert values[name]["quality"] == "good", values[name]
        got = values[name]["value"]
        assert got == value or (isinstance(value, float) and abs(got - value) <= abs(value) * 1e-6), (name, got, value)


def test_write_and_read_back(hub, pymodbus_server):
    connection = hub.connection("pymodbus", "modbus", modbus(pymodbus_server.port))
    hub.wait_status(connection, "Connected")
    listed = [{"name": "speed", "area": "holdingRegisters", "address": 10, "dataType": "uint16"},
              {"name": "level", "area": "holdingRegisters", "address": 20, "dataType": "float32", "byteOrder": "CDAB"},
              {"name": "lamp", "area": "coils", "address": 8, "dataType": "bool"}]
    write = hub.function(connection, "write", "modbus.write", {"points": listed, "values": {"speed": 1500, "level": "((level))", "lamp": True}})
    assert hub.execute(write, {"level": 21.5})["success"]
    read = hub.function(connection, "read", "modbus.read", {"points": listed})
    values = hub.values(read)
    assert (values["speed"]["value"], values["level"]["value"], values["lamp"]["value"]) == (1500, 21.5, True)
    missing = hub.execute(write)
    assert missing["success"] is False and missing["error"]["code"] == "missing_parameter", missing
    beyond = hub.function(connection, "beyond", "modbus.write", {"points": listed[:1], "values": {"speed": "((v))"}})
    refused = hub.execute(beyond, {"v": 70000})
    assert refused["success"] is False and "70000" in refused["error"]["message"], refused
    assert hub.values(read)["speed"]["value"] == 1500


def test_report_on_change_with_deadband(hub, plant):
    connection = hub.connection("Plant", "modbus", modbus(plant.port))
    hub.wait_status(connection, "Connected")
    # A register that never moves on this device: its own address area beyond the model answers an exception or a constant.
    function = hub.function(connection, "change", "modbus.subscribe", {**points(0), "intervalMs": 50, "reportOn": "change", "deadband": 1e9})
    count = 0

    def watch(message, _):
        nonlocal count
        count += len(samples_of(message))
        return False
    asyncio.run(collect_values(hub, function, 2, watch))
    assert 1 <= count <= 3, "the first value, and then nothing beyond the deadband"


def received(broker, topic, seconds=15, count=1):
    done = subprocess.run(["mosquitto_sub", "-h", "127.0.0.1", "-p", str(broker.port), "-t", topic, "-C", str(count), "-W", str(seconds)],
                          capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_pipeline_from_modbus_to_the_broker(hub, device, broker):
    """The pipeline of the API examples, whole."""
    source = connected(hub, device, name="Line 3 PLC")
    subscribe = hub.function(source, "Read filler", "modbus.subscribe", {
        "points": [{"name": "temperature", "area": "holdingRegisters", "address": 212, "dataType": "uint16"},
                   {"name": "running", "area": "coils", "address": 3, "dataType": "bool"}],
        "intervalMs": 100, "reportOn": "always"})
    target = hub.connection("Broker", "mqtt", {"host": "127.0.0.1", "port": broker.port})
    hub.wait_status(target, "Connected")
    publish = hub.function(target, "publish", "mqtt.publish", {"topic": "((topic))", "qos": 1})
    pipeline = hub.api("POST", "/pipelines", {
        "name": "filler to broker", "enabled": True, "history": "standard",
        "nodes": [{"id": "t1", "type": "trigger.function", "settings": {"functionId": subscribe["id"]}},
                  {"id": "n1", "type": "set", "settings": {"fields": {"line": 3, "celsius": "{{ ($input.temperature - 32) / 1.8 }}"}, "include": "all"}},
                  {"id": "n2", "type": "condition", "settings": {"expression": "{{ $input.running }}"}},
                  {"id": "d1", "type": "function", "settings": {"functionId": publish["id"], "parameters": {"topic": "plant/{{ $input.line }}/filler"}},
                   "delivery": {"mode": "durable", "retry": {"maxAttempts": 0}, "deadLetterAfter": "24h"}}],
        "edges": [{"from": "t1", "to": "n1"}, {"from": "n1", "to": "n2"}, {"from": "n2", "port": "true", "to": "d1"}]})
    messages = received(broker, "plant/3/filler", count=3)
    assert len(messages) == 3, hub.api("GET", f"/pipelines/{pipeline['id']}")
    for message in messages:
        assert message["celsius"] == 100 and message["temperature"] == 212 and message["line"] == 3 and message["running"] is True
        assert message["$meta"]["connection"] == "Line 3 PLC" and message["$meta"]["function"] == "Read filler"
    view = hub.api("GET", f"/pipelines/{pipeline['id']}")
    assert view["enabled"] is True
    disabled = hub.api("POST", f"/pipelines/{pipeline['id']}/disable")
    assert disabled["enabled"] is False
    assert received(broker, "plant/3/filler", seconds=2) == []


def test_broker_to_broker_with_a_condition(hub, broker):
    connection = hub.connection("Broker", "mqtt", {"host": "127.0.0.1", "port": broker.port, "version": "5.0"})
    hub.wait_status(connection, "Connected")
    subscribe = hub.function(connection, "in", "mqtt.subscribe", {"topics": [{"topic": "in/+", "qos": 1}], "format": "json"})
    publish = hub.function(connection, "out", "mqtt.publish", {"topic": "out", "qos": 1})
    hub.api("POST", "/pipelines", {
        "name": "hot ones", "enabled": True,
        "nodes": [{"id": "t", "type": "trigger.function", "settings": {"functionId": subscribe["id"]}},
                  {"id": "c", "type": "condition", "settings": {"expression": "{{ $input.payload.t > 80 }}"}},
                  {"id": "s", "type": "set", "settings": {"fields": {"hot": "{{ $input.payload.t }}", "from": "{{ $input.topic }}"}, "include": "none"}},
                  {"id": "d", "type": "function", "settings": {"functionId": publish["id"]}}],
        "edges": [{"from": "t", "to": "c"}, {"from": "c", "port": "true", "to": "s"}, {"from": "s", "to": "d"}]})
    listener = subprocess.Popen(["mosquitto_sub", "-h", "127.0.0.1", "-p", str(broker.port), "-t", "out", "-C", "1", "-W", "15"],
                                stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 12
    while listener.poll() is None and time.monotonic() < deadline:
        for value in (20, 95):
            subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(broker.port), "-t", "in/a", "-m", json.dumps({"t": value})], check=True)
        time.sleep(0.2)
    message = json.loads(listener.communicate(timeout=5)[0])
    assert message["hot"] == 95 and message["from"] == "in/a", message


def test_pipeline_mistakes_have_pointers(hub):
    answer = hub.api("POST", "/pipelines", {"name": "bad", "nodes": [{"id": "t", "type": "trigger.function", "settings": {"functionId": "none"}},
                                                                     {"id": "x", "type": "teleport", "settings": {}}],
                                            "edges": [{"from": "t", "to": "y"}]}, expect=422)
    pointers = " ".join(e["pointer"] for e in answer["errors"])
    for pointer in ("/nodes/0/settings/functionId", "/nodes/1/type", "/edges/0/to"):
        assert pointer in pointers, answer
    assert hub.api("GET", "/pipelines")["items"] == []


def test_manual_and_schedule_triggers(hub, broker):
    connection = hub.connection("Broker", "mqtt", {"host": "127.0.0.1", "port": broker.port})
    hub.wait_status(connection, "Connected")
    publish = hub.function(connection, "tick", "mqtt.publish", {"topic": "tick", "qos": 0})
    hub.api("POST", "/pipelines", {
        "name": "every 100 ms", "enabled": True,
        "nodes": [{"id": "t", "type": "trigger.schedule", "settings": {"intervalMs": 100}},
                  {"id": "s", "type": "set", "settings": {"fields": {"hello": "world"}, "include": "none"}},
                  {"id": "d", "type": "function", "settings": {"functionId": publish["id"]}}],
        "edges": [{"from": "t", "to": "s"}, {"from": "s", "to": "d"}]})
    assert len(received(broker, "tick", count=5)) == 5
    manual = hub.api("POST", "/pipelines", {
        "name": "by hand", "enabled": True,
        "nodes": [{"id": "t", "type": "trigger.manual", "settings": {}},
                  {"id": "s", "type": "set", "settings": {"fields": {"double": "{{ $input.n * 2 }}"}, "include": "all"}}],
        "edges": [{"from": "t", "to": "s"}]})
    run = hub.api("POST", f"/pipelines/{manual['id']}/run", {"input": {"n": 21}})
    assert run["status"] == "completed", run
    runs = hub.api("GET", f"/pipelines/{manual['id']}/runs")["items"]
    assert runs[0]["id"] == run["id"]
    assert hub.api("GET", f"/runs/{run['id']}")["status"] == "completed"


def test_the_demo_plant_is_alive_after_apply(hub, plant):
    hub.cli("apply", "--data-dir", str(hub.data_dir), "--set", f"port={plant.port}", str(SOURCE / "demo" / "plant.yaml"))
    connections = hub.api("GET", "/connections")["items"]
    line = next(c for c in connections if c["name"] == "Bottling line")
    hub.wait_status(line, "Connected")
    functions = hub.api("GET", f"/connections/{line['id']}/functions")["items"]
    subscribe = next(f for f in functions if f["name"] == "Live values")
    values = {}

    def watch(message, _):
        for sample in samples_of(message):
            values.setdefault(sample["point"], []).append(sample["value"])
        return any(len(set(map(str, v))) >= 3 for v in values.values())
    asyncio.run(collect_values(hub, subscribe, 20, watch))
    assert any(len(set(map(str, v))) >= 3 for v in values.values()), f"something moves: {values}"
    pipelines = hub.api("GET", "/pipelines")["items"]
    assert pipelines and pipelines[0]["enabled"]
    again = hub.cli("apply", "--data-dir", str(hub.data_dir), "--set", f"port={plant.port}", str(SOURCE / "demo" / "plant.yaml"))
    assert len(hub.api("GET", "/connections")["items"]) == len(connections), again.stdout
    wait_for(lambda: hub.api("GET", f"/pipelines/{pipelines[0]['id']}")["state"]["recordsIn"] > 0, 10, what="records in the demo pipeline")


def test_live_states_snapshot_then_delta(hub, device):
    connection = connected(hub, device)
    seen = []

    async def watch():
        import websockets
        async with websockets.connect(f"ws://127.0.0.1:{hub.port}/api/v1/stream", extra_headers={"Authorization": f"Bearer {hub.token}"}) as stream:
            await stream.send(json.dumps({"subscribe": 1, "topic": "connections"}))
            first = json.loads(await asyncio.wait_for(stream.recv(), 5))
            assert first["id"] == 1 and first["seq"] == 1 and first["type"] == "snapshot", first
            assert connection["id"] in str(first["data"])
            device.cut()
            while True:
                message = json.loads(await asyncio.wait_for(stream.recv(), 10))
                seen.append(message)
                if message["type"] == "delta" and "Disconnected" in str(message):
                    break
            await stream.send(json.dumps({"unsubscribe": 1}))
    asyncio.run(watch())
    numbers = [m["seq"] for m in seen if m.get("id") == 1]
    assert numbers == sorted(numbers) and numbers[0] == 2, seen


def test_server_sent_events_for_scripts(hub, device):
    import http.client
    connected(hub, device)
    connection = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=10)
    connection.request("GET", "/api/v1/stream?topic=connections", headers={"Accept": "text/event-stream", "Authorization": f"Bearer {hub.token}"})
    answer = connection.getresponse()
    assert answer.status == 200 and answer.getheader("content-type").startswith("text/event-stream")
    text = b""
    while b"\n\n" not in text:
        text += answer.read1(4096)
    assert b"snapshot" in text and b"Device" in text, text
    connection.close()


def test_metrics_name_what_happens(hub, device):
    connected(hub, device)
    text = hub.request("GET", "/metrics").text
    assert "tributary_connections" in text and 'status="Connected"' in text, text[:2000]
