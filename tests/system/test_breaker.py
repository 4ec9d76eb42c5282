"""G18, edge cases 10, 12, 23 and 24 with a real hub: the breaker opens when it should, never stays half-open, and makes one probe at
a time; a peer that greets and then hangs up is not hammered; what was stopped stays silent."""

import os
import socket
import threading
import time

import figures
import pytest
from device import Device
from hub import Hub, Mosquitto, free_port, wait_for
from names import NameServer, asks_own_server
from network import own_network
from relay import Relay
from test_faults import modbus, points

LONG = bool(os.environ.get("TRIBUTARY_LONG"))
PROBE_LIMIT = 15.0
CANCEL_LIMIT = 1.0
# Failed after two refusals, and a probe soon after.
TRIPS_SOON = {"initialDelayMs": 50, "maxDelayMs": 100, "failuresToOpen": 2, "cooldownMs": 500, "maxCooldownMs": 1000}


class AtOnce(Device):
    """How many connections it had at the same time at most, asked of the kernel: our own threads hear of an end a little late."""

    ESTABLISHED = 1
    most = 0

    def _serve(self, client):
        with self.lock:
            self.most = max(self.most, sum(self._established(each) for each in self.open_sockets))
        super()._serve(client)

    def _established(self, each):
        try:
            return each.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == self.ESTABLISHED
        except OSError:
            return False


class HalfOpen:
    """Watches the breaker of a connection through the API and notes how long it was half-open without a break."""

    def __init__(self, hub, connection):
        self.longest = 0.0
        self.phases = 0
        self._over = threading.Event()
        self._hub, self._connection = hub, connection
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self):
        began, epoch = None, None
        while not self._over.wait(0.05):
            state = self._hub.state(self._connection)
            if state["breaker"]["state"] != "half-open":
                began = None
                continue
            if began is None or state["epoch"] != epoch:
                began, epoch = time.monotonic(), state["epoch"]
                self.phases += 1
            self.longest = max(self.longest, time.monotonic() - began)

    def close(self):
        self._over.set()
        self._thread.join()


def tripped(hub, port, **settings):
    """A connection whose breaker is open, and soon half-open."""
    connection = hub.connection("Tripping", "modbus", {"transport": "tcp", "host": "127.0.0.1", "port": port, **settings}, reconnect=TRIPS_SOON)
    hub.wait_status(connection, "Failed")
    return connection


def wait_half_open(hub, connection, seconds=20):
    return wait_for(lambda: hub.state(connection)["breaker"]["state"] == "half-open", seconds, what="a probe")


@pytest.fixture
def mute():
    """A port that refuses until open() is called, and then accepts and says nothing."""
    device = AtOnce(free_port())
    device.cut()
    device.mode = "mute"
    yield device
    if device.listener.fileno() >= 0:
        device.cut()


def test_edge_23_a_mute_peer_does_not_hold_the_probe(hub, mute):
    connection = tripped(hub, mute.port)
    mute.open()
    watch = HalfOpen(hub, connection)
    try:
        wait_for(lambda: watch.phases >= 2, 40, what="a second probe")
        hub.wait_status(connection, "Failed", seconds=20)
    finally:
        watch.close()
    figures.within("G18 half-open, peer mute: longest", watch.longest, PROBE_LIMIT, "s")
    figures.within("G18 probes at once", mute.most, 1)
    mute.mode = "good"
    assert hub.wait_status(connection, "Connected", seconds=20)["breaker"]["state"] == "closed"


@pytest.mark.parametrize("command", ["stop", "suspend", "restart"])
def test_edge_23_a_cancelled_probe_leaves_half_open_at_once(hub, mute, command):
    connection = tripped(hub, mute.port)
    mute.open()
    wait_half_open(hub, connection)
    begin = time.monotonic()
    body = {"reason": "a probe is under way"} if command == "suspend" else {}
    state = hub.api("POST", f"/connections/{connection['id']}/{command}", body)["state"]
    figures.within(f"G18 probe cancelled by {command}: half-open left after", time.monotonic() - begin, CANCEL_LIMIT, "s")
    assert state["breaker"]["state"] == "closed", state
    mute.mode = "good"
    if command == "suspend":
        hub.api("POST", f"/connections/{connection['id']}/resume", {"start": True})
    else:
        hub.api("POST", f"/connections/{connection['id']}/restart")
    hub.wait_status(connection, "Connected")
    assert mute.most == 1, "the cancelled probe was gone before the next attempt"


def test_edge_23_a_probe_that_hangs_in_the_name_service_ends(tmp_path):
    with own_network():
        server = NameServer()
        server.addresses["plc.plant.test"] = ["127.0.0.1"]
        hub = Hub(tmp_path / "data", wrapper=asks_own_server(tmp_path)).start()
        device = Device(free_port())
        device.cut()
        try:
            connection = tripped(hub, device.port, host="plc.plant.test")
            server.silent = True
            watch = HalfOpen(hub, connection)
            try:
                wait_for(lambda: watch.phases >= 2, 40, what="a second probe")
                state = hub.wait_status(connection, "Failed", seconds=20)
                assert "name" in state["cause"]["message"].lower(), state
            finally:
                watch.close()
            figures.within("G18 half-open, name service silent: longest", watch.longest, PROBE_LIMIT, "s")
            server.silent = False
            device.open()
            hub.wait_status(connection, "Connected", seconds=30)
        finally:
            hub.close()
            server.close()
            device.close()


def test_edge_24_a_peer_that_is_polled_once_a_minute_trips_the_breaker_after_ten(hub, device):
    """Counting is by failures in a row, not by a ratio of calls that a slow poll never reaches."""
    connection = hub.connection("Slow", "modbus", modbus(device.port), reconnect={"initialDelayMs": 20, "maxDelayMs": 40})
    hub.function(connection, "watch", "modbus.subscribe", {**points(1), "intervalMs": 60000})
    hub.wait_status(connection, "Connected")
    before = device.connections
    device.mode = "close"
    device.drop_clients()
    state = hub.wait_status(connection, "Failed", seconds=30)
    assert state["breaker"]["state"] == "open" and state["breaker"]["consecutiveFailures"] == 10, state
    assert device.connections - before == 9, "the loss and nine attempts"


def test_edge_24_a_thousand_refused_reads_do_not_open_the_breaker(hub, device):
    connection = hub.connection("Busy", "modbus", modbus(device.port))
    hub.wait_status(connection, "Connected")
    function = hub.function(connection, "wrong", "modbus.read", points(1))
    device.mode = "exception"
    epoch = hub.state(connection)["epoch"]
    for _ in range(1000):
        hub.request("POST", f"/api/v1/functions/{function['id']}/execute", {"parameters": {}})
    state = hub.state(connection)
    assert state["status"] == "Connected" and state["epoch"] == epoch, state
    assert state["breaker"] == {"state": "closed", "consecutiveFailures": 0, "openUntil": None}
    assert device.connections == 1


# A tenth of every default, so that half a minute shows what five minutes would.
TENTH = {"initialDelayMs": 100, "maxDelayMs": 3000, "stableMs": 3000, "cooldownMs": 6000, "maxCooldownMs": 30000}
MOST_CONNECTS = 12


@pytest.mark.parametrize("protocol", ["modbus", "mqtt"])
def test_edge_10_a_peer_that_greets_and_hangs_up_is_not_hammered(hub, tmp_path, device, protocol):
    """The relay lets the first answer through (CONNACK, the first read) and then ends the connection."""
    broker = Mosquitto(tmp_path) if protocol == "mqtt" else None
    relay = Relay(broker.port if broker else device.port)
    relay.set_mode("greet")
    try:
        settings = {"host": "127.0.0.1", "port": relay.port} if broker else modbus(relay.port)
        window = 300 if LONG else 30
        connection = hub.connection("Greeted", protocol, settings, reconnect={} if LONG else TENTH)
        if not broker:  # somebody asks all the time, so that the end is seen at once
            hub.function(connection, "watch", "modbus.subscribe", {**points(1), "intervalMs": 100})
        time.sleep(window)
        scale = "" if LONG else ", every time a tenth"
        figures.within(f"edge 10: {protocol}, connects in 5 min to a peer that greets and hangs up{scale}", relay.accepted, MOST_CONNECTS)
        assert relay.accepted >= 3, "it is tried again"
    finally:
        relay.close()
        if broker:
            broker.stop()


EDGE_12_ROUNDS = 400 if LONG else 40


def test_edge_12_what_was_stopped_stays_silent(hub):
    """Stopped and suspended at any moment of connecting, losing and waiting: no attempt comes after the answer, and there was never
    a second connection at the same time."""
    device = AtOnce()
    quick = {"initialDelayMs": 20, "maxDelayMs": 60, "failuresToOpen": 1000}
    connection = hub.connection("Restless", "modbus", modbus(device.port), reconnect=quick)
    path = f"/connections/{connection['id']}"
    try:
        for round_ in range(EDGE_12_ROUNDS):
            device.mode = ("good", "close", "mute", "slow")[round_ % 4]
            if round_ % 3 == 0:
                device.drop_clients()
            time.sleep(0.013 * (round_ % 17))
            if round_ % 2:
                hub.api("POST", f"{path}/stop")
            else:
                # What is idle already cannot be suspended.
                hub.request("POST", f"/api/v1{path}/suspend", {"reason": "edge 12"})
            time.sleep(0.01)  # what had left before the answer has arrived
            counts = (device.connections, device.requests)
            time.sleep(0.15)
            assert (device.connections, device.requests) == counts, f"round {round_}: silence"
            if round_ % 2 == 0:
                hub.api("POST", f"{path}/resume", {})
            hub.api("POST", f"{path}/start")
        device.mode = "good"
        hub.wait_status(connection, "Connected")
        assert device.most == 1
    finally:
        device.cut()
