"""G29: a hub that comes up with 200 running connections is gentle with its devices, and quick. Counted at the devices."""

import struct
import threading
import time

import figures
from device import Device
from hub import Hub, wait_for

DEVICES = 20
PER_DEVICE = 10
SPREAD = 2.0
FIRST_DATA_P95 = 5.0
HANDSHAKES_AT_ONCE = 2
ANSWER_TIME = 0.03  # a handshake takes a while, so that those that overlap are seen
FIRST_REGISTER = 100  # each connection of a device reads a register of its own


class Gateway(Device):
    """Notes when connections come, how many at once wait for their first answer, and when each register was first read."""

    def __init__(self):
        self.noting = threading.Lock()
        self.accepted = []
        self.unanswered = set()
        self.most_unanswered = 0
        self.first_read = {}
        super().__init__()

    def _serve(self, client):
        with self.noting:
            self.accepted.append(time.monotonic())
            self.unanswered.add(client)
            self.most_unanswered = max(self.most_unanswered, len(self.unanswered))
        super()._serve(client)
        with self.noting:
            self.unanswered.discard(client)

    def _answer(self, client, transaction, unit, pdu):
        time.sleep(ANSWER_TIME)
        _, address, _ = struct.unpack(">BHH", pdu[:5])
        with self.noting:
            self.unanswered.discard(client)
            if address >= FIRST_REGISTER:
                self.first_read.setdefault(address, time.monotonic())
        super()._answer(client, transaction, unit, pdu)


def test_cold_start_is_gentle_and_quick(tmp_path):
    devices = [Gateway() for _ in range(DEVICES)]
    hub = Hub(tmp_path / "data").start()
    try:
        for device in devices:
            for number in range(PER_DEVICE):
                register = FIRST_REGISTER + number
                connection = hub.connection(f"{device.port} {number}", "modbus", {"transport": "tcp", "host": "127.0.0.1", "port": device.port})
                point = {"name": "own", "area": "holdingRegisters", "address": register, "dataType": "uint16"}
                hub.function(connection, "watch", "modbus.subscribe", {"points": [point], "intervalMs": 1000, "reportOn": "always"})
        hub.stop()
        for device in devices:
            with device.noting:
                device.accepted.clear()
                device.first_read.clear()
                device.most_unanswered = 0
        booted = time.monotonic()
        hub.start()
        wait_for(lambda: all(len(device.first_read) == PER_DEVICE for device in devices), 60, every=0.2, what="data of every connection")
        first_data = [at - booted for device in devices for at in device.first_read.values()]
        starts = sorted(at for device in devices for at in device.accepted)
        at_once = max(device.most_unanswered for device in devices)
        figures.record("G29 cold start of 200 connections: first data, last", max(first_data), unit="s")
        spread = figures.record("G29 starts spread over", starts[-1] - starts[0], unit="s", at_least=SPREAD)
        figures.within("G29 cold start of 200 connections: first data, p95", figures.percentile(first_data, 0.95), FIRST_DATA_P95, "s")
        figures.within("G29 handshakes at once at one host", at_once, HANDSHAKES_AT_ONCE)
        assert spread >= SPREAD
        assert len(starts) == DEVICES * PER_DEVICE, "one attempt each"
        totals = hub.api("GET", "/health/connections")["totals"]
        assert totals["Connected"] == DEVICES * PER_DEVICE, totals
    finally:
        hub.close()
        for device in devices:
            device.cut()
