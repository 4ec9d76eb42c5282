"""The simulated plant through the whole hub: its alarms go through a pipeline into a file and are answered by the API, its past is read, and
every face shows the same plant."""

import datetime
import json
import time

import pytest
from hub import wait_for
from test_opcua import NAMESPACE, OpcuaPlant, nodes

ALARM = "OverTemperature"  # it comes and goes with the set point, and not by chance
HOT, COLD = 80.0, 10.0
HEATING_SECONDS = 60


class Line:
    """The plant, connected by both its faces, and a pipeline that writes what happens to its alarms into a file."""

    def __init__(self, hub, folder):
        self.hub = hub
        self.journal = folder / "journal/alarms.jsonl"
        self.journal.parent.mkdir()
        self.plant = OpcuaPlant(folder / "plant")
        modbus_port = int(self.plant.wait_line(r"listens on 127\.0\.0\.1:(\d+)").group(1))
        modbus = hub.connection("Filler", "modbus", {"transport": "tcp", "host": "127.0.0.1", "port": modbus_port, "unitId": 1})
        celsius = {"name": "celsius", "area": "holdingRegisters", "address": 20, "dataType": "float32"}
        speed = {"name": "speed", "area": "holdingRegisters", "address": 1, "dataType": "uint16"}
        self.heating = hub.function(modbus, "heat", "modbus.write", {"points": [celsius]})
        self.speeding = hub.function(modbus, "speed", "modbus.write", {"points": [speed]})
        self.speed = hub.function(modbus, "read speed", "modbus.read", {"points": [speed]})
        self.connection = hub.connection("Plant", "opcua", {"endpointUrl": self.plant.url, "ca": f"file:{folder}/plant/certificate.pem"})
        events = hub.function(self.connection, "alarms", "opcua.events", {"publishingIntervalMs": 100})
        files = hub.connection("files", "file", {"root": str(self.journal.parent)})
        write = hub.function(files, "journal", "file.write", {"path": self.journal.name})
        self.answers = {kind: hub.function(self.connection, kind, f"opcua.{kind}",
                                           {"conditionId": "((conditionId))", "eventId": "((eventId))", "comment": "((comment))"})
                        for kind in ("acknowledge", "confirm")}
        hub.wait_status(self.connection, "Connected")
        hub.api("POST", "/pipelines", {
            "name": "alarm journal", "enabled": True,
            "nodes": [{"id": "t", "type": "trigger.function", "settings": {"functionId": events["id"]}},
                      {"id": "f", "type": "filter", "settings": {"expression": f"{{{{ $input.kind == 'condition' && $input.condition.name == '{ALARM}' }}}}"}},
                      {"id": "d", "type": "function", "settings": {"functionId": write["id"]}, "delivery": {"mode": "durable"}}],
            "edges": [{"from": "t", "to": "f"}, {"from": "f", "to": "d"}]})

    def heat(self, celsius):
        assert self.hub.execute(self.heating, {"celsius": celsius})["success"]

    def records(self):
        if not self.journal.exists():
            return []
        return [json.loads(line) for line in self.journal.read_text().splitlines(keepends=True) if line.endswith("\n")]

    def arrives(self, what, **state):
        """The first record of the journal whose condition is so."""
        fitting = lambda: [each for each in self.records() if state.items() <= each["condition"].items()]
        return wait_for(fitting, HEATING_SECONDS, every=0.1, what=f"{what}: {self.records()[-1:]}")[0]

    def answer(self, kind, event, comment):
        return self.hub.execute(self.answers[kind], {
            "conditionId": event["condition"]["conditionId"], "eventId": event["eventId"], "comment": comment})


@pytest.fixture
def line(hub, tmp_path):
    line = Line(hub, tmp_path)
    yield line
    line.plant.stop()


def test_an_alarm_goes_into_a_file_and_its_answers_too(line):
    line.heat(HOT)
    raised = line.arrives("an alarm", active=True)
    assert raised["sourceNode"] == f"nsu={NAMESPACE};s=Filler" and raised["message"] == "The product is too warm" and raised["severity"] == 700, raised
    assert raised["condition"]["conditionId"] == f"nsu={NAMESPACE};s=Filler.{ALARM}", raised
    assert raised["condition"]["acknowledged"] is False and raised["condition"]["retain"] is True, raised
    assert raised["$meta"]["connection"] == "Plant" and raised["$meta"]["function"] == "alarms", raised

    early = line.answer("confirm", raised, "")
    assert not early["success"] and early["error"]["code"] == "bad_condition_branch_already_confirmed", early
    assert line.answer("acknowledge", raised, "cooling")["success"]
    seen = line.arrives("that it was acknowledged", acknowledged=True, active=True)
    assert seen["condition"]["comment"] == "cooling" and seen["condition"]["confirmed"] is False, seen
    again = line.answer("acknowledge", raised, "")
    assert not again["success"] and again["error"]["code"] == "bad_condition_branch_already_acked", again

    line.heat(COLD)
    over = line.arrives("that it is over", active=False)
    assert over["condition"]["retain"] is True and over["message"] == "It is over", over
    assert line.answer("confirm", over, "set point was wrong")["success"]
    done = line.arrives("that it was confirmed", active=False, confirmed=True)
    assert done["condition"]["retain"] is False and done["condition"]["comment"] == "set point was wrong", done

    states = [(each["condition"]["active"], each["condition"]["acknowledged"], each["condition"]["confirmed"])
              for each in line.records() if "replayed" not in each]
    assert states == [(True, False, True), (True, True, False), (False, True, False), (False, True, True)], states


def test_an_alarm_that_came_while_the_hub_was_away_comes_once_more(line, hub):
    hub.api("POST", f"/connections/{line.connection['id']}/stop")
    hub.wait_status(line.connection, "Idle")
    line.heat(HOT)
    hot = nodes("Temperature")["nodes"][0]
    other = hub.connection("Second", "opcua", {"endpointUrl": line.plant.url, "securityMode": "None", "allowInsecure": True})
    hub.wait_status(other, "Connected")
    temperature = hub.function(other, "temperature", "opcua.read", {"nodes": [hot]})
    wait_for(lambda: hub.values(temperature)["Temperature"]["value"] > 61, HEATING_SECONDS, every=0.5, what="a hot product")
    assert not any(each["condition"]["active"] for each in line.records())
    hub.api("POST", f"/connections/{line.connection['id']}/start")
    again = line.arrives("the alarm", active=True)
    assert again["replayed"] is True, again
    assert line.answer("acknowledge", again, "")["success"]
    line.arrives("that it was acknowledged", acknowledged=True)


def test_the_hour_before_is_a_chart_at_once(line, hub):
    read = lambda name, settings, *points: hub.execute(hub.function(line.connection, name, "opcua.history", {**nodes(*points), **settings}))["data"]["records"]
    raw = read("raw", {"lookBackMs": 3600_000}, "Speed", "Bottles")
    speed, bottles = ([each for each in raw if each["point"] == name] for name in ("Speed", "Bottles"))
    assert len(speed) == len(bottles) >= 3590, (len(speed), len(bottles))
    assert all(each["quality"] == "good" for each in raw)
    times = [each["sourceTime"] for each in speed]
    assert times == sorted(set(times))
    counts = [each["value"] for each in bottles]
    assert counts == sorted(counts) and 20_000 < counts[-1] - counts[0] < 120_000, (counts[0], counts[-1])
    assert max(each["value"] for each in speed) > 1400 and min(each["value"] for each in speed) == 0, "it runs, and stops now and then"

    newest = read("newest", {"order": "newestFirst", "maxValues": 5}, "Speed")
    assert len(newest) == 5 and newest[-1]["more"] is True
    age = time.time() - datetime.datetime.fromisoformat(newest[0]["sourceTime"]).timestamp()
    assert -0.1 <= age < 5, newest[0]

    middle = {"from": speed[600]["sourceTime"], "to": speed[1800]["sourceTime"]}
    averages = read("averages", {"mode": "processed", "aggregate": "average", "intervalMs": 60_000, **middle}, "Speed")
    means = [sum(each["value"] for each in speed[at:at + 60]) / 60 for at in range(600, 1800, 60)]
    assert len(averages) == 20 and all(abs(each["value"] - mean) < 1e-6 for each, mean in zip(averages, means)), averages
    before, after = speed[1000], speed[1001]
    between = datetime.datetime.fromisoformat(before["sourceTime"]) + datetime.timedelta(milliseconds=250)
    at = read("at", {"mode": "atTime", "times": [between.isoformat()]}, "Speed")[0]
    assert abs(at["value"] - (0.75 * before["value"] + 0.25 * after["value"])) < 1e-3, (before, at, after)


def test_a_set_point_is_the_same_on_both_faces(line, hub):
    read = hub.function(line.connection, "read", "opcua.read", nodes("SpeedSetpoint"))
    write = hub.function(line.connection, "write", "opcua.write", nodes("SpeedSetpoint"))
    opcua = lambda: hub.values(read)["SpeedSetpoint"]["value"]
    modbus = lambda: hub.values(line.speed)["speed"]["value"]
    assert hub.execute(line.speeding, {"speed": 1200})["success"]
    wait_for(lambda: opcua() == 1200, what="the set point of Modbus")
    assert hub.execute(write, {"SpeedSetpoint": 900})["success"]
    wait_for(lambda: modbus() == 900, what="the set point of OPC UA")
    assert hub.execute(write, {"SpeedSetpoint": 3000})["success"]
    wait_for(lambda: opcua() == 900, what="a set point that the plant refuses to go")
    assert modbus() == 900
