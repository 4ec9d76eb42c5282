"""Edge case 4: a PLC with four connection slots. A hub that leaks one with each retry locks everybody out, the engineering tool too."""

import os
import random
import select
import socket
import struct
import threading
import time

from figures import record, within
from hub import wait_for
from test_faults import modbus, points

FLAPS = 5000 if os.environ.get("TRIBUTARY_LONG") == "1" else 500
SLOTS = 4
QUICK = {"initialDelayMs": 50, "maxDelayMs": 50, "failuresToOpen": 1000, "cooldownMs": 1000}


# A goodbye that was sent before a new connect may be delivered after it: two cores carry packets on loopback.
IN_FLIGHT_MS = 20


def ended(client):
    """Whether the other side's goodbye or reset has arrived, read by anybody or not."""
    poll = select.poll()
    poll.register(client, select.POLLRDHUP)
    return bool(poll.poll(IN_FLIGHT_MS))


class Plc:
    """Modbus TCP with four slots. A session keeps its slot until its end has arrived: one that was not closed keeps it for ever."""

    def __init__(self):
        self.lock = threading.Lock()
        self.sessions = {}  # socket: how it misbehaves
        self.most = 0
        self.longest_overlap = 0.0
        self.refused = 0
        self.accepted = 0
        self.mode = "good"  # of sessions to come
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                began = time.monotonic()
                used = sum(not ended(session) for session in self.sessions)
                self.longest_overlap = max(self.longest_overlap, time.monotonic() - began)
                self.accepted += 1
                if used == SLOTS:
                    self.refused += 1
                    self._reset(client)
                    continue
                self.sessions[client] = self.mode
                self.most = max(self.most, used + 1)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    @staticmethod
    def _reset(client):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()

    def _serve(self, client):
        try:
            while data := client.recv(260):
                if self.sessions.get(client) == "good":
                    transaction, _, _, unit, function, address, count = struct.unpack(">HHHBBHH", data[:12])
                    values = struct.pack(f">{count}H", *range(address, address + count))
                    client.sendall(struct.pack(">HHHBBB", transaction, 0, len(values) + 3, unit, function, len(values)) + values)
        except (OSError, struct.error):
            pass
        with self.lock:
            self.sessions.pop(client, None)
        client.close()

    def used(self):
        with self.lock:
            return len(self.sessions)

    def flap(self, how):
        """Ends or spoils what is open: "reset", "goodbye" or "mute" (asked, it does not answer any more)."""
        with self.lock:
            for client in list(self.sessions):
                self.sessions[client] = how
                if how == "reset":
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                if how != "mute":
                    client.shutdown(socket.SHUT_RD if how == "reset" else socket.SHUT_RDWR)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.flap("reset")


def test_edge_04_five_hundred_flaps_use_one_slot(hub):
    plc = Plc()
    chance = random.Random(4)
    try:
        connection = hub.connection("PLC", "modbus", modbus(plc.port, requestTimeoutMs=100), reconnect=QUICK)
        hub.function(connection, "watch", "modbus.subscribe", {**points(1), "intervalMs": 20, "reportOn": "always"})
        hub.wait_status(connection, "Connected")
        counts = dict.fromkeys(("reset", "goodbye", "mute", "restart", "stop and start", "edit"), 0)
        begin = time.monotonic()
        for flap in range(FLAPS):
            before = plc.accepted
            # The hub's own ways of ending a session are slower: a tenth of the flaps.
            how = chance.choice(("reset", "goodbye", "mute") if flap % 10 else ("restart", "stop and start", "edit"))
            counts[how] += 1
            if how == "restart":
                hub.api("POST", f"/connections/{connection['id']}/restart")
            elif how == "stop and start":
                hub.api("POST", f"/connections/{connection['id']}/stop")
                hub.api("POST", f"/connections/{connection['id']}/start")
            elif how == "edit":
                timeout = {"settings": {"requestTimeoutMs": 101 + flap % 97}}
                hub.api("PATCH", f"/connections/{connection['id']}", timeout, headers={"If-Match": "*"})
            else:
                plc.flap(how)
            wait_for(lambda: plc.accepted > before and plc.used() == 1, 20, every=0.005, what=f"the session after flap {flap}, {how}")
        record("edge_04 flaps", FLAPS)
        record("edge_04 flaps: lasted", time.monotonic() - begin, unit="s")
        record("edge_04 a goodbye delivered behind the next connect, latest", plc.longest_overlap * 1000, unit="ms")
        within("edge_04 slots used", plc.most, 1)
        within("edge_04 connects refused", plc.refused, 0)
        assert all(counts.values()), counts
        hub.wait_status(connection, "Connected")
        hub.api("POST", f"/connections/{connection['id']}/stop")
        wait_for(lambda: plc.used() == 0, what="the last slot's release")
    finally:
        plc.close()
