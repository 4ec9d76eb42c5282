"""More than a device can give: writes get through, nothing piles up, every scan that was skipped is counted (edge case 3)."""

import time

from figures import percentile, record

from test_faults import connected

ANSWER_S = 0.002  # what the device takes for one request
INTERVAL_S = 0.01


def spread(count):
    """Points that need a request each."""
    return {"points": [{"name": f"p{i}", "address": i * 500, "dataType": "uint16"} for i in range(count)], "reportOn": "always"}


def memory_mib(hub):
    with open(f"/proc/{hub.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


def overruns(hub, function):
    return hub.api("GET", f"/functions/{function['id']}")["subscription"]["overruns"]


def requests_per_second(device, seconds):
    before, begin = device.requests, time.monotonic()
    time.sleep(seconds)
    return (device.requests - before) / (time.monotonic() - begin)


def test_writes_have_their_own_lane_under_a_full_read_load(hub, device):
    device.delay = ANSWER_S
    connection = connected(hub, device)
    hub.function(connection, "all", "modbus.subscribe", {**spread(100), "intervalMs": 50})  # a scan takes four intervals and more
    write = hub.function(connection, "set", "modbus.write", {"points": [{"name": "x", "address": 7, "dataType": "uint16"}], "values": {"x": 1}})
    time.sleep(1)
    took = []
    for value in range(200):
        answer = hub.execute(write, {"x": value})
        assert answer["success"], answer
        took.append(answer["durationMs"])
        time.sleep(0.01)
    assert len(device.writes) == 200
    record("Modbus write under full read load: p50", percentile(took, 0.5), unit="ms")
    slowest = record("Modbus write under full read load: p99", percentile(took, 0.99), 20, "ms")
    assert slowest < 200, "a write that waits for the scan takes longer, on the busiest machine as well"


def test_edge_03_three_times_what_the_device_can_give(hub, device):
    device.delay = ANSWER_S
    connection = connected(hub, device)
    one = {**spread(50), "intervalMs": int(INTERVAL_S * 1000)}  # always late: the device is asked without a pause
    scans = [hub.function(connection, "one", "modbus.subscribe", one)]
    time.sleep(2)
    ceiling = requests_per_second(device, 6)
    scans += [hub.function(connection, name, "modbus.subscribe", one) for name in ("two", "three")]
    time.sleep(2)
    before_mib, begin = memory_mib(hub), time.monotonic()
    counted = {scan["id"]: overruns(hub, scan) for scan in scans}
    samples = {scan["id"]: hub.api("GET", f"/functions/{scan['id']}")["subscription"]["samples"] for scan in scans}
    loaded = requests_per_second(device, 10)
    seconds = time.monotonic() - begin
    record("Modbus at the device's ceiling", ceiling, unit="requests/s")
    record("Modbus at three times the device's ceiling: throughput", loaded / ceiling, at_least=0.95, unit="of the ceiling")
    assert loaded >= 0.95 * ceiling
    assert memory_mib(hub) < before_mib + 8
    for scan in scans:
        view = hub.api("GET", f"/functions/{scan['id']}")["subscription"]
        done = (view["samples"] - samples[scan["id"]]) / 50
        skipped = view["overruns"] - counted[scan["id"]]
        assert skipped > 0
        # A scan that is under way counts when it ends, with all the ticks that it took.
        assert abs(done + skipped - seconds / INTERVAL_S) <= 100, f"{done} scans and {skipped} overruns in {seconds:.1f} s"
