"""Suspensions and maintenance windows of a real hub: what kill -9, older documents, edits and the clock make of them."""

import time
from datetime import datetime, timedelta, timezone

from hub import Hub, free_port, wait_for
from test_faults import connected, modbus, points


def utc(delta):
    return (datetime.now(timezone.utc) + delta).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def suspend(hub, connection, **more):
    return hub.api("POST", f"/connections/{connection['id']}/suspend", {"reason": "valve replacement", **more})


def audit(hub, action, count=1):
    """The rows of an action, once there are as many; they are written behind the answer."""
    def rows():
        found = [row for row in hub.api("GET", "/audit?limit=1000")["items"] if row["action"] == action]
        return found if len(found) >= count else None
    return wait_for(rows, what=f"{count} audit rows {action}")


def test_edge_13_a_suspension_survives_kill_apply_and_patch(tmp_path, device):
    """Pass: still Suspended, silent, with its reason and end, after kill -9, an older document, PUT and PATCH."""
    hub = Hub(tmp_path / "data").start()
    try:
        connection = connected(hub, device)
        hub.function(connection, "watch", "modbus.subscribe", {**points(1), "intervalMs": 50, "reportOn": "always"})
        older = tmp_path / "older.yaml"
        older.write_text(hub.cli("export", "--data-dir", str(hub.data_dir)).stdout + "\n")
        until = utc(timedelta(hours=1))
        suspended = suspend(hub, connection, until=until, then="resume")["state"]["suspension"]
        requests, connections = device.requests, device.connections
        detail = audit(hub, "connection.suspend")[0]["detail"]
        assert (detail["reason"], detail["then"]) == ("valve replacement", "resume") and detail["until"], detail

        hub.kill()
        hub.start()
        # The older document says another description, too, so that applying it changes something.
        older.write_text(older.read_text().replace("name: " + connection["name"], f"name: {connection['name']}\n    description: from the document"))
        assert "update connection" in hub.cli("apply", "--data-dir", str(hub.data_dir), str(older)).stdout
        path = f"/connections/{connection['id']}"
        hub.api("PATCH", path, {"autostart": True, "settings": {"requestTimeoutMs": 777}}, headers={"If-Match": "*"})
        body = {key: hub.api("GET", path)[key] for key in ("name", "type", "settings", "labels", "autostart")}
        hub.api("PUT", path, {**body, "description": "replaced"}, headers={"If-Match": "*"})
        hub.kill()
        hub.start()

        time.sleep(2)  # long enough for whatever would start to have started
        shown = hub.api("GET", path)
        assert shown["description"] == "replaced"
        assert shown["intent"] == "suspended" and shown["state"]["status"] == "Suspended", shown
        assert shown["state"]["suspension"] == suspended
        assert suspended["reason"] == "valve replacement" and suspended["then"] == "resume"
        assert (device.requests, device.connections) == (requests, connections), "silence"
    finally:
        hub.close()


def test_edge_13_the_end_survives_kill_and_is_a_row_of_history(tmp_path, device):
    hub = Hub(tmp_path / "data").start()
    try:
        connection = connected(hub, device)
        suspend(hub, connection, until=utc(timedelta(seconds=4)))
        hub.kill()
        hub.start()
        assert hub.state(connection)["status"] == "Suspended"
        hub.wait_status(connection, "Connected", seconds=30)
        resumed = [row for row in hub.events(connection) if row["note"] == "resume"]
        assert [row["actor"] for row in resumed] == ["end of suspension"], resumed
    finally:
        hub.close()


def test_many_by_label_with_preview(hub, device):
    made = [hub.connection(f"PLC {i}", "modbus", modbus(device.port), labels={"hall": "2"}) for i in range(5)]
    other = hub.connection("other", "modbus", modbus(device.port), labels={"hall": "3"})
    for connection in [*made, other]:
        hub.wait_status(connection, "Connected")
    order = {"action": "suspend", "labels": {"hall": "2"}, "reason": "power cut"}
    preview = hub.api("POST", "/connections/bulk?dryRun=true", order)
    assert preview["succeeded"] == 5 and {item["state"]["status"] for item in preview["items"]} == {"Suspended"}
    assert {hub.state(connection)["status"] for connection in made} == {"Connected"}, "a dry run changes nothing"
    done = hub.api("POST", "/connections/bulk", order)
    assert done["succeeded"] == 5 and done["failed"] == 0
    assert {hub.state(connection)["suspension"]["reason"] for connection in made} == {"power cut"}
    assert hub.state(other)["status"] == "Connected"
    assert {row["target"] for row in audit(hub, "connection.suspend", 5)} == {connection["id"] for connection in made}
    hub.api("POST", "/connections/bulk", {"action": "resume", "labels": {"hall": "2"}, "start": True})
    for connection in made:
        hub.wait_status(connection, "Connected")


def test_a_window_over_kill_and_its_end(tmp_path, device):
    """Begins while the hub is down, holds over kill -9, ends exactly, and goes on as before; silent in between."""
    hub = Hub(tmp_path / "data").start()
    try:
        connection = connected(hub, device)
        hub.function(connection, "watch", "modbus.subscribe", {**points(1), "intervalMs": 50, "reportOn": "always"})
        window = hub.api("POST", "/maintenance-windows", {
            "name": "Night", "reason": "firmware", "timeZone": "UTC", "targets": {"all": True},
            "schedule": {"kind": "once", "from": utc(timedelta(seconds=2)), "to": utc(timedelta(seconds=12))}})
        assert hub.api("GET", f"/connections/{connection['id']}")["nextMaintenance"]["windowId"] == window["id"]
        hub.kill()
        time.sleep(2.2)
        requests = device.requests
        hub.start()
        state = hub.wait_status(connection, "Suspended")
        assert state["suspension"]["reason"] == 'maintenance "Night": firmware', state
        hub.kill()
        hub.start()
        assert hub.state(connection)["status"] == "Suspended"
        assert hub.api("GET", f"/connections/{connection['id']}")["maintenance"]["name"] == "Night"
        assert device.requests == requests, "nothing was sent to it"
        hub.wait_status(connection, "Connected", seconds=30)
        rows = [row for row in hub.events(connection) if row["note"] == "resume"]
        assert rows[0]["actor"] == "maintenance window Night", rows
        late = datetime.fromisoformat(rows[0]["at"].replace("Z", "+00:00")) - datetime.fromisoformat(
            window["schedule"]["to"].replace("Z", "+00:00"))
        # Events tell whole milliseconds.
        assert timedelta(milliseconds=-1) <= late < timedelta(seconds=3), "at its end, not with the next heartbeat"
        wait_for(lambda: device.requests > requests, what="polling")
    finally:
        hub.close()


def test_windows_travel_in_documents(tmp_path, hub, device):
    connection = hub.connection("Line 3", "modbus", modbus(device.port), autostart=False)
    hub.api("POST", "/maintenance-windows", {
        "name": "Sunday", "reason": "updates", "timeZone": "Europe/Istanbul", "targets": {"connectionIds": [connection["id"]]},
        "schedule": {"kind": "weekly", "days": ["sun"], "at": "02:00", "durationMinutes": 120}})
    exported = tmp_path / "export.yaml"
    exported.write_text(hub.cli("export", "--data-dir", str(hub.data_dir)).stdout)
    assert "No changes" in hub.cli("plan", "--data-dir", str(hub.data_dir), str(exported)).stdout
    other = Hub(tmp_path / "other").start()
    try:
        assert "create maintenance window Sunday" in other.cli("plan", "--data-dir", str(other.data_dir), str(exported)).stdout
        other.cli("apply", "--data-dir", str(other.data_dir), str(exported))
        window = other.api("GET", "/maintenance-windows")["items"][0]
        there = other.api("GET", "/connections")["items"][0]
        assert window["targets"] == {"connectionIds": [there["id"]]}
        assert window["state"]["next"]["from"].endswith("T23:00:00.000Z"), "02:00 in Istanbul"
        assert "No changes" in other.cli("apply", "--data-dir", str(other.data_dir), str(exported)).stdout
    finally:
        other.close()


def test_what_is_wrong_is_pointed_at(hub):
    body = {"name": "x", "reason": "y", "timeZone": "Europe/Berln", "targets": {},
            "schedule": {"kind": "daily", "at": "2:00", "durationMinutes": 5}}
    errors = hub.api("POST", "/maintenance-windows", body, expect=422)["errors"]
    found = {error["pointer"]: error["message"] for error in errors}
    assert "Europe/Berlin" in found["/timeZone"] and "/targets" in found, found
    assert hub.api("POST", "/connections/bulk", {"action": "stop"}, expect=422)["errors"]
    idle = hub.connection("idle", "modbus", modbus(free_port()), autostart=False)
    answer = hub.api("POST", "/connections/bulk", {"action": "suspend", "connectionIds": [idle["id"]], "reason": "z"})
    assert answer["failed"] == 1 and answer["items"][0]["error"]["code"] == "connection_not_running"
