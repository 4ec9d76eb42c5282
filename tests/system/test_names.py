"""Edge case 14: names are looked up on every attempt, and a dead address family costs next to nothing. A hub in a network of its
own asks a name server of the test."""

import time

import figures
import pytest
from device import Device
from hub import Hub, wait_for
from names import NameServer, asks_own_server
from network import SynTap, command, drop_incoming, own_network
from test_faults import FAST, modbus

NAME = "filler.plant.test"
OLD, NEW = "127.0.0.1", "127.0.0.2"
DEAD_V6 = "2001:db8::1"
DEAD_V6_COST = 0.3


@pytest.fixture
def named(tmp_path):
    """(hub, name server)"""
    with own_network():
        server = NameServer()
        hub = Hub(tmp_path / "data", wrapper=asks_own_server(tmp_path)).start()
        try:
            yield hub, server
        finally:
            hub.close()
            server.close()


def test_edge_14_the_next_attempt_goes_where_the_name_points_now(named):
    hub, server = named
    server.addresses[NAME] = [OLD]
    old = Device()
    tap = SynTap([old.port])
    connection = hub.connection("Moving", "modbus", {**modbus(old.port), "host": NAME}, reconnect=FAST)
    hub.wait_status(connection, "Connected")
    new = Device(old.port, host=NEW)
    try:
        server.addresses[NAME] = [NEW]
        asked = server.asked
        moved = time.monotonic()
        old.cut()
        wait_for(lambda: new.connections, 10, what="a connection to the new address")
        hub.wait_status(connection, "Connected")
        assert new.connections == 1 and server.asked > asked
        after = [at for at, _ in tap.attempts if at > moved]
        # The record says it holds for an hour.
        figures.within("edge 14: attempts until the new address is used", len(after), 1)
    finally:
        tap.close()
        new.cut()


def test_edge_14_a_dead_ipv6_address_adds_no_more_than_a_stagger(named):
    hub, server = named
    device = Device()
    command("ip", "-6", "address", "add", f"{DEAD_V6}/128", "dev", "lo", "nodad")
    drop_incoming("ip6", device.port)
    server.addresses.update({"dead6." + NAME: [DEAD_V6, OLD], "only4." + NAME: [OLD]})

    def seconds_to_connect(host):
        settings = {**modbus(device.port), "host": host, "connectTimeoutMs": 5000, "requestTimeoutMs": 5000}

        def once():
            answer = hub.api("POST", "/connections/test", {"name": "t", "type": "modbus", "settings": settings})
            assert answer["success"], answer
            return next(stage["durationMs"] for stage in answer["stages"] if stage["stage"] == "tcp") / 1000
        return min(once() for _ in range(5))
    try:
        with_dead = seconds_to_connect("dead6." + NAME)
        added = with_dead - seconds_to_connect("only4." + NAME)
        figures.within("edge 14: a dead IPv6 address adds", added, DEAD_V6_COST, "s")
        assert with_dead > 0.2, "the dead address was tried first"
    finally:
        device.cut()


def test_a_name_that_vanishes_and_comes_back(named):
    hub, server = named
    server.addresses[NAME] = [OLD]
    device = Device()
    connection = hub.connection("Named", "modbus", {**modbus(device.port), "host": NAME}, reconnect=FAST)
    hub.wait_status(connection, "Connected")
    try:
        del server.addresses[NAME]
        device.drop_clients()
        state = hub.wait_status(connection, "Disconnected")
        begin = time.monotonic()
        while state["cause"]["class"] != "Name" and time.monotonic() < begin + 10:
            state = hub.wait_status(connection, "Disconnected")
        assert state["cause"]["code"] == "no_such_host", state
        server.addresses[NAME] = [OLD]
        hub.wait_status(connection, "Connected", seconds=20)  # the floor of the class is 10 s
    finally:
        device.cut()
