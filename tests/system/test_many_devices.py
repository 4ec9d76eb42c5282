"""A dead, lying or slow device never disturbs the others: one hundred devices, of which thirty misbehave."""

import time

from device import Device
from figures import record
from hub import wait_for

from test_faults import FAST, modbus, points

BAD = ("mute", "close", "wrong_transaction", "wrong_unit", "wrong_function", "truncated", "exception", "garbage", "late", "slow")
SECONDS = 12


def test_seventy_healthy_devices_miss_no_scan_beside_thirty_that_misbehave(hub):
    devices = [Device() for _ in range(100)]
    try:
        for number, device in enumerate(devices[70:]):
            device.mode = BAD[number % len(BAD)]
            if device.mode == "slow":
                device.delay = 5.0
        healthy = []
        for number, device in enumerate(devices):
            connection = hub.connection(f"d{number}", "modbus", modbus(device.port), reconnect=FAST)
            function = hub.function(connection, "watch", "modbus.subscribe", {**points(1, 2, 3), "intervalMs": 1000, "reportOn": "always"})
            if number < 70:
                healthy.append((connection, function))
        for connection, _ in healthy:
            hub.wait_status(connection, "Connected", seconds=60)

        def view(function):
            return hub.api("GET", f"/functions/{function['id']}")["subscription"]

        wait_for(lambda: all(view(function)["samples"] > 0 for _, function in healthy), 30, what="first values of all")
        before = {function["id"]: view(function) for _, function in healthy}
        asked = [device.requests for device in devices[:70]]
        begin = time.monotonic()
        time.sleep(SECONDS)
        seconds = time.monotonic() - begin
        scans = [device.requests - count for device, count in zip(devices[:70], asked)]
        missed = sum(view(function)["overruns"] - before[function["id"]]["overruns"] for _, function in healthy)
        record("100 Modbus devices, 30 misbehave: scans missed by the healthy ones", missed, 0)
        assert missed == 0
        assert min(scans) >= int(seconds) - 1, f"{scans} scans in {seconds:.1f} s"
        assert {hub.state(connection)["status"] for connection, _ in healthy} == {"Connected"}
    finally:
        for device in devices:
            device.cut()
