"""A hub that reaches its device through a bad line: no wrong value, the right status, back by itself."""

import time

import pytest
from fault_proxy import FaultProxy
from figures import within
from hub import wait_for
from test_faults import FAST, modbus, points


@pytest.fixture
def line(hub, device):
    """(proxy, connection, a function that reads two registers)"""
    with FaultProxy(device.port) as proxy:
        connection = hub.connection("Device", "modbus", modbus(proxy.port), reconnect=FAST)
        hub.wait_status(connection, "Connected")
        yield proxy, connection, hub.function(connection, "read", "modbus.read", points(3, 4))


def read_right(hub, function):
    """Whether it was answered; a good value that is not the register's own fails."""
    answer = hub.execute(function)
    samples = answer["data"]["samples"] if answer["success"] else []
    for sample in samples:
        assert sample["quality"] != "good" or sample["value"] == int(sample["point"][1:]), sample
    return bool(samples) and all(sample["quality"] == "good" for sample in samples)


@pytest.mark.parametrize("order", ["delay 100", "slice", "rate 2000"])
def test_a_slow_line_is_no_fault(hub, line, order):
    proxy, connection, function = line
    epoch = hub.state(connection)["epoch"]
    proxy.order(order)
    for _ in range(10):
        assert read_right(hub, function)
    assert hub.state(connection)["epoch"] == epoch, "the same session all the time"


@pytest.mark.parametrize("order", ["delay 1500", "stall", "mute", "drop", "cut rst", "cut fin", "stall-after server 5", "stall-after client 5",
                                   "cut-after server 5", "corrupt server 0", "corrupt server 2", "corrupt server 5", "corrupt server 7"])
def test_a_broken_line_is_noticed_and_forgotten(hub, line, order):
    proxy, connection, function = line
    before = proxy.stats()["accepted"]
    proxy.order(order)
    wait_for(lambda: not read_right(hub, function) or proxy.stats()["accepted"] > before, 15, what=f"the effect of {order!r}")
    proxy.order("pass")
    begin = time.monotonic()
    wait_for(lambda: read_right(hub, function), 20, what="right values again")
    hub.wait_status(connection, "Connected")
    within(f"G13 modbus, line {order}: values again", time.monotonic() - begin, 13, "s")


def test_refused_connects_and_back(hub, line):
    proxy, connection, function = line
    proxy.order("refuse")
    assert read_right(hub, function), "what is open goes on"
    proxy.order("cut rst")
    state = hub.wait_status(connection, "Disconnected", "Reconnecting")
    wait_for(lambda: (hub.state(connection)["cause"] or {}).get("code") == "connection_refused", what="the refusal as the cause")
    assert state["breaker"]["state"] == "closed"
    proxy.order("pass")
    hub.wait_status(connection, "Connected")
    assert read_right(hub, function)


def test_answers_cut_at_every_byte(hub, line):
    """The answer to the read is 13 bytes long: it ends after each of them in turn."""
    proxy, connection, function = line
    for count in range(14):
        proxy.order(f"cut-after server {count}")
        read_right(hub, function)
        proxy.order("pass")
        hub.wait_status(connection, "Connected")
        wait_for(lambda: read_right(hub, function), what=f"right values after a cut at byte {count}")
