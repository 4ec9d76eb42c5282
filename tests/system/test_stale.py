"""G17, edge case 40: what is old is never shown as good. The devices answer with the time itself, so that the age of a value is
known without asking the hub's clocks; a sampler reads the API all the time while the links are cut at random."""

import contextlib
import os
import random
import struct
import threading
import time

import figures
from device import Device
from hub import Hub
from network import Blocker, own_network
from relay import Relay

SECONDS = 3600 if os.environ.get("TRIBUTARY_LONG") else 60
SAMPLE_EVERY = 0.1
INTERVALS = (0.1, 0.2, 1.0, 4.0)  # of the subscriptions
FRESH = 5.0
DETECTION = 2.0  # a request that gets no answer: the request timeout of a field device
FAULTS = ("stall", "reset", "drop", "mute", "refuse")
OUTAGES = (0.1, 15.0)
PAUSES = (1.0, 6.0)
REGISTER = 10


class Clock(Device):
    """Register 10 and 11 hold the milliseconds since the device was made."""

    def __init__(self):
        self.made = time.monotonic()
        super().__init__()

    def _good(self, pdu):
        function, address, count = struct.unpack(">BHH", pdu[:5])
        if (function, address, count) == (3, REGISTER, 2):
            return struct.pack(">BBI", function, 4, int(1000 * (time.monotonic() - self.made)))
        return super()._good(pdu)

    def age(self, value):
        return time.monotonic() - self.made - value / 1000


class Cutter(threading.Thread):
    """Cuts one link at random and mends it again, until told to stop."""

    def __init__(self, seed, link, relay, blocker):
        super().__init__(daemon=True)
        self.link, self.relay, self.blocker = link, relay, blocker
        self.chance = random.Random(seed)
        self.over = threading.Event()
        self.cuts = 0

    def run(self):
        while not self.over.wait(self.chance.uniform(*PAUSES)):
            fault = self.chance.choice(FAULTS)
            self.cuts += 1
            if fault == "stall":
                self.blocker.block(self.relay.port)
            elif fault == "refuse":
                self.link.cut()
                self.relay.reset()
            else:
                self.relay.set_mode({"reset": "good"}.get(fault, fault))
                if self.chance.random() < 0.5 or fault == "reset":
                    self.relay.reset()
            self.over.wait(self.chance.uniform(*OUTAGES))
            if fault == "stall":
                self.blocker.unblock(self.relay.port)
            elif fault == "refuse":
                self.link.open()
            else:
                self.relay.set_mode("good")


class Watched:
    """One connection, its device, and the sampler that reads its value."""

    def __init__(self, hub, number, interval, blocker, stack):
        self.hub = hub
        self.interval = interval
        self.device = Clock()
        relay = Relay(self.device.port)
        stack.callback(relay.close)
        connection = hub.connection(f"clock {number}", "modbus", {"transport": "tcp", "host": "127.0.0.1", "port": relay.port})
        point = {"name": "time", "area": "holdingRegisters", "address": REGISTER, "dataType": "uint32"}
        self.function = hub.function(connection, "watch", "modbus.subscribe",
                                     {"points": [point], "intervalMs": int(1000 * interval), "reportOn": "always"})
        self.cutter = Cutter(number, self.device, relay, blocker)
        self.sampler = threading.Thread(target=self.sample, daemon=True)
        self.over = threading.Event()
        self.reads = self.good = 0
        self.oldest = 0.0
        self.problem = None

    @property
    def limit(self):
        return max(2 * self.interval, FRESH) + DETECTION

    def sample(self):
        try:
            while not self.over.wait(SAMPLE_EVERY):
                asked = time.monotonic()
                sample = self.hub.api("GET", f"/functions/{self.function['id']}/values")["samples"][0]
                self.reads += 1
                if sample["quality"] != "good":
                    continue
                self.good += 1
                # Not older than when it was asked for: what the answer's way takes is not the hub's doing.
                self.oldest = max(self.oldest, self.device.age(sample["value"]) - (time.monotonic() - asked))
        except Exception as problem:  # shown by the test
            self.problem = problem


def test_edge_40_an_old_value_is_never_good(tmp_path):
    with own_network(), contextlib.ExitStack() as stack:
        hub = Hub(tmp_path / "data").start()
        stack.callback(hub.close)
        blocker = Blocker()
        watched = [Watched(hub, number, interval, blocker, stack) for number, interval in enumerate(INTERVALS)]
        time.sleep(2)
        for one in watched:
            one.sampler.start()
            one.cutter.start()
        time.sleep(SECONDS)
        for one in watched:
            one.cutter.over.set()
            one.over.set()
        for one in watched:
            one.cutter.join()
            one.sampler.join()
        for one in watched:
            assert one.problem is None, one.problem
            assert one.cutter.cuts >= 2 and one.good > 0, "the links were cut and values were seen"
            figures.record(f"G17 polled every {one.interval:g} s: oldest good value ({one.reads} reads, {one.cutter.cuts} cuts)",
                           one.oldest, one.limit, "s")
        assert all(one.oldest <= one.limit for one in watched)
