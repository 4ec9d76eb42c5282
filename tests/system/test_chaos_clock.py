"""Time that jumps and time that stands still (edge cases 1, 18 and 21; G16): the wall clock is set, the time zone changes, a
peer or the hub itself is stopped for a while. What was Connected stays so, no duration is negative, uptime stays within 0 and 100."""

import os
import shutil
import signal
import time
from pathlib import Path

import pytest
import recompute
from figures import record, within
from hub import BINARY, Hub, wait_for
from test_faults import FAST, modbus, points
from test_chaos_kill import text_of, utc

FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
TRUE_TIMERS = Path(BINARY).parent / "libtrue_timers.so"  # tests/support/true_timers.cpp says why
HOUR, DAY = 3600, 86400
IN_1970 = 60 - int(time.time())


class FakeClock:
    """A wall clock of a hub's own, which can be set while the hub runs; the monotonic clock stays true."""

    def __init__(self, folder):
        assert FAKETIME, "install libfaketime: scripts/packages-debian.txt names it"
        self.file = Path(folder) / "faketime"
        self.set(0)
        self.environment = {"LD_PRELOAD": f"{TRUE_TIMERS}:{FAKETIME}", "FAKETIME_TIMESTAMP_FILE": str(self.file), "FAKETIME_NO_CACHE": "1",
                            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}

    def set(self, offset):
        """This many seconds before or after the true time."""
        self.offset = offset
        fresh = self.file.with_suffix(".new")
        fresh.write_text(f"{offset:+d}\n")
        fresh.rename(self.file)  # never half written

    def now(self):
        return utc() + self.offset * 1_000_000


def health(hub, connection, clock, created):
    """The whole life of the connection; checks what must hold whatever the clock says."""
    end = max(clock.now(), created + 1000)
    answer = hub.api("GET", f"/connections/{connection['id']}/health?from={text_of(created)}&to={text_of(end)}")
    seconds = answer["durations"]
    assert all(value >= 0 for value in seconds.values()), seconds
    window = recompute.micros(answer["to"]) - recompute.micros(answer["from"])
    assert abs(sum(seconds.values()) * 1e6 - window) < 1000, answer
    assert answer["uptimePercent"] is None or 0 <= answer["uptimePercent"] <= 100, answer
    for stretch in answer["timeline"]:
        assert recompute.micros(stretch["to"]) >= recompute.micros(stretch["from"]), answer["timeline"]
    return answer


def live(hub, device, broker):
    """Connections that hold a session: busy, idle, and one to a broker."""
    busy = hub.connection("busy", "modbus", modbus(device.port), reconnect=FAST)
    hub.function(busy, "watch", "modbus.subscribe", {**points(1), "intervalMs": 100, "reportOn": "always"})
    idle = hub.connection("idle", "modbus", modbus(device.port), reconnect=FAST)
    mqtt = hub.connection("broker", "mqtt", {"host": "127.0.0.1", "port": broker.port}, reconnect=FAST)
    hub.function(mqtt, "all", "mqtt.subscribe", {"topics": [{"topic": "#", "qos": 1}], "format": "text"})
    for connection in (busy, idle, mqtt):
        hub.wait_status(connection, "Connected")
    return [busy, idle, mqtt]


def epochs(hub, connections):
    return [(hub.state(c)["status"], hub.state(c)["epoch"]) for c in connections]


def reconnects(hub, connection):
    return sum(row["to"] == "Reconnecting" for row in hub.events(connection))


def test_edge_18_clock_steps_disconnect_nothing(tmp_path, device, broker):
    clock = FakeClock(tmp_path)
    hub = Hub(tmp_path / "data", environment=clock.environment).start()
    try:
        created = clock.now() // 1000 * 1000
        connections = live(hub, device, broker)
        dead = hub.connection("dead", "modbus", modbus(9), reconnect=FAST)
        hub.wait_status(dead, "Disconnected", "Reconnecting")
        before = epochs(hub, connections)
        read = hub.function(connections[0], "read", "modbus.read", points(7))
        for offset in (HOUR, -HOUR, DAY, -DAY, IN_1970, 0):
            tries, requests = reconnects(hub, dead), device.requests
            clock.set(offset)
            # Longer than the silence after which an idle peer is asked whether it is there.
            time.sleep(6)
            assert epochs(hub, connections) == before, f"a step to {offset} s disconnected something"
            assert hub.values(read)["r7"]["quality"] == "good"
            assert 15 <= device.requests - requests <= 90, f"polls of 100 ms in 6 s after a step to {offset} s"
            # Waits of 200 to 400 ms: neither a burst nor a timer that never fires.
            assert 5 <= reconnects(hub, dead) - tries <= 40, f"attempts in 6 s after a step to {offset} s"
            for connection in connections + [dead]:
                health(hub, connection, clock, created)
        record("edge_18 steps of the clock", 6)
        losses = [row for c in connections for row in hub.events(c) if row["from"] == "Connected"]
        within("edge_18 disconnects by steps of the clock", len(losses), 0)
    finally:
        hub.close()


def test_edge_18_durations_do_not_follow_the_wall_clock(tmp_path, device):
    """An hour forward and back again inside one run, between two changes of state: each lasted as long as it lasted."""
    clock = FakeClock(tmp_path)
    hub = Hub(tmp_path / "data", environment=clock.environment).start()
    try:
        created = clock.now() // 1000 * 1000
        connection = hub.connection("device", "modbus", modbus(device.port), reconnect=FAST)
        hub.wait_status(connection, "Connected")
        begin = time.monotonic()
        time.sleep(1)
        clock.set(HOUR)
        time.sleep(1)
        hub.api("POST", f"/connections/{connection['id']}/stop")
        lasted = time.monotonic() - begin
        time.sleep(1)
        clock.set(0)
        time.sleep(0.5)
        hub.api("POST", f"/connections/{connection['id']}/start")
        hub.wait_status(connection, "Connected")
        hub.api("POST", f"/connections/{connection['id']}/stop")
        answer = health(hub, connection, clock, created)
        connected = [s for s in answer["timeline"] if s["status"] == "Connected"][0]
        seconds = (recompute.micros(connected["to"]) - recompute.micros(connected["from"])) / 1e6
        within("edge_18 an hour forward: error of a duration", abs(seconds - lasted), 0.3, "s")
        assert answer["uptimePercent"] > 50
        newest = recompute.newest_row(hub, connection)
        assert hub.stop()[0] == 0
        recompute.check_answers(tmp_path / "data", [(connection, answer, newest)])
    finally:
        hub.close()


def test_edge_18_steps_and_crashes_add_up(tmp_path, device):
    """Killed with the clock wrong each time, started with the clock right or wrong otherwise."""
    clock = FakeClock(tmp_path)
    hub = Hub(tmp_path / "data", environment=clock.environment).start()
    try:
        created = clock.now() // 1000 * 1000
        connection = hub.connection("device", "modbus", modbus(device.port), reconnect=FAST)
        hub.wait_status(connection, "Connected")
        for step in (HOUR, -HOUR, 0, DAY, -DAY, 0):
            clock.set(step)
            time.sleep(0.5)
            hub.kill()
            hub.spawn()
            wait_for(hub.ready, 30, what="the hub's readiness")
            hub.wait_status(connection, "Connected")
            health(hub, connection, clock, created)
        time.sleep(1)
        answer = health(hub, connection, clock, created)
        newest = recompute.newest_row(hub, connection)
        assert hub.stop()[0] == 0
        recompute.check_answers(tmp_path / "data", [(connection, answer, newest)])
    finally:
        hub.close()


def test_edge_21_a_start_in_1970(tmp_path, device):
    """A machine without a battery for its clock: it starts in 1970, and then the time comes."""
    clock = FakeClock(tmp_path)
    clock.set(IN_1970)
    hub = Hub(tmp_path / "data", environment=clock.environment).start()
    try:
        created = clock.now() // 1000 * 1000
        connection = hub.connection("device", "modbus", modbus(device.port), reconnect=FAST)
        hub.wait_status(connection, "Connected")
        time.sleep(1)
        before = health(hub, connection, clock, created)
        assert before["uptimePercent"] > 50
        clock.set(0)
        time.sleep(1)
        assert hub.state(connection)["status"] == "Connected"
        now = clock.now()
        for begin in (created, now - DAY * 1_000_000, now - 1_000_000):
            health(hub, connection, clock, begin // 1000 * 1000)
        hub.api("POST", f"/connections/{connection['id']}/restart")
        hub.wait_status(connection, "Connected")
        hub.kill()
        hub.start()
        hub.wait_status(connection, "Connected")
        after = health(hub, connection, clock, created)
        assert recompute.micros(hub.state(connection)["since"]) > now, "what happens from now on has the right time"
        assert after["failureCount"] == 0
    finally:
        hub.close()


def test_a_change_of_the_time_zone_changes_nothing(tmp_path, device):
    zones = [Path("/usr/share/zoneinfo") / name for name in ("Europe/Istanbul", "Pacific/Honolulu", "Pacific/Kiritimati")]
    if not all(zone.exists() for zone in zones):
        pytest.skip("needs the zone files of tzdata")
    zone = tmp_path / "zone"
    shutil.copy(zones[0], zone)
    hub = Hub(tmp_path / "data", environment={"TZ": f":{zone}"}).start()
    try:
        created = utc() // 1000 * 1000
        connection = hub.connection("device", "modbus", modbus(device.port), reconnect=FAST)
        hub.wait_status(connection, "Connected")
        before = epochs(hub, [connection])
        for other in zones[1:]:
            shutil.copy(other, tmp_path / "next")
            (tmp_path / "next").rename(zone)
            time.sleep(0.5)
            assert epochs(hub, [connection]) == before
            answer = hub.api("GET", f"/connections/{connection['id']}/health?from={text_of(created)}")
            assert abs(recompute.micros(answer["to"]) - utc()) < 2_000_000, "times are UTC"
        window = (text_of(created), text_of(utc()))
        answers = recompute.answers_of(hub, [connection], [window])
        assert hub.stop()[0] == 0
        recompute.check_answers(tmp_path / "data", answers)
    finally:
        hub.close()


def test_edge_01_a_stopped_peer_is_noticed_and_comes_back(hub, plant, broker):
    """SIGSTOP: the kernel still accepts and acknowledges, nobody answers."""
    device = hub.connection("plant", "modbus", {"transport": "tcp", "host": "127.0.0.1", "port": plant.port})
    mqtt = hub.connection("broker", "mqtt", {"host": "127.0.0.1", "port": broker.port})
    for connection in (device, mqtt):
        hub.wait_status(connection, "Connected")
    for peer in (plant, broker):
        peer.process.send_signal(signal.SIGSTOP)
    begin, noticed = time.monotonic(), {}

    def all_noticed():
        for connection in (device, mqtt):
            if hub.state(connection)["status"] != "Connected":
                noticed.setdefault(connection["type"], time.monotonic() - begin)
        return len(noticed) == 2
    try:
        wait_for(all_noticed, 30, what="the notice of both")
    finally:
        for peer in (plant, broker):
            peer.process.send_signal(signal.SIGCONT)
    for type_, seconds in noticed.items():
        within(f"G12 {type_}, process stopped: noticed", seconds, 15, "s")
    begin = time.monotonic()
    for connection in (device, mqtt):
        hub.wait_status(connection, "Connected", seconds=60)
    within("G13 modbus and mqtt, process stopped and continued: Connected again", time.monotonic() - begin, 40, "s")


def test_edge_18_a_hub_that_stood_still_loses_nothing(tmp_path, device, broker):
    """The hub itself is stopped for ten seconds: every timer fires once, no session is thought lost."""
    hub = Hub(tmp_path / "data").start()
    try:
        created = utc() // 1000 * 1000
        connections = live(hub, device, broker)
        dead = hub.connection("dead", "modbus", modbus(9), reconnect={**FAST, "initialDelayMs": 1000, "maxDelayMs": 1000})
        hub.wait_status(dead, "Disconnected", "Reconnecting")
        before = epochs(hub, connections)
        for _ in range(3):  # wherever it stands in its polls
            os.kill(hub.process.pid, signal.SIGSTOP)
            time.sleep(2)
            os.kill(hub.process.pid, signal.SIGCONT)
            time.sleep(0.33)
        os.kill(hub.process.pid, signal.SIGSTOP)
        time.sleep(10)
        requests = device.requests
        os.kill(hub.process.pid, signal.SIGCONT)
        went_on = utc()
        time.sleep(1.5)
        losses = [row for c in connections for row in hub.events(c) if row["from"] == "Connected"]
        within("edge_18 hub stopped for 10 s: connections thought lost", len(losses), 0)
        assert epochs(hub, connections) == before
        burst = [row for row in hub.events(dead) if row["to"] == "Reconnecting" and recompute.micros(row["at"]) > went_on - 1000]
        within("edge_18 hub stopped for 10 s: extra attempts", max(0, len(burst) - 3), 0)
        polls = device.requests - requests
        record("edge_18 hub stopped for 10 s: polls in the 1.5 s after", polls)
        assert polls <= 25, "missed polls are merged, not made up for"
        answers = recompute.answers_of(hub, connections + [dead], [(text_of(created), text_of(utc()))])
        assert hub.stop()[0] == 0
        recompute.check_answers(tmp_path / "data", answers)
    finally:
        if hub.process.poll() is None:
            os.kill(hub.process.pid, signal.SIGCONT)
        hub.close()
