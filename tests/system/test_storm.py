"""G14, edge case 11: many connections to dead peers make no storm. What left the machine is counted on the wire."""

import os
import time

import figures
import pytest
from device import Device
from hub import Hub
from network import HandshakeWatch, SynTap, drop_incoming, own_network
from test_faults import modbus

SECONDS = 600 if os.environ.get("TRIBUTARY_LONG") else 60
PROFILES = 500
# More impatient than anybody should be: without the limiters this would be thousands of attempts a second.
IMPATIENT = {"initialDelayMs": 100, "maxDelayMs": 500, "failuresToOpen": 1000}
ATTEMPTS_PER_SECOND = 20
BURST = 50
LATE = 0.25  # seconds after its turn that an attempt may leave: its row of history is written to the disk first
HANDSHAKES_AT_ONCE = 2
CPU_PERCENT = 20
NEWCOMER = 5.0  # a person's new connection does not queue behind those that nobody answers


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def busiest(times, window):
    """The most attempts within any `window` seconds."""
    most = first = 0
    for last, at in enumerate(times):
        while times[first] <= at - window:
            first += 1
        most = max(most, last - first + 1)
    return most


@pytest.fixture
def private_hub(tmp_path):
    with own_network():
        hub = Hub(tmp_path / "data").start()
        try:
            yield hub
        finally:
            hub.close()


@pytest.mark.parametrize("targets", [1, 50])
def test_edge_11_dead_peers_make_no_storm(private_hub, targets):
    """500 profiles to closed ports and 500 to ports behind a filter that drops, on one target each or spread over fifty: the bounds
    hold from the first attempt on, while people still make profiles. A device that is there is reached all the same."""
    hub = private_hub
    closed = [20001 + i for i in range(targets)]
    dropped = [30001 + i for i in range(targets)]
    drop_incoming("ip", *dropped)
    tap = SynTap(closed + dropped)
    watch = HandshakeWatch(hub.process.pid, dropped)
    device = Device()
    try:
        for i in range(PROFILES):
            for kind, ports in (("closed", closed), ("dropped", dropped)):
                hub.connection(f"{kind} {i}", "modbus", modbus(ports[i % targets]), reconnect=IMPATIENT)
        made, cpu = time.monotonic(), cpu_seconds(hub.process.pid)
        newcomer = hub.connection("Alive", "modbus", modbus(device.port))
        hub.wait_status(newcomer, "Connected")
        reached = time.monotonic() - made
        time.sleep(SECONDS)
        elapsed = time.monotonic() - made
        share = 100 * (cpu_seconds(hub.process.pid) - cpu) / elapsed
    finally:
        tap.close()
        watch.close()
        device.cut()
    times = [at for at, _ in tap.attempts]
    settled = [at for at in times if at > made]
    excess = max(busiest(times, window) - BURST - ATTEMPTS_PER_SECOND * (window + LATE) for window in (0.1, 1, 2, 5, 10, 30, 60))
    sustained = len(settled) / elapsed
    name = f"G14 500 closed and 500 dropped, {targets} target{'' if targets == 1 else 's'} each"
    figures.record(f"{name}: attempts a second over {SECONDS} s", sustained, ATTEMPTS_PER_SECOND, "1/s")
    figures.record(f"{name}: busiest second", busiest(settled, 1))
    figures.record(f"{name}: attempts beyond burst of {BURST} and rate, while 1000 profiles are made", max(0, excess), 0)
    figures.record(f"{name}: handshakes at once at a target", watch.most, HANDSHAKES_AT_ONCE)
    figures.record(f"{name}: CPU", share, CPU_PERCENT, "% of a core")
    figures.record(f"{name}: a device that answers is reached in", reached, NEWCOMER, "s")
    assert len(settled) > SECONDS * ATTEMPTS_PER_SECOND / 2, "the hub tries on"
    assert watch.looks > SECONDS
    assert sustained <= ATTEMPTS_PER_SECOND
    assert excess <= 0
    assert 1 <= watch.most <= HANDSHAKES_AT_ONCE
    assert share < CPU_PERCENT
    assert reached <= NEWCOMER
