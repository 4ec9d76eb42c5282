"""Random lives: lines that fail in every way, operators who command at random, clocks that are set, a hub that is killed. All
the while no value is wrong; afterwards everything is Connected again by itself and history adds up.

The seed is printed and can be given: TRIBUTARY_SEED=7."""

import os
import random
import time

import pytest
import recompute
from fault_proxy import FaultProxy
from figures import record, within
from hub import Hub, wait_for
from test_chaos_clock import DAY, HOUR, FakeClock
from test_chaos_kill import text_of
from test_faults import modbus, points

LONG = os.environ.get("TRIBUTARY_LONG") == "1"
LIFE_S = 600 if LONG else 30
# Liveness (lifecycle §3, 12): the longest wait or rest, an attempt, and ten seconds.
POLICY = {"initialDelayMs": 100, "maxDelayMs": 1000, "failuresToOpen": 4, "cooldownMs": 1000, "maxCooldownMs": 4000}
ALIVE_AGAIN_S = 4 * 1.2 + 1 + 10
LINE_FAULTS = ["pass", "pass", "pass", "delay 30", "delay 700", "slice", "rate 300", "corrupt server 0", "corrupt server 7", "stall", "mute", "drop",
               "refuse", "cut fin", "cut rst", "stall-after server 9", "stall-after client 6", "cut-after server 9", "cut-after server 0"]
COMMANDS = [("stop", {}), ("start", {}), ("start", {}), ("restart", {}), ("suspend", {"reason": "random life"}), ("resume", {"start": True})]


class Life:
    def __init__(self, folder, device, seed):
        self.chance = random.Random(seed)
        self.clock = FakeClock(folder)
        self.hub = Hub(folder / "data", environment=self.clock.environment).start()
        self.lines = [FaultProxy(device.port) for _ in range(4)]
        self.connections, self.reads = [], []
        self.done = {"values": 0, "line faults": 0, "commands": 0, "clock steps": 0, "kills": 0}
        for number, line in enumerate(self.lines):
            connection = self.hub.connection(f"line {number}", "modbus", modbus(line.port), reconnect=POLICY)
            self.hub.function(connection, "watch", "modbus.subscribe", {**points(5), "intervalMs": 100, "reportOn": "always"})
            self.connections.append(connection)
            self.reads.append(self.hub.function(connection, "read", "modbus.read", points(2, 9)))

    def step(self):
        what = self.chance.choices(["read", "line", "command", "clock", "kill"], [60, 20, 17, 2, 1])[0]
        number = self.chance.randrange(len(self.lines))
        if what == "read":
            self.read(self.reads[number])
        elif what == "line":
            self.lines[number].order(self.chance.choice(LINE_FAULTS))
            self.done["line faults"] += 1
        elif what == "command":
            self.command(self.connections[number])
        elif what == "clock":
            self.clock.set(self.chance.choice([0, HOUR, -HOUR, DAY, -DAY]))
            self.done["clock steps"] += 1
        else:
            self.hub.kill()
            self.hub.spawn()
            wait_for(self.hub.ready, 30, what="the hub's readiness")
            self.done["kills"] += 1
        time.sleep(self.chance.uniform(0, 0.1))

    def read(self, function):
        answer = self.hub.execute(function)
        for sample in answer["data"]["samples"] if answer["success"] else []:
            assert sample["quality"] != "good" or sample["value"] == int(sample["point"][1:]), sample
            self.done["values"] += 1

    def command(self, connection):
        name, body = self.chance.choice(COMMANDS)
        answer = self.hub.request("POST", f"/api/v1/connections/{connection['id']}/{name}", body)
        assert answer.status in (200, 409), answer
        self.done["commands"] += 1

    def heal(self):
        for line in self.lines:
            line.order("pass")
        for connection in self.connections:
            state = self.hub.state(connection)
            if state["status"] == "Suspended":
                self.hub.api("POST", f"/connections/{connection['id']}/resume", {})
            if state["status"] in ("Suspended", "Idle"):
                self.hub.api("POST", f"/connections/{connection['id']}/start")

    def all_connected(self):
        return all(self.hub.state(connection)["status"] == "Connected" for connection in self.connections)

    def end(self):
        self.hub.close()
        for line in self.lines:
            line.stop()


@pytest.mark.parametrize("seed", [int(os.environ["TRIBUTARY_SEED"])] if "TRIBUTARY_SEED" in os.environ else [1, 2])
def test_a_random_life_adds_up(tmp_path, device, seed):
    print(f"TRIBUTARY_SEED={seed}")
    life = Life(tmp_path, device, seed)
    try:
        created = life.clock.now() // 1000 * 1000
        end = time.monotonic() + LIFE_S
        while time.monotonic() < end:
            life.step()
        life.heal()
        healed = time.monotonic()
        wait_for(life.all_connected, ALIVE_AGAIN_S + 20, what="every connection's Connected after the healing")
        within(f"G13 random life {seed}: all Connected after the healing", time.monotonic() - healed, ALIVE_AGAIN_S, "s")
        for read in life.reads:
            life.read(read)
        for what, count in life.done.items():
            record(f"G16 random life {seed}: {what}", count)
            assert count, what
        life.clock.set(0)
        time.sleep(1)
        answers = recompute.answers_of(life.hub, life.connections, [(text_of(created), text_of(life.clock.now()))])
        for _, health, _ in answers:
            assert all(value >= 0 for value in health["durations"].values()), health
            assert health["uptimePercent"] is None or 0 <= health["uptimePercent"] <= 100, health
        assert life.hub.stop()[0] == 0
        recompute.check_answers(tmp_path / "data", answers)
    finally:
        life.end()
