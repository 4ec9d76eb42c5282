"""Lists of points as CSV: out of a function and back, over the API and the command line."""

import json

from test_faults import connected

SETTINGS = {"points": [{"name": "speed", "address": 0, "dataType": "uint16", "unit": "1/min"},
                       {"name": "Motor[1..40].Speed", "address": 100, "addressStep": 10, "dataType": "float32", "scale": 0.5},
                       {"name": "=odd, \"name\"", "area": "coils", "address": 3, "dataType": "bool"}]}


def csv_of(hub, function):
    return hub.request("GET", f"/api/v1/functions/{function['id']}/points?format=csv").text


def test_a_list_goes_out_and_comes_back_as_it_was(hub, device):
    connection = connected(hub, device)
    function = hub.function(connection, "read", "modbus.read", SETTINGS)
    text = csv_of(hub, function)
    lines = text.split("\r\n")
    assert lines[0].startswith("name,area,address,addressStep,dataType")
    assert lines[2].startswith("Motor[1..40].Speed,,100,10,float32")
    assert hub.api("GET", f"/functions/{function['id']}/points")["count"] == 3
    empty = hub.function(connection, "other", "modbus.read", {"points": SETTINGS["points"][:1]})
    hub.api("PUT", f"/functions/{empty['id']}/points", {"csv": text}, headers={"If-Match": "*"})
    now = hub.api("GET", f"/functions/{empty['id']}")["settings"]["points"]
    assert now == hub.api("GET", f"/functions/{function['id']}")["settings"]["points"]
    samples = hub.values(empty)
    assert len(samples) == 42 and "Motor[40].Speed" in samples


def test_every_problem_is_named_by_line_and_column_and_nothing_changes(hub, device):
    connection = connected(hub, device)
    function = hub.function(connection, "read", "modbus.read", SETTINGS)
    before = csv_of(hub, function)

    def problems(text, **more):
        answer = hub.request("PUT", f"/api/v1/functions/{function['id']}/points", {"csv": text}, headers={"If-Match": "*"}, **more)
        assert answer.status == 422 and answer.json["code"] == "invalid_points", answer
        return [error["message"] for error in answer.json["errors"]]

    first, second = problems("name;address;dataType\na;ten;int16\nb;1;\n")
    assert first.startswith("Line 2, column 2 (address): ") and "ten" in first
    assert second.startswith("Line 3, column 3 (dataType): ")
    (area,) = problems("name,address,dataType,area\na,1,int16,\nb,2,int16,coils\n")  # what only the connector knows
    assert area.startswith("Line 3, column 3 (dataType): "), area
    (kind,) = problems("name,address,dataType\na,1,int16\n\nb,2,int17\n")  # what only the schema knows
    assert kind.startswith("Line 4, column 3 (dataType): "), kind
    assert csv_of(hub, function) == before
    good = "name,address,dataType\nonly,1,int16\n"
    hub.api("PUT", f"/functions/{function['id']}/points?dryRun=true", {"csv": good}, headers={"If-Match": "*"})
    assert csv_of(hub, function) == before
    assert hub.request("PUT", f"/api/v1/functions/{function['id']}/points", {"csv": good}).status == 428


def test_functions_without_points_say_so(hub, device):
    connection = connected(hub, device)
    function = hub.function(connection, "who", "modbus.diagnose", {})
    answer = hub.request("GET", f"/api/v1/functions/{function['id']}/points")
    assert answer.status == 409 and answer.json["code"] == "no_points"


def test_the_command_line_does_the_same(hub, device, tmp_path):
    connection = connected(hub, device)
    function = hub.function(connection, "read", "modbus.read", SETTINGS)
    where = ["--data-dir", str(hub.data_dir)]
    file = tmp_path / "points.csv"
    hub.cli("points", "export", "Device/read", str(file), *where)
    assert file.read_bytes().decode() == csv_of(hub, function)
    file.write_text("name,address,dataType\na,1,int16\nb,x,int16\n")
    wrong = hub.cli("points", "import", "Device/read", str(file), *where, check=False)
    assert wrong.returncode != 0 and "Line 3, column 2 (address)" in wrong.stderr, wrong
    file.write_text("name,address,dataType\na,1,int16\nb,2,int16\n")
    assert "2 rows would be imported" in hub.cli("points", "import", "Device/read", str(file), "--dry-run", *where).stdout
    assert "Motor" in csv_of(hub, function)
    assert "2 rows imported" in hub.cli("points", "import", "Device/read", str(file), *where).stdout
    assert json.dumps(hub.api("GET", f"/functions/{function['id']}")["settings"]["points"]).count('"name"') == 2
    missing = hub.cli("points", "export", "Device/gone", *where, check=False)
    assert missing.returncode != 0 and "Device/gone" in missing.stderr
