"""A dead, lying or slow device never disturbs the others: one hundred devices, of which thirty misbehave. For each protocol of the
plant floor."""

import socket
import struct
import time

import pytest
from device import Device
from figures import record
from hub import BINARY, Process, free_port, wait_for
from s7_device import S7Device

from test_faults import FAST, modbus, points

HEALTHY, SICK = 70, 30
SECONDS = 12
INTERVAL_MS = 1000


class Modbus:
    """A device for each connection."""

    name = "Modbus"
    device = Device
    modes = ("mute", "close", "wrong_transaction", "wrong_unit", "wrong_function", "truncated", "exception", "garbage", "late", "slow")

    def __init__(self):
        self.devices = [self.device() for _ in range(HEALTHY + SICK)]
        for number, device in enumerate(self.devices[HEALTHY:]):
            device.mode = self.modes[number % len(self.modes)]
            device.delay = 5.0 if device.mode == "slow" else 0.0

    def connection(self, number):
        return "modbus", modbus(self.devices[number].port)

    def function(self):
        return "modbus.subscribe", {**points(1, 2, 3), "intervalMs": INTERVAL_MS, "reportOn": "always"}

    def scans(self):
        """Of each healthy device, as the device counts them."""
        return [device.requests for device in self.devices[:HEALTHY]]

    def stop(self):
        for device in self.devices:
            device.cut()


class S7(Modbus):
    name = "S7"
    device = S7Device
    modes = ("mute", "close", "refuse", "wrong_reference", "wrong_function", "truncated", "missing", "garbage", "late", "slow")

    def connection(self, number):
        return "s7", {"host": "127.0.0.1", "port": self.devices[number].port, "requestTimeoutMs": 500, "connectTimeoutMs": 1000}

    def function(self):
        return "s7.subscribe", {"points": [{"name": f"w{at}", "address": f"DB1.DBW{at}"} for at in (0, 2, 4)], "intervalMs": INTERVAL_MS,
                                "reportOn": "always"}


class Liar(Device):
    """Speaks as much of OPC UA as it takes to misbehave."""

    MODES = ("mute", "close", "garbage", "refuse", "silent_after_hello", "truncated")

    def _serve(self, client):
        hello = struct.pack("<IIIII", 0, 65535, 65535, 0, 0)
        answers = {"garbage": b"HTTP/1.1 400 Bad Request\r\n\r\n", "refuse": b"ERRF" + struct.pack("<III", 16, 0x800D0000, 0xFFFFFFFF),
                   "silent_after_hello": b"ACKF" + struct.pack("<I", 28) + hello, "truncated": b"ACKF" + struct.pack("<I", 28) + hello[:7]}
        try:
            while client.recv(4096):
                client.sendall(answers.get(self.mode, b""))
                if self.mode == "truncated":
                    client.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        finally:
            client.close()


class Opcua:
    """Ten connections to each of seven servers: one hundred servers are more than a test should start."""

    name = "OPC UA"
    servers = 7

    def __init__(self, folder):
        self.keys = folder / "keys"
        self.ports = []
        self.plants = []
        for _ in range(self.servers):  # one after the other: the first makes the certificate of all
            self.ports.append(free_port())
            self.plants.append(Process([BINARY, "simulate", "plant", "--opcua-port", str(self.ports[-1]), "--opcua-dir", str(self.keys)]))
            self.plants[-1].wait_line("OPC UA server", 60)
        self.liars = [Liar() for _ in range(SICK)]
        for number, liar in enumerate(self.liars):
            liar.mode = Liar.MODES[number % len(Liar.MODES)]

    def connection(self, number):
        port = self.ports[number % self.servers] if number < HEALTHY else self.liars[number - HEALTHY].port
        return "opcua", {"endpointUrl": f"opc.tcp://127.0.0.1:{port}", "ca": f"file:{self.keys}/certificate.pem", "requestTimeoutMs": 2000,
                         "connectTimeoutMs": 10000}

    def function(self):
        clock = {"name": "clock", "nodeId": "i=2258"}  # the server's time: another one with every look
        return "opcua.subscribe", {"nodes": [clock], "publishingIntervalMs": INTERVAL_MS}

    def scans(self):
        return None  # the server sends: what arrived is what counts

    def stop(self):
        for peer in [*self.plants]:
            peer.stop()
        for liar in self.liars:
            liar.cut()


@pytest.fixture(params=["modbus", "s7", "opcua"])
def floor(request, tmp_path):
    made = Opcua(tmp_path) if request.param == "opcua" else {"modbus": Modbus, "s7": S7}[request.param]()
    yield made
    made.stop()


def test_seventy_healthy_devices_miss_no_scan_beside_thirty_that_misbehave(hub, floor):
    connections = []
    for number in range(HEALTHY + SICK):
        type_, settings = floor.connection(number)
        connection = hub.connection(f"d{number}", type_, settings, reconnect=FAST)
        connections.append((connection, hub.function(connection, "watch", *floor.function())))
    healthy = connections[:HEALTHY]
    for connection, _ in healthy:
        hub.wait_status(connection, "Connected", seconds=90)

    def view(function):
        return hub.api("GET", f"/functions/{function['id']}")["subscription"]

    wait_for(lambda: all(view(function)["samples"] > 0 for _, function in healthy), 60, what="first values of all")
    before = {function["id"]: view(function) for _, function in healthy}
    asked = floor.scans()
    begin = time.monotonic()
    time.sleep(SECONDS)
    seconds = time.monotonic() - begin
    scans = [now - count for now, count in zip(floor.scans(), asked)] if asked else []
    after = {function["id"]: view(function) for _, function in healthy}
    missed = sum(after[each]["overruns"] - before[each]["overruns"] for each in after)
    points_of = 1 if not asked else 3
    arrived = [(after[each]["samples"] - before[each]["samples"]) / points_of for each in after]
    record(f"100 {floor.name} devices, 30 misbehave: scans missed by the healthy ones", missed, 0)
    record(f"100 {floor.name} devices, 30 misbehave: fewest scans of a healthy one in {SECONDS} s", min(arrived), at_least=SECONDS - 1)
    assert missed == 0
    assert min(arrived) >= int(seconds) - 1, f"{arrived} scans in {seconds:.1f} s"
    assert not scans or min(scans) >= int(seconds) - 1, f"{scans} requests in {seconds:.1f} s"
    assert {hub.state(connection)["status"] for connection, _ in healthy} == {"Connected"}
    sick = [hub.state(connection) for connection, _ in connections[HEALTHY:]]
    assert any(state["status"] != "Connected" for state in sick), "nobody misbehaved"
