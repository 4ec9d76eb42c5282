"""OPC UA with a real hub and the simulated plant: trust, the hub's own certificate, values, edge cases 5 and 40."""

import os
from pathlib import Path

import pytest
from hub import BINARY, Process, free_port, wait_for

FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)

NAMESPACE = "http://tributary.example/plant"


class OpcuaPlant(Process):
    """The simulated plant with its OPC UA face; `folder` keeps its certificate, so that it can be started again."""

    def __init__(self, folder, port=None, clock=None):
        self.port = port or free_port()
        environment = dict(os.environ)
        if clock:
            assert FAKETIME, "install libfaketime: scripts/packages-debian.txt names it"
            environment |= {"LD_PRELOAD": str(FAKETIME), "FAKETIME": clock, "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}
        super().__init__([BINARY, "simulate", "plant", "--opcua-port", str(self.port), "--opcua-dir", str(folder)], env=environment)
        self.fingerprint = self.wait_line(r"SHA-256 of its certificate: ([0-9A-F:]+)\)").group(1)

    @property
    def url(self):
        return f"opc.tcp://127.0.0.1:{self.port}"


@pytest.fixture
def plant(tmp_path):
    plant = OpcuaPlant(tmp_path / "plant")
    yield plant
    plant.stop()


def nodes(*names):
    return {"nodes": [{"name": name, "nodeId": f"nsu={NAMESPACE};s=Filler.{name}"} for name in names]}


def samples(hub, function):
    """Last values of a subscription, by point."""
    return {each["point"]: each for each in hub.api("GET", f"/functions/{function['id']}/values").get("samples", [])}


def good(hub, function):
    return {name: each["value"] for name, each in samples(hub, function).items() if each["quality"] == "good"}


def trust(hub, connection, plant):
    state = hub.wait_status(connection, "Failed")
    assert (state["cause"]["class"], state["cause"]["code"]) == ("Trust", "certificate_untrusted"), state
    assert plant.fingerprint in state["cause"]["message"]
    rejected, = hub.api("GET", "/certificates?state=rejected")["items"]
    assert rejected["sha256"] == plant.fingerprint
    hub.api("POST", f"/certificates/{rejected['id']}/trust")
    hub.wait_status(connection, "Connected")


def test_E3_an_unknown_server_waits_for_one_call_and_is_never_trusted_by_itself(hub, plant):
    connection = hub.connection("Plant", "opcua", {"endpointUrl": plant.url})
    for _ in range(3):
        state = hub.wait_status(connection, "Failed")
        assert (state["cause"]["class"], state["cause"]["code"]) == ("Trust", "certificate_untrusted"), state
        assert plant.fingerprint in state["cause"]["message"]
        hub.api("POST", f"/connections/{connection['id']}/restart")
    hub.wait_status(connection, "Failed")
    rejected, = hub.api("GET", "/certificates?state=rejected")["items"]
    assert rejected["sha256"] == plant.fingerprint
    hub.api("POST", f"/certificates/{rejected['id']}/trust")
    hub.wait_status(connection, "Connected")
    assert hub.api("GET", "/certificates?state=rejected")["items"] == []
    row, = wait_for(lambda: hub.api("GET", "/audit?action=certificate.trust")["items"], what="a row in the audit")
    assert row["detail"]["sha256"] == plant.fingerprint and row["actor"], row


def test_an_unknown_server_is_trusted_in_a_draft_and_the_saved_connection_comes_up(hub, plant):
    body = {"name": "Plant", "type": "opcua", "settings": {"endpointUrl": plant.url}}
    red = hub.api("POST", "/connections/test", body)
    assert (red["stages"][-1]["stage"], red["stages"][-1]["error"]["code"]) == ("tls", "untrusted_certificate"), red
    assert red["certificate"]["sha256"] == plant.fingerprint, red["certificate"]
    assert red["certificate"]["reason"]["code"] == "certificate_untrusted"
    again = hub.api("POST", "/connections/test", body)
    assert not again["success"], "trusted by itself"
    hub.api("POST", f"/certificates/{red['certificate']['id']}/trust")
    green = hub.api("POST", "/connections/test", body)
    assert green["success"] and green["certificate"] is None, green
    saved = hub.api("POST", "/connections", {**body, "autostart": True}, expect=201)
    hub.wait_status(saved, "Connected")
    assert hub.api("GET", "/certificates?state=rejected")["items"] == []


def test_E2_whoever_switches_a_check_off_is_in_the_audit(hub, plant):
    connection = hub.connection("Plant", "opcua", {"endpointUrl": plant.url, "checkHost": False})
    made, = wait_for(lambda: hub.api("GET", "/audit?action=connection.create")["items"], what="a row in the audit")
    assert made["target"] == connection["id"] and made["actor"], made
    assert made["detail"]["body"]["settings"]["checkHost"] is False, made
    hub.api("PATCH", f"/connections/{connection['id']}", {"settings": {"securityMode": "None", "allowInsecure": True}}, headers={"If-Match": "*"})
    changed, = wait_for(lambda: hub.api("GET", "/audit?action=connection.update")["items"], what="a row in the audit")
    assert changed["target"] == connection["id"] and changed["actor"], changed
    assert changed["detail"]["patch"]["settings"] == {"securityMode": "None", "allowInsecure": True}, changed


def test_a_plant_is_trusted_with_one_call_and_its_values_flow(hub, plant):
    own = [each for each in hub.api("GET", "/certificates?state=own")["items"] if each["daysLeft"] > 3000]
    assert len(own) == 1 and own[0]["subject"].startswith("CN=Tributary on "), own
    connection = hub.connection("Plant", "opcua", {"endpointUrl": plant.url})
    trust(hub, connection, plant)

    read = hub.function(connection, "read", "opcua.read", nodes("Speed", "State", "SpeedSetpoint", "Missing"))
    answer = hub.execute(read)
    points = {each["point"]: each for each in answer["data"]["samples"]}
    assert points["SpeedSetpoint"]["value"] == 1500 and points["SpeedSetpoint"]["quality"] == "good", answer
    assert points["Missing"]["quality"] == "bad" and points["Missing"]["error"]["code"] == "bad_node_id_unknown", answer

    write = hub.function(connection, "write", "opcua.write", nodes("SpeedSetpoint"))
    assert hub.execute(write, {"SpeedSetpoint": 1200})["success"]
    refused = hub.execute(write, {"SpeedSetpoint": 1200.5})
    assert not refused["success"] and refused["error"]["code"] == "not_an_integer", refused

    watch = hub.function(connection, "watch", "opcua.subscribe", {**nodes("SpeedSetpoint", "Temperature"), "publishingIntervalMs": 100})
    wait_for(lambda: len(good(hub, watch)) == 2, what="good values")
    assert good(hub, watch)["SpeedSetpoint"] == 1200

    call = hub.function(connection, "call", "opcua.call", {"objectId": "i=2253", "methodId": "i=11492", "arguments": {"SubscriptionId": 1}})
    answer = hub.execute(call)  # GetMonitoredItems, of the subscription above
    assert sorted(answer["data"]["records"][0]["ClientHandles"]) == [0, 1], answer

    stop = hub.function(connection, "stop", "opcua.call", {"objectId": f"nsu={NAMESPACE};s=Filler", "methodId": f"nsu={NAMESPACE};s=Filler.Stop"})
    assert hub.execute(stop)["success"]
    wait_for(lambda: hub.values(read)["State"]["value"] in (0, 3), what="a filler that stops")

    page = hub.api("GET", f"/connections/{connection['id']}/browse?node=i%3D85")
    filler = next(each for each in page["items"] if each["name"] == "Filler")
    assert filler["id"] == f"nsu={NAMESPACE};s=Filler"
    seen = f"/connections/{connection['id']}/browse/values"
    ids = [f"nsu={NAMESPACE};s=Filler.SpeedSetpoint", f"nsu={NAMESPACE};s=Filler.Missing"]
    held, missing = hub.api("POST", seen, {"nodes": ids})["samples"]
    assert (held["point"], held["value"], held["quality"]) == (ids[0], 1200, "good"), held
    assert (missing["point"], missing["quality"]) == (ids[1], "bad") and missing["error"]["code"] == "bad_node_id_unknown", missing
    wrong = hub.api("POST", seen, {"nodes": [ids[0], "Filler"]}, expect=422)
    assert [each["pointer"] for each in wrong["errors"]] == ["/nodes/1"], wrong
    assert hub.api("POST", seen, {"nodes": []}, expect=422)["errors"][0]["pointer"] == "/nodes"
    assert hub.api("POST", seen, {"nodes": ids * 101}, expect=422)["errors"][0]["pointer"] == "/nodes"


def test_edge_5_values_come_back_after_a_restart_of_the_server_and_are_bad_meanwhile(hub, plant, tmp_path):
    connection = hub.connection("Plant", "opcua", {"endpointUrl": plant.url})
    trust(hub, connection, plant)
    watch = hub.function(connection, "watch", "opcua.subscribe", {**nodes("Temperature"), "publishingIntervalMs": 100})
    flows = lambda: "Temperature" in good(hub, watch)
    wait_for(flows, what="good values")
    for _ in range(3):
        plant.stop()
        wait_for(lambda: not flows(), 5, what="bad values")
        again = OpcuaPlant(tmp_path / "plant", plant.port)
        try:
            wait_for(flows, 20, what="good values after the restart")
        finally:
            plant = again
    plant.stop()


def test_a_test_of_an_unsaved_profile_names_its_stages(hub, plant):
    stages = lambda settings: {each["stage"]: each for each in hub.api(
        "POST", "/connections/test", {"name": "x", "type": "opcua", "settings": settings})["stages"]}
    seen = stages({"endpointUrl": plant.url, "securityMode": "None", "allowInsecure": True})
    assert list(seen)[:5] == ["resolve", "tcp", "protocol", "tls", "login"] and all(each["ok"] for each in seen.values()), seen
    seen = stages({"endpointUrl": plant.url})
    assert seen["protocol"]["ok"] and not seen["tls"]["ok"], seen


@pytest.mark.parametrize("clock", ["-2m", "+2m", "-30m", "+30m", "-1d", "+1d"])
def test_edge_19_a_server_with_a_wrong_clock_is_connected_or_the_clock_is_named(hub, tmp_path, clock):
    plant = OpcuaPlant(tmp_path / "plant", clock=clock)
    try:
        connection = hub.connection("Plant", "opcua", {"endpointUrl": plant.url, "ca": f"file:{tmp_path}/plant/certificate.pem"})
        state = hub.wait_status(connection, "Connected", "Failed", "Disconnected")
        if state["status"] == "Connected":
            read = hub.function(connection, "read", "opcua.read", nodes("Temperature"))
            assert hub.values(read)["Temperature"]["quality"] == "good"
        else:
            assert clock == "+1d", state
            assert "clock is 14" in state["cause"]["message"] and "ahead" in state["cause"]["message"], state
    finally:
        plant.stop()
