"""Siemens S7 through the whole hub: the plant as a CPU, and symbols on the command line."""

import csv
import io
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
