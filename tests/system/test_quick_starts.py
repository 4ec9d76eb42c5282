"""The quick starts of the guides of Modbus, OPC UA and S7, as a newcomer goes through them: command, settings and functions are taken
from the guides themselves. And ./run, which sets the same up by itself."""

import json
import os
import re
import shutil
import signal
import subprocess
import time

import pytest
from hub import BINARY, SOURCE, Hub, Process, free_port, wait_for

FIVE_MINUTES = 300


class QuickStart:
    """The section of a guide, with free ports in place of those that it names."""

    def __init__(self, connector):
        guide = (SOURCE / f"connectors/{connector}/guide.md").read_text()
        self.text = re.search(r"## Quick start\n(.*?)\n## ", guide, re.S).group(1)
        for port in dict.fromkeys(re.findall(r"-port (\d+)", self.text)):
            self.text = re.sub(rf"\b{port}\b", str(free_port()), self.text)

    def start_plant(self, folder):
        command = re.search(r"```\n(tributary simulate plant .*)\n```", self.text).group(1).split()
        return Process([BINARY, *command[1:]], cwd=folder)

    def named(self, what):
        """`what` the text tells to enter: "host `127.0.0.1`"."""
        return re.search(rf"{what}\s+`([^`]+)`", self.text).group(1)

    def function(self):
        """The type and the settings of the function that the text tells to make."""
        settings = re.search(r"```json\n(.*?)```", self.text, re.S).group(1)
        return self.named("function of type"), json.loads(settings)

    def execute(self, hub, connection):
        type_, settings = self.function()
        values = hub.values(hub.function(connection, "first", type_, settings))
        assert {sample["quality"] for sample in values.values()} == {"good"}, values
        return {name: sample["value"] for name, sample in values.items()}


@pytest.fixture
def walk(hub, tmp_path):
    """Begins a walk through the guide of a connector; it takes less than five minutes, or the test fails."""
    begin = time.monotonic()
    plants = []

    def start(connector):
        guide = QuickStart(connector)
        plants.append(guide.start_plant(tmp_path))
        plants[0].wait_line("listens on")
        return guide, plants[0]

    yield start
    for plant in plants:
        plant.stop()
    assert time.monotonic() - begin < FIVE_MINUTES


def check_values(values):
    assert 0 <= values["speed"] <= 2000 and 0 < values["temperature"] < 100, values


def test_modbus(hub, walk):
    guide, _ = walk("modbus")
    connection = hub.connection("mine", "modbus", {"host": guide.named("host"), "port": int(guide.named("port"))})
    hub.wait_status(connection, "Connected")
    values = guide.execute(hub, connection)
    check_values(values)
    assert values["running"] in (True, False)
    power = json.loads(re.search(r"`(\{\"name\": \"power\".*?\})`", guide.text, re.S).group(1))
    assert 0 <= hub.values(hub.function(connection, "meter", "modbus.read", {"points": [power]}))["power"]["value"] < 100


def test_s7(hub, walk):
    guide, _ = walk("s7")
    connection = hub.connection("mine", "s7", {"host": guide.named("host"), "port": int(guide.named("port"))})
    hub.wait_status(connection, "Connected")
    values = guide.execute(hub, connection)
    check_values(values)
    assert values["running"] in (True, False)


def test_opcua(hub, walk):
    guide, plant = walk("opcua")
    connection = hub.connection("mine", "opcua", {"endpointUrl": guide.named("endpoint URL")})
    cause = hub.wait_status(connection, "Failed")["cause"]
    printed = plant.wait_line(r"SHA-256 of its certificate: ([0-9A-F:]+)\)").group(1)
    assert cause["class"] == "Trust" and printed in cause["message"], cause
    (shown,) = hub.api("GET", "/certificates?state=rejected")["items"]
    hub.api("POST", f"/certificates/{shown['id']}/trust")
    hub.wait_status(connection, "Connected")
    values = guide.execute(hub, connection)
    check_values(values)
    assert values["bottles"] >= 0
    looked = hub.execute(hub.function(connection, "look", "opcua.browse", json.loads(guide.named("settings"))))
    assert {"Filler", "Temperature"} <= {record["name"] for record in looked["data"]["records"]}, looked


def examples(connector):
    """The worked examples of a guide: (type that the text before it names, or none; settings; parameters that the text behind it names)."""
    guide = (SOURCE / f"connectors/{connector}/guide.md").read_text()
    section = re.search(r"## Worked examples\n(.*?)\n## ", guide, re.S).group(1)
    before = 0
    for block in re.finditer(r"```json\n(.*?)```(?:\n\nExecute it with `(.*?)`)?", section, re.S):
        named = re.findall(r"function of type `([\w.]+)`", section[before:block.start()])
        before = block.end()
        yield named[-1] if named else None, json.loads(block[1]), json.loads(block[2])["parameters"] if block[2] else None


@pytest.mark.parametrize("connector", ["modbus", "s7"])
def test_the_worked_examples_are_functions(hub, connector):
    connection = hub.connection("mine", connector, {"host": "127.0.0.1", "port": free_port()}, autostart=False)
    found = list(examples(connector))
    assert len(found) >= 3
    for number, (_, settings, _) in enumerate(found):
        kind = "write" if "values" in settings else "subscribe" if "intervalMs" in settings else "read"
        hub.function(connection, f"{number}", f"{connector}.{kind}", settings)


def test_the_worked_examples_of_opcua_work(hub, walk, tmp_path):
    guide, plant = walk("opcua")
    plant.wait_line("SHA-256 of its certificate")
    connection = hub.connection("mine", "opcua", {"endpointUrl": guide.named("endpoint URL"), "ca": f"file:{tmp_path}/plant-keys/certificate.pem"})
    hub.wait_status(connection, "Connected")
    found = {type_: (hub.function(connection, type_, type_, settings), parameters) for type_, settings, parameters in examples("opcua")}
    for type_ in ("opcua.write", "opcua.call", "opcua.history"):
        answer = hub.execute(*found[type_])
        assert answer["success"], answer
    assert len(answer["data"]["records"]) in (60, 61) and answer["data"]["records"][30]["quality"] == "good", answer
    refused = hub.execute(found["opcua.acknowledge"][0], {"conditionId": "nsu=http://tributary.example/plant;s=Filler.Jam", "eventId": "AAAA", "comment": ""})
    assert refused["error"]["code"] == "bad_event_id_unknown", refused


def test_run_starts_the_plant_with_all_three_protocols(tmp_path):
    """The script as it is, in a tree where only setting up and building are stand-ins: the binary is there already."""
    tree = tmp_path / "tree"
    for file in ("run", "scripts/common.sh", "demo/plant.yaml", "demo/plant-opcua-s7.yaml"):
        (tree / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SOURCE / file, tree / file)
    for stand_in in ("scripts/setup", "scripts/build-web", "tools/cmake"):
        (tree / stand_in).parent.mkdir(exist_ok=True)
        (tree / stand_in).write_text("#!/bin/sh\n")
        (tree / stand_in).chmod(0o755)
    (tree / "build/release/bin").mkdir(parents=True)
    (tree / "build/release/build.ninja").touch()
    (tree / "build/release/bin/tributary").symlink_to(BINARY)

    hub = Hub(tree / "data")
    run = subprocess.Popen([tree / "run", "--port", str(hub.port), "--data-dir", str(hub.data_dir)], cwd=tree, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, env={**os.environ, "PATH": f"{tree / 'tools'}:{os.environ['PATH']}"})
    try:
        said = []
        for line in run.stdout:
            said.append(line)
            if "Ctrl-C stops everything" in line:
                break
        assert "Bottling line by S7" in "".join(said), said
        exported = hub.cli("export", "--data-dir", str(hub.data_dir)).stdout
        assert all(f"name: {name}" in exported for name in ("Bottling line", "Bottling line by OPC UA", "Bottling line by S7")), exported
    finally:
        run.send_signal(signal.SIGTERM)
        assert run.wait(30) == 0


def test_the_demo_reads_the_same_plant_three_times(hub, tmp_path):
    keys = tmp_path / "keys"
    plant = Process([BINARY, "simulate", "plant", "--port", "0", "--opcua-port", "0", "--opcua-dir", str(keys), "--s7-port", "0"])
    try:
        url = plant.wait_line(r"OPC UA server: (opc\.tcp:\S+)").group(1)
        s7_port = plant.wait_line(r"S7 CPU at 127\.0\.0\.1:(\d+)").group(1)
        modbus_port = plant.wait_line(r"listens on 127\.0\.0\.1:(\d+)").group(1)
        data = str(hub.data_dir)
        hub.cli("apply", "--data-dir", data, "--set", f"port={modbus_port}", str(SOURCE / "demo/plant.yaml"))
        hub.cli("apply", "--data-dir", data, "--set", f"opcuaUrl={url}", "--set", f"opcuaCertificate={keys}/certificate.pem", "--set",
                f"s7Port={s7_port}", str(SOURCE / "demo/plant-opcua-s7.yaml"))
        connections = hub.api("GET", "/connections")["items"]
        assert len(connections) == 3
        bottles = []
        check = hub.function(connections[0], "check", *setpoint_of(connections[0]["type"]))
        for connection in sorted(connections, key=lambda each: each["name"]):
            hub.wait_status(connection, "Connected")
            functions = {f["name"]: f for f in hub.api("GET", f"/connections/{connection['id']}/functions")["items"]}
            live = functions["Live values"]

            def all_good():
                samples = hub.api("GET", f"/functions/{live['id']}/values").get("samples", [])
                return samples and all(sample["quality"] == "good" for sample in samples)
            wait_for(all_good, what=f"live values of {connection['name']}")
            values = {point: sample["value"] for point, sample in hub.values(functions["Read process values"]).items()}
            check_values(values)
            bottles.append(values["bottles"])
            # Each side can command the plant, and the others see it.
            speed = 1000 + len(bottles)
            assert hub.execute(functions["Set speed"], {"speed": speed})["success"]
            wait_for(lambda: hub.values(check)["setpoint"]["value"] == speed, what=f"the set point of {connection['name']}")
        assert bottles == sorted(bottles), "one plant counts its bottles once"
    finally:
        plant.stop()


def setpoint_of(type_):
    return {
        "modbus": ("modbus.read", {"points": [{"name": "setpoint", "address": 1, "dataType": "uint16"}]}),
        "opcua": ("opcua.read", {"nodes": [{"name": "setpoint", "nodeId": "nsu=http://tributary.example/plant;s=Filler.SpeedSetpoint"}]}),
        "s7": ("s7.read", {"points": [{"name": "setpoint", "address": "DB1.DBW2", "dataType": "UINT"}]}),
    }[type_]
