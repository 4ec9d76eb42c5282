"""The seven states against a real hub process: kill -9, suspension, history that adds up."""

import os
import random
import time

from hub import Hub, free_port, wait_for
from test_faults import FAST, connected, modbus, points


def check_chain(rows):
    assert rows, "there is history"
    for earlier, later in zip(rows, rows[1:]):
        assert later["seq"] == earlier["seq"] + 1, rows
        assert later["from"] == earlier["to"], (earlier, later)
        assert later["at"] >= earlier["at"], (earlier, later)


def check_sum(hub, connection):
    health = hub.api("GET", f"/connections/{connection['id']}/health")
    from datetime import datetime
    parse = lambda text: datetime.fromisoformat(text.replace("Z", "+00:00"))
    window = (parse(health["to"]) - parse(health["from"])).total_seconds()
    assert abs(sum(health["durations"].values()) - window) < 0.002, health
    edges = health["timeline"]
    for earlier, later in zip(edges, edges[1:]):
        assert earlier["to"] == later["from"], edges
    return health


def test_kill_in_the_middle_of_writes(tmp_path, device):
    """The store opens, history has no gap, the dead time is Unknown, connections come back by themselves."""
    hub = Hub(tmp_path / "data").start()
    try:
        connection = connected(hub, device)
        chance = random.Random(7)
        stored = set()
        for round_ in range(8):
            stop_at = time.monotonic() + chance.uniform(0.05, 0.5)
            while time.monotonic() < stop_at:
                name = os.urandom(6).hex()
                answer = hub.request("POST", "/api/v1/connections",
                                     {"name": name, "type": "modbus", "settings": modbus(free_port()), "autostart": False})
                assert answer.status == 201
                stored.add(name)
            hub.kill()
            time.sleep(0.3)
            hub.start()
            hub.wait_status(connection, "Connected")
            names = set()
            cursor = ""
            while cursor is not None:
                page = hub.api("GET", f"/connections?limit=500&cursor={cursor}")
                names |= {c["name"] for c in page["items"]}
                cursor = page["next"]
            assert stored <= names, f"round {round_}: acknowledged connections are gone"
        rows = hub.events(connection)
        check_chain(rows)
        unknown = [r for r in rows if r["to"] == "Unknown"]
        assert len(unknown) >= 8, rows
        health = check_sum(hub, connection)
        assert health["durations"]["Unknown"] > 0
        assert 0 <= health["uptimePercent"] <= 100
    finally:
        hub.close()


def test_clean_stop_is_quick_and_not_unknown_of_the_target(tmp_path, device):
    hub = Hub(tmp_path / "data").start()
    try:
        connection = connected(hub, device)
        code, seconds = hub.stop()
        assert code == 0 and seconds < 10
        hub.start()
        hub.wait_status(connection, "Connected")
        check_chain(hub.events(connection))
        check_sum(hub, connection)
    finally:
        hub.close()


def test_suspended_is_silent_and_survives(tmp_path, device):
    """Edge case 13: suspend, then kill -9; and after "suspended" was answered, no byte reaches the target."""
    hub = Hub(tmp_path / "data").start()
    try:
        connection = connected(hub, device)
        function = hub.function(connection, "watch", "modbus.subscribe", {**points(1), "intervalMs": 50, "reportOn": "always"})
        read = hub.function(connection, "read", "modbus.read", points(1))
        before = device.requests
        wait_for(lambda: device.requests > before + 5, what="polling")
        answer = hub.api("POST", f"/connections/{connection['id']}/suspend", {"reason": "valve replacement"})
        requests, connections = device.requests, device.connections
        assert answer["state"]["status"] == "Suspended"
        suspension = answer["state"]["suspension"]
        assert suspension["reason"] == "valve replacement" and suspension["by"] and suspension["at"] and suspension["until"] is None
        refusal = hub.execute(read)
        assert refusal["success"] is False and "valve replacement" in refusal["error"]["message"], refusal
        hub.kill()
        hub.start()
        time.sleep(3)
        assert (device.requests, device.connections) == (requests, connections), "silence"
        state = hub.state(connection)
        assert state["status"] == "Suspended" and state["suspension"]["reason"] == "valve replacement"
        assert hub.api("POST", f"/connections/{connection['id']}/start", {}, expect=409)["code"]
        resumed = hub.api("POST", f"/connections/{connection['id']}/resume", {})
        assert resumed["state"]["status"] == "Idle" and resumed["state"]["suspension"] is None
        assert resumed["state"]["breaker"]["consecutiveFailures"] == 0
        time.sleep(0.5)
        assert device.connections == connections, "resume does not start"
        hub.api("POST", f"/connections/{connection['id']}/start")
        hub.wait_status(connection, "Connected")
        hub.api("POST", f"/connections/{connection['id']}/suspend", {"reason": "again"})
        hub.api("POST", f"/connections/{connection['id']}/resume", {"start": True})
        hub.wait_status(connection, "Connected")
        rows = hub.events(connection)
        check_chain(rows)
        assert any("valve replacement" in str(r) for r in rows)
        assert hub.api("GET", f"/functions/{function['id']}")["name"] == "watch"
    finally:
        hub.close()


def test_stop_and_start_and_restart(hub, device):
    connection = connected(hub, device)
    stopped = hub.api("POST", f"/connections/{connection['id']}/stop")
    assert stopped["state"]["status"] == "Idle"
    count = device.connections
    time.sleep(1)
    assert device.connections == count
    hub.api("POST", f"/connections/{connection['id']}/stop")  # already so
    hub.api("POST", f"/connections/{connection['id']}/start")
    hub.wait_status(connection, "Connected")
    epoch = hub.state(connection)["epoch"]
    hub.api("POST", f"/connections/{connection['id']}/restart")
    assert hub.wait_status(connection, "Connected")["epoch"] > epoch
    health = check_sum(hub, connection)
    assert health["failureCount"] == 0, "a planned restart is no failure"


def test_breaker_trips_and_a_manual_restart_clears_it(hub):
    policy = {"initialDelayMs": 50, "maxDelayMs": 100, "failuresToOpen": 3, "cooldownMs": 60000}
    port = free_port()
    connection = hub.connection("Dead", "modbus", modbus(port), reconnect=policy)
    state = hub.wait_status(connection, "Failed")
    assert state["breaker"]["state"] == "open" and state["breaker"]["openUntil"]
    assert state["cause"]["code"] == "connection_refused"
    from device import Device
    device = Device(port)
    try:
        hub.api("POST", f"/connections/{connection['id']}/restart")
        state = hub.wait_status(connection, "Connected")
        assert state["breaker"] == {"state": "closed", "consecutiveFailures": 0, "openUntil": None}
    finally:
        device.cut()


def test_half_open_probe_after_the_cooldown(hub):
    policy = {"initialDelayMs": 50, "maxDelayMs": 100, "failuresToOpen": 2, "cooldownMs": 1000}
    port = free_port()
    connection = hub.connection("Sleeping", "modbus", modbus(port), reconnect=policy)
    hub.wait_status(connection, "Failed")
    from device import Device
    device = Device(port)
    try:
        hub.wait_status(connection, "Connected", seconds=10)
        path = [r["to"] for r in hub.events(connection)]
        failed = path.index("Failed")
        assert path[failed + 1] == "Reconnecting" and "Connected" in path[failed:], path
    finally:
        device.cut()


def test_accept_then_drop_is_not_a_loop_at_full_speed(hub, device):
    """Edge case 10: backoff also holds when connecting works and the peer then ends it."""
    connection = connected(hub, device)
    device.mode = "close"
    device.drop_clients()
    before = device.connections
    time.sleep(5)
    assert device.connections - before <= 26, "five seconds at 200 to 400 ms of backoff"
    device.mode = "good"
    hub.wait_status(connection, "Connected")


def test_edit_of_a_running_connection_is_planned(hub, device):
    connection = connected(hub, device)
    hub.api("PATCH", f"/connections/{connection['id']}", {"settings": {"requestTimeoutMs": 700}}, headers={"If-Match": "*"})
    hub.wait_status(connection, "Connected")
    assert hub.api("GET", f"/connections/{connection['id']}/health")["failureCount"] == 0


def test_system_wide_health(hub, device):
    connected(hub, device, name="Good")
    bad = hub.connection("Bad", "modbus", modbus(free_port()), reconnect=FAST)
    hub.wait_status(bad, "Disconnected")
    view = hub.api("GET", "/health/connections")
    text = str(view)
    assert "Bad" in text and "Connected" in text, view


def test_delete(hub, device):
    connection = connected(hub, device)
    refusal = hub.request("DELETE", f"/api/v1/connections/{connection['id']}", headers={"If-Match": "*"})
    assert refusal.status == 409, refusal
    hub.api("POST", f"/connections/{connection['id']}/stop")
    assert hub.request("DELETE", f"/api/v1/connections/{connection['id']}", headers={"If-Match": "*"}).status == 204
    assert hub.request("GET", f"/api/v1/connections/{connection['id']}").status == 404
