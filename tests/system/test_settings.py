"""What the hub tells of itself, from outside; every answer is held against the contract."""

import io
import json
import tarfile

from hub import wait_for


def test_versions_of_a_connection(hub):
    made = hub.connection("Line 3", "modbus", {"host": "192.0.2.1"}, autostart=False, labels={"site": "izmir"})
    path = f"/connections/{made['id']}"
    hub.api("PATCH", path, {"settings": {"host": "192.0.2.2"}}, headers={"If-Match": '"1"'})
    versions = hub.api("GET", f"{path}/versions")["items"]
    assert [(one["version"], one["document"]["settings"]["host"]) for one in versions] == [(2, "192.0.2.2"), (1, "192.0.2.1")]
    assert hub.api("GET", f"{path}/versions/1")["document"]["labels"] == {"site": "izmir"}
    diff = hub.api("GET", f"{path}/versions/1/diff/2")
    assert diff["members"] == [{"pointer": "/settings/host", "from": "192.0.2.1", "to": "192.0.2.2"}]
    restored = hub.api("POST", f"{path}/versions/1/restore", headers={"If-Match": '"2"'})
    assert (restored["version"], restored["settings"]["host"]) == (3, "192.0.2.1")
    hub.api("POST", f"{path}/versions/1/restore", headers={"If-Match": '"2"'}, expect=412)
    hub.stop()
    hub.start()
    assert len(hub.api("GET", f"{path}/versions")["items"]) == 3, "they survive a restart"


def test_how_the_hub_is(hub):
    system = hub.api("GET", "/system")
    assert system["storage"]["dataDirectory"] == str(hub.data_dir)
    assert system["storage"]["storeBytes"] > 0 and system["process"]["residentBytes"] > 0
    names = [loop["name"] for loop in system["eventLoops"]]
    assert names[0] == "control" and len(names) >= 2
    assert {"condition", "trigger.webhook"} <= {one["type"] for one in hub.api("GET", "/node-types")["items"]}
    assert hub.api("GET", "/users")["items"] == []


def test_the_log_tells_more_when_it_is_asked_to(hub):
    levels = hub.api("GET", "/system/log")
    assert levels["level"] == "info" and "modbus" in levels["known"]
    body = {"level": "error", "components": {"connect": "debug"}}
    changed = hub.api("PUT", "/system/log", body, headers={"If-Match": f'"{levels["version"]}"'})
    assert (changed["level"], changed["components"]) == ("error", {"connect": "debug"})
    hub.api("PUT", "/system/log", body, headers={"If-Match": f'"{levels["version"]}"'}, expect=412)
    hub.api("PUT", "/system/log", {"level": "loud"}, headers={"If-Match": "*"}, expect=422)
    audited = lambda: hub.api("GET", "/audit?action=system.log&q=token")["items"]
    rows = wait_for(lambda: len(found := audited()) == 3 and found, what="three rows in the audit")
    assert [row["detail"]["result"] for row in rows] == ["refused", "refused", "done"]


def test_diagnostics_hold_everything_but_secrets(hub):
    hub.api("POST", "/connections", {"name": "Broker", "type": "mqtt", "settings": {"host": "192.0.2.1", "username": "me"},
                                     "secrets": {"password": "canary-of-the-broker"}, "autostart": False})
    secrets = hub.api("GET", "/secrets?set=true")["items"]
    assert [(one["name"], one["source"], one["usedBy"]["name"]) for one in secrets] == [("password", "stored", "Broker")]
    answer = hub.request("GET", "/api/v1/system/diagnostics")
    assert answer.status == 200
    with tarfile.open(fileobj=io.BytesIO(answer.body), mode="r:gz") as archive:
        files = {member.name: archive.extractfile(member).read().decode() for member in archive}
    assert json.loads(files["connections.json"])[0]["name"] == "Broker"
    assert "The hub runs." in files["log.jsonl"]
    for name, text in files.items():
        assert "canary" not in text and hub.token not in text, name
