"""kill -9, again and again (G16, edge cases 13 and 22): the store opens, what was acknowledged is kept, history has no hole, the
time that nobody saw is Unknown and nothing else is, and everything that should run comes back by itself."""

import http.client
import os
import random
import sqlite3
import threading
import time
from datetime import datetime, timezone

import recompute
from figures import record, within
from hub import Hub, free_port, wait_for
from test_faults import FAST, modbus, points

LONG = os.environ.get("TRIBUTARY_LONG") == "1"
KILLS = 1000 if LONG else 100
HEARTBEAT_S = 5
# Trips its breaker at once and probes often, so that a kill meets it Failed and Reconnecting as well.
TRIPPING = {"initialDelayMs": 50, "maxDelayMs": 100, "failuresToOpen": 2, "cooldownMs": 1000, "maxCooldownMs": 1000}


def utc():
    return time.time_ns() // 1000


def text_of(micros):
    return datetime.fromtimestamp(micros // 1000 / 1000, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Operator(threading.Thread):
    """Gives random commands until the hub is gone, and remembers what was acknowledged."""

    def __init__(self, hub, chance, expected):
        super().__init__(daemon=True)
        self.hub = hub
        self.chance = random.Random(chance.random())
        self.expected = expected  # {connection id: {"intent": set, "description": set}}: everything that may be so
        self.acknowledged = 0
        self.error = None

    def run(self):
        try:
            while self.once():
                pass
        except Exception as error:  # an answer that broke the contract
            self.error = error

    def once(self):
        """False when the hub did not answer any more."""
        id_, known = self.chance.choice(list(self.expected.items()))
        command, effect = self.chance.choice(COMMANDS)
        if command == "edit":
            changes, field_ = f"text {self.chance.random()}", "description"
            call = ("PATCH", f"/api/v1/connections/{id_}", {"description": changes}, {"If-Match": "*"})
        else:
            changes, field_ = effect, "intent"
            call = ("POST", f"/api/v1/connections/{id_}/{command}", {"reason": "kill test"} if command == "suspend" else {}, {})
        before = known[field_]
        known[field_] = before | {changes}  # from now on it may have happened
        try:
            answer = self.hub.request(*call, timeout=5)
        except (OSError, http.client.HTTPException):
            return False
        # 409: refused, as suspending what is idle, or starting what is suspended; nothing changed.
        assert answer.status in (200, 409), answer
        if answer.status == 409:
            known[field_] = before
        elif command == "edit":
            known[field_] = {changes}
        else:
            intent = intent_of(answer.json["state"])
            assert intent in before | {changes}, f"{command} of {before}: {answer}"
            assert not (before == {"suspended"} and command != "resume" and intent != "suspended"), f"{command} woke it: {answer}"
            known[field_] = {intent}
        self.acknowledged += 1
        return True


COMMANDS = [("start", "running"), ("stop", "stopped"), ("suspend", "suspended"), ("resume", "stopped"), ("restart", "running"), ("edit", None)]


def intent_of(state):
    return {"Suspended": "suspended", "Idle": "stopped"}.get(state["status"], "running")


class World:
    """A hub with connections in every state, and what must be true of them after every start."""

    def __init__(self, hub, device, broker):
        self.hub = hub
        add = lambda name, port, **more: hub.connection(name, "modbus", modbus(port), **{"reconnect": FAST, **more})
        self.live = [add(f"live {i}", device.port) for i in range(2)]
        self.live.append(hub.connection("broker", "mqtt", {"host": "127.0.0.1", "port": broker.port}, reconnect=FAST))
        for connection in self.live[:2]:
            hub.function(connection, "watch", "modbus.subscribe", {**points(1, 2), "intervalMs": 50, "reportOn": "always"})
        hub.function(self.live[2], "all", "mqtt.subscribe", {"topics": [{"topic": "#", "qos": 1}], "format": "text"})
        self.dead = [add("dead", free_port()), add("tripping", free_port(), reconnect=TRIPPING)]
        self.stopped = [add("stopped", device.port, autostart=False)]
        self.suspended = [add("suspended", device.port), add("suspended with an end", device.port)]
        self.operated = [add(f"operated {i}", device.port) for i in range(3)]
        until = text_of(utc() + 3_600_000_000)
        for connection, end in zip(self.suspended, (None, until)):
            hub.api("POST", f"/connections/{connection['id']}/suspend", {"reason": "valve", **({"until": end} if end else {})})
        for connection in self.live:
            hub.wait_status(connection, "Connected")
        self.expected = {c["id"]: {"intent": {"running"}, "description": {""}} for c in self.operated}
        self.all = self.live + self.dead + self.stopped + self.suspended + self.operated

    def listed(self):
        return {c["id"]: c for c in self.hub.api("GET", "/connections?limit=500")["items"]}

    def running(self):
        """Those that must be running, whatever was under way when the hub was killed."""
        return [c["id"] for c in self.live + self.dead] + [i for i, known in self.expected.items() if known["intent"] == {"running"}]

    def check(self):
        # The first state after a start is Idle; then those start that should run (T27, T2).
        wait_for(lambda: all(intent_of(self.listed()[i]["state"]) == "running" for i in self.running()), 10, what="the start of all")
        listed = self.listed()
        for connection in self.suspended:
            state = listed[connection["id"]]["state"]
            assert state["status"] == "Suspended" and state["suspension"]["reason"] == "valve", state
        assert listed[self.stopped[0]["id"]]["state"]["status"] == "Idle"
        for id_, known in self.expected.items():
            seen = {"intent": intent_of(listed[id_]["state"]), "description": listed[id_]["description"]}
            for field_, value in seen.items():
                assert value in known[field_], f"{listed[id_]['name']}: {field_} is {value!r}, acknowledged was {known[field_]}"
                starting = value == "stopped" and "running" in known[field_]
                known[field_] = known[field_] if starting else {value}

    def settled(self):
        listed, dead = self.listed(), {c["id"] for c in self.dead}
        return all(listed[i]["state"]["status"] == "Connected" for i in self.running() if i not in dead)


def kill_often(world, kills, chance):
    """[(killed at, started again at)] in microseconds of UTC, and the number of acknowledged commands."""
    hub, down, acknowledged, ready = world.hub, [], 0, True
    for kill in range(kills):
        operator = None
        if ready:
            operator = Operator(hub, chance, world.expected)
            operator.start()
        # One long life in twenty, so that heartbeats matter as well.
        time.sleep(chance.uniform(0.05, 0.5) if kill % 20 != 10 else HEARTBEAT_S + 1)
        hub.kill()
        killed = utc()
        if operator:
            operator.join()
            if operator.error:
                raise operator.error
            acknowledged += operator.acknowledged
        time.sleep(chance.uniform(0, 0.1))
        down.append((killed, utc()))
        hub.spawn()
        # One start in five is cut short wherever it is.
        ready = chance.random() > 0.2
        if ready:
            wait_for(hub.ready, 30, what="the hub's readiness")
            world.check()
    if not ready:
        wait_for(hub.ready, 30, what="the hub's readiness")
        world.check()
    return down, acknowledged


def check_unknown(numbers, down):
    """Unknown covers every second without a hub, and of the others at most one heartbeat a crash. The excess of the worst crash."""
    unknown = [(a, b) for a, b, status in numbers.timeline if status == "Unknown"]
    worst = 0
    for killed, started in down:
        if killed < numbers.start:
            continue
        around = [(a, b) for a, b in unknown if a <= killed + 1000 and b >= started - 1000]
        assert around, f"without a hub from {text_of(killed)} to {text_of(started)}, and yet not Unknown: {numbers.timeline}"
        begin = around[0][0]
        # Several crashes in a row before anything was written again share one interval.
        first = min(k for k, _ in down if k >= begin - 1000)
        worst = max(worst, (first - begin) / 1e6)
    return worst


def test_edge_13_kill_again_and_again(tmp_path, device, broker):
    chance = random.Random(11)
    hub = Hub(tmp_path / "data").start()
    try:
        world = World(hub, device, broker)
        begin = utc()
        down, acknowledged = kill_often(world, KILLS, chance)
        assert acknowledged > KILLS, "commands were under way when the hub was killed"
        record("G16 kills", len(down))
        record("G16 kills: acknowledged commands, all kept", acknowledged)
        clock = time.monotonic()
        wait_for(world.settled, 60, what="every running connection's Connected")
        record("G13 after the last kill: all Connected", time.monotonic() - clock, unit="s")
        time.sleep(1)  # so that the last stretch is longer than what is allowed as error
        windows = [(text_of(begin), text_of(utc()))]
        for _ in range(3):
            a, b = sorted(chance.sample(range(begin, utc()), 2))
            windows.append((text_of(a), text_of(b + 1000)))
        answers = recompute.answers_of(hub, world.all, windows)
        code, seconds = hub.stop()
        assert code == 0
        compared = recompute.check_answers(tmp_path / "data", answers)
        record("G16 kills: answers about health that equal the second computation", compared)
        histories = recompute.read_store(tmp_path / "data")
        record("G16 kills: rows of history", sum(len(rows) for rows in histories.values()))
        worst = 0
        for connection in world.all:
            rows = histories[connection["id"]]
            numbers = recompute.compute(rows, begin, down[-1][1] + 1000)
            worst = max(worst, check_unknown(numbers, down))
        within("G16 kills: Unknown beyond the real down time, worst", worst, HEARTBEAT_S + 0.5, "s")
    finally:
        hub.close()


def test_edge_22_our_own_down_time_is_unknown(tmp_path, device):
    """Killed, down for ten seconds: that time is Unknown, give or take a heartbeat, and lowers no uptime."""
    down_s = 600 if LONG else 10
    hub = Hub(tmp_path / "data").start()
    try:
        connection = hub.connection("Device", "modbus", modbus(device.port), reconnect=FAST)
        hub.wait_status(connection, "Connected")
        time.sleep(HEARTBEAT_S + 1)
        hub.kill()
        killed = time.monotonic()
        time.sleep(down_s)
        hub.spawn()
        started = time.monotonic()
        wait_for(hub.ready, 30, what="the hub's readiness")
        hub.wait_status(connection, "Connected")
        window = (connection["createdAt"] if "createdAt" in connection else text_of(utc() - 3_600_000_000), text_of(utc()))
        answers = recompute.answers_of(hub, [connection], [window])
        health = answers[0][1]
        histories_begin = recompute.micros(hub.events(connection)[0]["at"])
        before_it_existed = max(0, histories_begin - recompute.micros(health["from"])) / 1e6
        unknown = health["durations"]["Unknown"] - before_it_existed
        within("edge_22 Unknown less the real down time", abs(unknown - (started - killed)), HEARTBEAT_S, "s")
        assert unknown >= started - killed - 0.01, "the hub cannot know of a time in which it did not run"
        assert health["uptimePercent"] > 50, "our own down time is not held against the device"
        assert health["failureCount"] == 0
        assert hub.stop()[0] == 0
        recompute.check_answers(tmp_path / "data", answers)
    finally:
        hub.close()


def test_edge_22_a_run_that_died_while_starting_vouches_for_nothing(tmp_path, device):
    """Its heartbeat is in the store, but it never saw a connection: the time before it stays Unknown."""
    hub = Hub(tmp_path / "data").start()
    try:
        connection = hub.connection("Device", "modbus", modbus(device.port), reconnect=FAST)
        hub.wait_status(connection, "Connected")
        hub.kill()
        killed = utc()
        time.sleep(2)
        store = sqlite3.connect(tmp_path / "data" / "tributary.db")
        with store:
            store.execute("insert into boots (number, boot_id, at, monotonic_ns) "
                          "select max(number) + 1, 'died-while-starting', ?, max(monotonic_ns) + 2000000000 from boots", (utc(),))
        store.close()
        hub.start()
        hub.wait_status(connection, "Connected")
        answers = recompute.answers_of(hub, [connection], [(text_of(killed), text_of(utc()))])
        first = answers[0][1]["timeline"][0]
        assert first["status"] == "Unknown" and recompute.micros(first["to"]) >= killed + 2_000_000, answers
        assert hub.stop()[0] == 0
        recompute.check_answers(tmp_path / "data", answers)
    finally:
        hub.close()
