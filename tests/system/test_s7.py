"""Siemens S7 through the whole hub: the plant as a CPU, and symbols on the command line."""

import csv
import io
import json
import subprocess

import pytest

from hub import BINARY, Process, wait_for


@pytest.fixture
def plant():
    process = Process([BINARY, "simulate", "plant", "--host", "127.0.0.1", "--port", "0", "--s7-port", "0"])
    process.modbus = int(process.wait_line(r"listens on 127\.0\.0\.1:(\d+)").group(1))
    process.s7 = int(process.wait_line(r"S7 CPU at 127\.0\.0\.1:(\d+)").group(1))
    yield process
    process.stop()


def connect(hub, plant, **settings):
    connection = hub.connection("CPU", "s7", {"host": "127.0.0.1", "port": plant.s7, **settings})
    hub.wait_status(connection, "Connected")
    return connection


def test_the_plant_is_a_cpu_and_the_same_plant_on_both_sides(hub, plant):
    cpu = connect(hub, plant)
    modbus = hub.connection("Modbus", "modbus", {"host": "127.0.0.1", "port": plant.modbus})
    hub.wait_status(modbus, "Connected")
    write = hub.function(cpu, "write", "s7.write", {"points": [
        {"name": "setpoint", "address": "DB1.DBW2", "dataType": "UINT"}, {"name": "beacon", "address": "M0.7"},
        {"name": "product", "address": "DB1,CHAR60.16"}], "verify": True})
    written = hub.execute(write, {"setpoint": 777, "beacon": True, "product": "Apple juice"})
    assert written["success"], written
    there = hub.function(modbus, "there", "modbus.read", {"points": [
        {"name": "setpoint", "address": 1, "dataType": "uint16"}, {"name": "beacon", "area": "coils", "address": 7, "dataType": "bool"},
        {"name": "product", "address": 30, "dataType": "string", "length": 8}]})
    record = hub.execute(there)["data"]
    assert "777" in str(record) and "Apple juice" in str(record), record
    refused = hub.execute(write, {"setpoint": 9999})
    assert not refused["success"] and refused["error"]["code"] == "access_denied", refused


def test_values_change_and_the_cpu_says_what_it_is(hub, plant):
    cpu = connect(hub, plant)
    read = hub.function(cpu, "read", "s7.read", {"points": [
        {"name": "heartbeat", "address": "DB1.DBW36"}, {"name": "temperature", "address": "DB1,REAL20"}, {"name": "missing", "address": "DB9.DBW0"}]})
    seen = set()

    def moves():
        values = hub.values(read)
        assert 0 < values["temperature"]["value"] < 100
        assert values["missing"]["quality"] == "bad" and values["missing"]["error"]["code"] == "no_such_object", values
        seen.add(values["heartbeat"]["value"])
        return len(seen) > 1

    wait_for(moves, 15, what="a heartbeat that moves")
    info = hub.function(cpu, "info", "s7.system", {"question": "info"})
    assert "6ES7 315-2EH14-0AB0" in str(hub.execute(info))


def test_a_cpu_is_stopped_only_where_the_connection_allows_it(hub, plant):
    cpu = connect(hub, plant)
    answer = hub.request("POST", f"/api/v1/connections/{cpu['id']}/functions", {"name": "stop", "type": "s7.control", "settings": {"action": "stop"}})
    assert answer.status == 422 and "allowControl" in answer.text, answer.text


def test_symbols_become_a_list_of_points(tmp_path):
    table = tmp_path / "symbols.sdf"
    table.write_bytes('"Motor_On","M       0.3","BOOL","main drive"\r\n"F\u00fcllung","MD      4","REAL",""\r\n"Main","OB      1","OB      1",""\r\n'.encode("latin-1"))
    done = subprocess.run([BINARY, "symbols", str(table)], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [(r["name"], r["address"], r["dataType"]) for r in rows] == [("Motor_On", "M0.3", "BOOL"), ("F\u00fcllung", "MD4", "REAL")]
    assert "line 3: Main" in done.stderr
    table.write_text("Dear reader,\nthere are no symbols here.\n")
    nothing = subprocess.run([BINARY, "symbols", str(table)], capture_output=True, text=True, timeout=30)
    assert nothing.returncode != 0 and "symbol" in nothing.stderr


TAGS = ("Name;Path;Data Type;Logical Address;Comment\r\n"
        "Speed;Default tag table;UInt;%DB1.DBW0;\r\n"
        "Running;Default tag table;Bool;%M0.3;\r\n"
        "Drive;Default tag table;\"Motor\";%Q4.0;a structure\r\n"
        "Temperature;Default tag table;Real;%DB1.DBD20;\r\n")


def test_symbols_become_the_points_of_a_function_by_the_api(hub, plant):
    cpu = connect(hub, plant)
    read = hub.function(cpu, "read", "s7.read", {"points": [{"name": "old", "address": "MB0"}]})
    path = f"/functions/{read['id']}/points/symbols"
    any_version = {"If-Match": "*"}

    def points():
        return [each["name"] for each in hub.api("GET", f"/functions/{read['id']}")["settings"]["points"]]

    tried = hub.api("PUT", path + "?dryRun=true", {"symbols": TAGS}, headers=any_version)
    assert [each["name"] for each in tried["points"]] == ["Speed", "Running", "Temperature"]
    assert [each["line"] for each in tried["skipped"]] == [4] and "Motor" in tried["skipped"][0]["message"], tried
    assert [each["name"] for each in tried["function"]["settings"]["points"]] == ["Speed", "Running", "Temperature"]
    assert points() == ["old"], "a dry run changes nothing"

    done = hub.api("PUT", path, {"symbols": TAGS, "names": ["Temperature", "Speed"]}, headers=any_version)
    assert [each["name"] for each in done["points"]] == points() == ["Speed", "Temperature"]
    values = hub.values(read)
    assert 0 <= values["Speed"]["value"] <= 2000 and 0 < values["Temperature"]["value"] < 100, values
    assert hub.request("PUT", "/api/v1" + path, {"symbols": TAGS}).status == 428


def test_what_cannot_become_points_is_refused_and_changes_nothing(hub, plant):
    cpu = connect(hub, plant)
    read = hub.function(cpu, "read", "s7.read", {"points": [{"name": "old", "address": "MB0"}]})
    subscribe = hub.function(cpu, "watch", "s7.subscribe", {"points": [{"name": "old", "address": "MB0"}]})

    def refused(function, body, status=422):
        answer = hub.request("PUT", f"/api/v1/functions/{function['id']}/points/symbols", body, headers={"If-Match": "*"})
        assert answer.status == status, answer
        return answer.json

    assert refused(read, {"symbols": "Dear reader,\nthere are no symbols here.\n"})["errors"][0]["code"] == "no_symbols"
    unknown = refused(read, {"symbols": TAGS, "names": ["Speed", "Sped"]})["errors"][0]
    assert (unknown["pointer"], unknown["code"]) == ("/names/1", "unknown_symbol"), unknown
    assert refused(read, {"symbols": TAGS, "names": []})["errors"][0]["pointer"] == "/names"
    assert refused(read, {"symbols": 7})["errors"][0]["pointer"] == "/symbols"
    many = "".join(f"tag{i};MW{2 * i};INT\n" for i in range(10001))
    assert "10000" in json.dumps(refused(subscribe, {"symbols": many}))
    info = hub.function(cpu, "info", "s7.system", {"question": "info"})
    assert refused(info, {"symbols": TAGS}, 409)["code"] == "no_points"
    modbus = hub.connection("Modbus", "modbus", {"host": "127.0.0.1", "port": plant.modbus})
    other = hub.function(modbus, "read", "modbus.read", {"points": [{"name": "speed", "address": 0, "dataType": "uint16"}]})
    assert refused(other, {"symbols": TAGS}, 409)["code"] == "no_symbols"
    for function in (read, subscribe):
        assert [each["name"] for each in hub.api("GET", f"/functions/{function['id']}")["settings"]["points"]] == ["old"]
