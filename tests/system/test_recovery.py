"""G13: a link that comes back brings its data back, without anybody's help. Judged by data that was made after the link was
back, never by a status. Each connector meets each fault; the reconnect policy is the connector's own, but a connection counts
as stable after half a second, so that every cycle begins like a first loss."""

import contextlib
import datetime
import os
import random
import socket
import struct
import threading
import time

import figures
import pytest
from device import Device
from hub import Hub, Mosquitto, Process, free_port, wait_port
from live import Live, good_value
from network import Blocker, own_network
from relay import Relay
from s7_device import S7Device
from test_opcua import OpcuaPlant, nodes

LONG = bool(os.environ.get("TRIBUTARY_LONG"))
CYCLES = 50 if LONG else 10
LANES = 2  # connections that share the cycles of a fault, at the same time
LANES_OF_LONG_OUTAGES = 10
SHORT_OUTAGE = (0.2, 4.5)
MEDIAN_LIMIT = 3.0
QUICKLY_STABLE = {"stableMs": 500}
BREAKER = {"initialDelayMs": 100, "maxDelayMs": 200, "failuresToOpen": 3, "cooldownMs": 5000, "maxCooldownMs": 5000}
BREAKER_OUTAGE = (4, 12)
BREAKER_LANES = CYCLES
GRACE = 10.0  # G13: always within the longest wait and this
FIRST_REGISTER = 10


class ScriptedModbus:
    """The scripted device. Each slot is a register that says what the test last put there."""

    name = "modbus"
    family_cap = 30.0  # the longest wait of field devices
    say_every = 0.2  # a peer that was restarted has forgotten

    class Counting(Device):
        def __init__(self):
            self.said = {}
            super().__init__()

        def _good(self, pdu):
            function, address, count = struct.unpack(">BHH", pdu[:5])
            if function == 3:
                values = [self.said.get(address + i, 0) for i in range(count)]
                return struct.pack(f">BB{count}H", function, 2 * count, *values)
            return super()._good(pdu)

    def __init__(self, _folder):
        self.device = self.Counting()
        self.port = self.device.port

    def stop(self):
        self.device.cut()

    def start(self):
        self.device.open()

    def say(self, slot, number):
        self.device.said[FIRST_REGISTER + slot] = number

    @staticmethod
    def is_new(item, number, _since):
        return good_value(item) == number

    def close(self):
        with contextlib.suppress(OSError):
            self.device.cut()

    @staticmethod
    def connect(hub, name, port, slot, reconnect):
        connection = hub.connection(name, "modbus", {"transport": "tcp", "host": "127.0.0.1", "port": port, "unitId": 1},
                                    reconnect=reconnect)
        points = [{"name": "said", "area": "holdingRegisters", "address": FIRST_REGISTER + slot, "dataType": "uint16"}]
        return connection, hub.function(connection, name, "modbus.subscribe",
                                        {"points": points, "intervalMs": 200, "reportOn": "always"})


class ScriptedS7(ScriptedModbus):
    """The scripted CPU. Each slot is a word of DB1."""

    name = "s7"

    class Counting(S7Device):
        def __init__(self):
            self.said = {}
            super().__init__()

        def word(self, at):
            return self.said.get(at // 2, 0)

    @staticmethod
    def connect(hub, name, port, slot, reconnect):
        connection = hub.connection(name, "s7", {"host": "127.0.0.1", "port": port}, reconnect=reconnect)
        points = [{"name": "said", "address": f"DB1.DBW{2 * (FIRST_REGISTER + slot)}", "dataType": "UINT"}]
        return connection, hub.function(connection, name, "s7.subscribe", {"points": points, "intervalMs": 200, "reportOn": "always"})


class Pymodbus(ScriptedModbus):
    """Debian's pymodbus in a process of its own; the test writes the register as another master would."""

    name = "modbus, pymodbus"
    SERVER = """
import logging; logging.disable(logging.CRITICAL)
from pymodbus.server import StartTcpServer
from pymodbus.datastore import ModbusSequentialDataBlock, ModbusSlaveContext, ModbusServerContext
block = ModbusSequentialDataBlock(0, [0] * 500)
slave = ModbusSlaveContext(di=block, co=block, hr=block, ir=block, zero_mode=True)
StartTcpServer(context=ModbusServerContext(slaves=slave, single=True), address=("127.0.0.1", {port}))
"""

    def __init__(self, _folder):
        self.port = free_port()
        self.start()

    def start(self):
        self.process = Process(["/usr/bin/python3", "-c", self.SERVER.replace("{port}", str(self.port))])
        wait_port(self.port, 20)

    def stop(self):
        self.process.stop()

    close = stop

    def say(self, slot, number):
        with socket.create_connection(("127.0.0.1", self.port), 5) as master:
            master.sendall(struct.pack(">HHHBBHH", 1, 0, 6, 1, 6, FIRST_REGISTER + slot, number))
            assert len(master.recv(64)) == 12


class Opcua:
    """The simulated plant, signed and encrypted. Its temperature is another one at every look, and says when it was."""

    name = "opcua"
    family_cap = 30.0
    say_every = 0.2

    def __init__(self, folder):
        self.folder = folder / "plant"
        self.port = free_port()
        self.start()

    def start(self):
        self.plant = OpcuaPlant(self.folder, self.port)

    def stop(self):
        self.plant.stop()

    close = stop

    def say(self, _slot, _number):
        """It speaks by itself."""

    @staticmethod
    def is_new(item, _number, since):
        return good_value(item) is not None and datetime.datetime.fromisoformat(item["sourceTime"]) >= since

    def connect(self, hub, name, port, _slot, reconnect):
        connection = hub.connection(name, "opcua", {"endpointUrl": f"opc.tcp://127.0.0.1:{port}", "ca": f"file:{self.folder}/certificate.pem"},
                                    reconnect=reconnect)
        return connection, hub.function(connection, name, "opcua.subscribe", {**nodes("Temperature"), "publishingIntervalMs": 200})


class Broker:
    """mosquitto without persistence; the test publishes as another client would."""

    name = "mqtt, mosquitto"
    family_cap = 60.0
    say_every = 0.05  # what is published while nobody is subscribed is gone
    TOPIC = "plant/said/{}"

    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()
        self.start()

    def start(self):
        self.process = Mosquitto(self.folder, port=self.port)

    def stop(self):
        self.process.stop()

    close = stop

    def say(self, slot, number):
        topic, payload = self.TOPIC.format(slot).encode(), str(number).encode()
        name = b"test%d" % number
        connect = b"\0\4MQTT\4\2\0\x3c" + struct.pack(">H", len(name)) + name
        publish = struct.pack(">H", len(topic)) + topic + payload
        with socket.create_connection(("127.0.0.1", self.port), 5) as client:
            client.sendall(bytes([0x10, len(connect)]) + connect)
            assert client.recv(4) == b"\x20\2\0\0"
            # Not retained: only a subscription that stands receives it.
            client.sendall(bytes([0x30, len(publish)]) + publish + b"\xe0\0")

    is_new = staticmethod(ScriptedModbus.is_new)

    def connect(self, hub, name, port, slot, reconnect):
        connection = hub.connection(name, "mqtt", {"host": "127.0.0.1", "port": port}, reconnect=reconnect)
        return connection, hub.function(connection, name, "mqtt.subscribe",
                                        {"topics": [{"topic": self.TOPIC.format(slot), "qos": 0}], "format": "json"})


class Link:
    """What is between hub and peer in one lane, and how each fault is done and undone."""

    def __init__(self, peer, blocker):
        self.peer = peer
        self.blocker = blocker
        self.relay = Relay(peer.port)
        self.port = self.relay.port

    def begin(self, fault):
        if fault == "accepts, drops":
            self.relay.set_mode("drop")
        elif fault == "accepts, mute":
            self.relay.set_mode("mute")
        if fault in ("reset", "accepts, drops", "accepts, mute"):
            self.relay.reset()
        elif fault.startswith("stall"):
            self.blocker.block(self.relay.port)

    def end(self, fault):
        if fault in ("accepts, drops", "accepts, mute"):
            self.relay.set_mode("good")
        elif fault.startswith("stall"):
            self.blocker.unblock(self.relay.port)


class Restarts(Link):
    """The peer itself goes and comes back; the hub dials it directly."""

    def __init__(self, peer):
        self.peer = peer
        self.port = peer.port

    def begin(self, _fault):
        self.peer.stop()

    def end(self, _fault):
        self.peer.start()


class Lane(threading.Thread):
    """One connection that lives through some cycles of a fault and notes how long its data took to come back."""

    numbers = iter(range(1000, 65000))
    numbers_lock = threading.Lock()

    def __init__(self, peer, slot, link, live, function, fault, cycles, outage, patience):
        super().__init__(daemon=True)
        self.peer, self.slot, self.link, self.live, self.function = peer, slot, link, live, function
        self.fault, self.cycles, self.outage, self.patience = fault, cycles, outage, patience
        self.chance = random.Random(f"{fault} {function['name']}")
        self.times = []
        self.problem = None

    def run(self):
        try:
            self.wait_data(time.monotonic(), 30)
            for _ in range(self.cycles):
                time.sleep(0.7)  # stable
                self.link.begin(self.fault)
                time.sleep(self.chance.uniform(*self.outage))
                self.link.end(self.fault)
                back = time.monotonic()
                self.times.append(self.wait_data(back, self.patience) - back)
        except Exception as problem:  # shown by the test, which waits for all lanes
            self.problem = f"{self.fault}, {self.function['name']}, after {len(self.times)} cycles: {problem!r}"

    def wait_data(self, since, seconds):
        """When data arrived that did not exist before `since`."""
        with self.numbers_lock:
            number = next(self.numbers)
        self.live.forget(self.function)
        began = datetime.datetime.now(datetime.timezone.utc)
        deadline = since + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                self.peer.say(self.slot, number)
            said_again = time.monotonic() + self.peer.say_every
            while time.monotonic() < said_again:
                for at, item in self.live.since(self.function, since):
                    if self.peer.is_new(item, number, began):
                        return at
                time.sleep(0.02)
        raise AssertionError(f"no data within {seconds} s")


# How long each lasts. "stall": half-open, every packet is dropped in silence.
FAULTS = {"restart": SHORT_OUTAGE, "reset": (0, 0), "accepts, drops": SHORT_OUTAGE, "accepts, mute": SHORT_OUTAGE,
          "stall 1 s": (1, 1), "stall 10 s": (10, 10)}
if LONG:
    FAULTS["stall 60 s"] = (60, 60)


def live_through(lanes):
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join()
    problems = [lane.problem for lane in lanes if lane.problem]
    assert not problems, problems


@pytest.mark.parametrize("kind", [ScriptedModbus, ScriptedS7, Pymodbus, Opcua, Broker])
def test_data_comes_back_by_itself(tmp_path, kind):
    patience = kind.family_cap + GRACE
    with own_network(), contextlib.ExitStack() as stack:
        hub = Hub(tmp_path / "data").start()
        stack.callback(hub.close)
        blocker = Blocker()
        steady = kind(tmp_path)
        stack.callback(steady.close)
        made = []
        for fault, outage in FAULTS.items():
            lanes = LANES_OF_LONG_OUTAGES if outage[0] >= 10 else LANES
            for number in range(lanes):
                peer = steady
                if fault == "restart":
                    peer = kind(tmp_path)
                    stack.callback(peer.close)
                link = Restarts(peer) if fault == "restart" else Link(peer, blocker)
                _, function = peer.connect(hub, f"{fault} {number}", link.port, len(made), QUICKLY_STABLE)
                made.append((peer, link, function, fault, CYCLES // lanes, outage))
        live = Live(hub, [function for _, _, function, *_ in made])
        stack.callback(live.close)
        lanes = [Lane(peer, slot, link, live, function, fault, cycles, outage, patience)
                 for slot, (peer, link, function, fault, cycles, outage) in enumerate(made)]
        live_through(lanes)
        after_short = []
        for fault, outage in FAULTS.items():
            times = sorted(t for lane in lanes if lane.fault == fault for t in lane.times)
            assert len(times) == CYCLES
            if outage[1] < 5:
                after_short += times
            name = f"G13 {kind.name}, {fault}: link back to data"
            figures.record(f"{name}, p50", figures.percentile(times, 0.5), unit="s")
            figures.record(f"{name}, p95", figures.percentile(times, 0.95), unit="s")
            figures.record(f"{name}, longest of {CYCLES}", times[-1], patience, "s")
        figures.within(f"G13 {kind.name}, all outages below 5 s: p50 of {len(after_short)}", figures.percentile(after_short, 0.5), MEDIAN_LIMIT, "s")


@pytest.mark.parametrize("kind", [ScriptedModbus, Broker])
def test_data_comes_back_after_the_breaker_opened(tmp_path, kind):
    with contextlib.ExitStack() as stack:
        hub = Hub(tmp_path / "data").start()
        stack.callback(hub.close)
        made = []
        for number in range(BREAKER_LANES):
            peer = kind(tmp_path)
            stack.callback(peer.close)
            connection, function = peer.connect(hub, f"breaker {number}", peer.port, 0, BREAKER)
            made.append((connection, function, peer))
        live = Live(hub, [function for _, function, _ in made])
        stack.callback(live.close)
        patience = BREAKER["cooldownMs"] / 1000 + GRACE
        lanes = [Lane(peer, 0, Restarts(peer), live, function, "restart", 1, BREAKER_OUTAGE, patience) for _, function, peer in made]
        live_through(lanes)
        for connection, _, _ in made:
            assert any(row["to"] == "Failed" for row in hub.events(connection)), "the breaker did open"
        figures.within(f"G13 {kind.name}, breaker open, cool-down 5 s: longest of {BREAKER_LANES}",
                       max(lane.times[0] for lane in lanes), patience, "s")
