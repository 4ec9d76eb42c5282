"""`tributary pipeline`: what continuous integration calls, with and without a hub."""

import json
import subprocess

import pytest
from hub import BINARY

DOCUMENT = """
connections:
  - name: Line 3
    type: modbus
    settings: {host: 192.0.2.1}
    functions:
      - {name: Watch, type: modbus.subscribe, settings: {points: [{name: t, area: holdingRegisters, address: 0, dataType: uint16}]}}
  - name: Broker
    type: mqtt
    settings: {host: 192.0.2.2}
    functions:
      - {name: Publish, type: mqtt.publish, settings: {}}
pipelines:
  - name: filler to broker
    nodes:
      - {id: t1, type: trigger.function, settings: {function: Line 3/Watch}}
      - {id: n1, type: set, settings: {fields: {celsius: "{{ ($input.t - 32) / 1.8 }}", at: "{{ $now }}"}}}
      - {id: n2, type: condition, settings: {expression: "{{ $input.running }}"}}
      - {id: d1, type: function, settings: {function: Broker/Publish, parameters: {topic: "plant/{{ $input.line ?? 3 }}"}}, delivery: {mode: durable}}
    edges: [{from: t1, to: n1}, {from: n1, to: n2}, {from: n2, port: "true", to: d1}]
  - name: other
    nodes: [{id: t, type: trigger.manual}]
"""
NOW = ("--now", "2026-01-01T00:00:00Z")


@pytest.fixture
def files(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)
    return write


def run(*args):
    return subprocess.run([BINARY, "pipeline", *args], capture_output=True, text=True, timeout=60)


def test_a_pipeline_is_tested_without_a_hub(files):
    document = files("plant.yaml", DOCUMENT)
    data = files("input.json", [{"t": 212, "running": True}, {"t": 32, "running": False}])
    which = ("--pipeline", "filler to broker", "--input", data, *NOW)
    done = run("test", document, *which)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "would have sent to Broker/Publish" in done.stdout and "plant/3" in done.stdout
    expected = files("right.json", {"wouldHaveSent": [{"nodeId": "d1", "parameters": {
        "topic": "plant/3", "payload": {"celsius": 100, "at": "2026-01-01T00:00:00.000Z"}}}],
        "nodes": {"n2": {"out": {"true": [{"t": 212}], "false": [{"t": 32}]}}}, "success": True})
    done = run("test", document, *which, "--expect", expected)
    assert done.returncode == 0, done.stdout
    wrong = files("wrong.json", [{"celsius": 99}])
    done = run("test", document, *which, "--expect", wrong)
    assert done.returncode == 1
    assert "differs: output[0].celsius\n  - 99\n  + 100" in done.stdout and done.stdout.endswith("FAILED\n")
    exact = run("test", document, *which, "--expect", files("part.json", [{"celsius": 100}]), "--exact")
    assert exact.returncode == 1 and "output[0].t" in exact.stdout


def test_steps_pins_and_the_report(files):
    document = files("plant.yaml", DOCUMENT)
    which = ("--pipeline", "filler to broker", *NOW)
    pins = files("pins.json", {"n1": [{"running": True, "line": 7}]})
    done = run("test", document, *which, "--pins", pins, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["wouldHaveSent"][0]["parameters"]["topic"] == "plant/7"
    assert {n["nodeId"]: n["pinned"] for n in report["nodes"]}["n1"]
    done = run("test", document, *which, "--until", "n1", "--json", "--input", files("one.json", {"t": 32}))
    assert [n["nodeId"] for n in json.loads(done.stdout)["nodes"]] == ["t1", "n1"]
    failing = run("test", document, *which)
    assert failing.returncode == 1 or "NaN" not in failing.stdout


def test_functions_that_the_file_does_not_describe_are_guessed_from_their_use(files):
    single = files("single.json", {"name": "x", "nodes": [
        {"id": "t", "type": "trigger.function", "settings": {"function": "A/B"}},
        {"id": "r", "type": "function", "settings": {"function": "A/read"}},
        {"id": "d", "type": "function", "settings": {"functionId": "01ABC"}}],
        "edges": [{"from": "t", "to": "r"}, {"from": "r", "to": "d"}]})
    done = run("test", single, "--input", files("in.json", {"a": 1}), "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["nodes"][1]["out"]["out"][0]["stub"] is True
    assert report["wouldHaveSent"][0]["functionId"] == "01ABC"


def test_what_is_wrong_is_said_with_its_pointer(files):
    bad = files("bad.yaml", "name: x\nnodes: [{id: t, type: trigger.manual}, {id: n, type: set, settings: {fields: {a: '{{ 1 + }}'}}}]\n"
                            "edges: [{from: t, to: n}]\n")
    for action in ("validate", "test"):
        done = run(action, bad)
        assert done.returncode == 65, done.stdout + done.stderr
        assert "/nodes/1/settings/fields/a" in done.stdout
    good = run("validate", files("plant.yaml", DOCUMENT), "--pipeline", "other")
    assert good.returncode == 0 and good.stdout.endswith("valid\n") and "no_destination" in good.stdout
    assert run("validate", files("plant.yaml", DOCUMENT)).returncode == 65, "which of the two?"
    assert run("test").returncode == 64 and run("play", bad).returncode == 64
    assert run("test", "/nowhere").returncode == 65
    assert "--expect" in run("--help").stdout


def test_the_same_against_a_hub(hub, files):
    where = ("--data-dir", str(hub.data_dir))
    document = files("plant.yaml", DOCUMENT.replace("192.0.2.1", "127.0.0.1").replace("192.0.2.2", "127.0.0.1"))
    hub.cli("apply", document, *where)
    which = ("--pipeline", "filler to broker", *NOW, *where)
    done = run("test", document, *which, "--input", files("in.json", {"t": 212, "running": True}))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "would have sent to Broker/Publish" in done.stdout
    assert run("validate", document, "--pipeline", "filler to broker", *where).returncode == 0
    missing = files("missing.yaml", DOCUMENT.replace("Broker/Publish", "Broker/Nothing"))
    assert run("validate", missing, "--pipeline", "filler to broker", *where).returncode == 65
    exported = hub.cli("export", *where).stdout
    assert "function: Line 3/Watch" in exported and "draft" not in exported
    assert "No changes" in hub.cli("apply", document, *where).stdout
