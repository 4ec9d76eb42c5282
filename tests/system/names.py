"""A name server of the test's own, for hubs that run in a network and with a resolv.conf of their own."""

import ipaddress
import socket
import struct
import threading


class NameServer:
    """Answers what the test says, on port 53 of this network's loopback. Silent when told so."""

    A, AAAA = 1, 28
    TTL = 3600  # long: whoever trusts it dials the old address for an hour

    def __init__(self):
        self.addresses = {}  # name: list of addresses of both families
        self.silent = False
        self.asked = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 53))
        self._socket.settimeout(0.1)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self):
        self._over.set()
        self._thread.join()
        self._socket.close()

    def _serve(self):
        while not self._over.is_set():
            try:
                question, sender = self._socket.recvfrom(512)
            except TimeoutError:
                continue
            self.asked += 1
            if not self.silent:
                self._socket.sendto(self._answer(question), sender)

    def _answer(self, question):
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]].decode())
            at += 1 + question[at]
        kind = struct.unpack_from(">H", question, at + 1)[0]
        asked = question[12:at + 5]
        known = self.addresses.get(".".join(labels).lower())
        found = [ipaddress.ip_address(address) for address in known or []]
        found = [address.packed for address in found if (self.A if address.version == 4 else self.AAAA) == kind]
        flags = 0x8180 if known is not None else 0x8183  # 3: no such name
        head = question[:2] + struct.pack(">HHHHH", flags, 1, len(found), 0, 0)
        rows = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, self.TTL, len(address)) + address for address in found)
        return head + asked + rows


def asks_own_server(folder):
    """The wrapper of a hub that asks 127.0.0.1 for names, whatever the machine's resolv.conf says."""
    config = folder / "resolv.conf"
    config.write_text("nameserver 127.0.0.1\n")
    return ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/resolv.conf && exec "$@"', str(config)]
