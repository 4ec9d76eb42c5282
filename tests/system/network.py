"""A network of the test's own: a Linux network namespace with nothing but a loopback in it, where packets can be dropped and
counted without touching the machine. The test itself moves into it, so that hub, peers and requests all meet there."""

import contextlib
import ctypes
import os
import socket
import struct
import subprocess
import threading
import time

import pytest

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


def _call(function, *arguments):
    if function(*arguments) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def command(*words, text=None):
    done = subprocess.run(words, input=text, capture_output=True, text=True)
    assert done.returncode == 0, f"{words}: {done.stderr}"
    return done.stdout


def drop_incoming(family, *ports):
    """The packet filter swallows every TCP packet of a family ("ip", "ip6") for these ports, as a firewall in front of a device
    would."""
    ports = ", ".join(str(port) for port in ports)
    command("nft", "-f", "-", text=f"""
        add table {family} filtered
        add chain {family} filtered input {{ type filter hook input priority 0; }}
        add rule {family} filtered input tcp dport {{ {ports} }} drop
    """)


@contextlib.contextmanager
def own_network():
    """Moves the calling thread, and what it starts from now on, into a network of its own until the end of the block. Skips the
    test, saying so, where the machine does not allow it."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        try:
            _call(LIBC.unshare, CLONE_NEWNET)
        except OSError as refused:
            pytest.skip(f"a network namespace is not permitted here: {refused}")
        try:
            command("ip", "link", "set", "lo", "up")
            yield
        finally:
            _call(LIBC.setns, before, CLONE_NEWNET)
    finally:
        os.close(before)


class SynTap:
    """Sees every first packet of a TCP connection on the loopback of this network: (monotonic seconds, port dialled). Says what
    left the machine and when, by the kernel's stamps, whatever the hub says about itself. The kernel's repetitions of an
    unanswered SYN are the same attempt."""

    ETH_P_ALL = 3
    TCP = 6
    SO_TIMESTAMPNS = 35

    def __init__(self, ports):
        self.ports = set(ports)
        self.attempts = []
        self._seen = set()
        self._tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(self.ETH_P_ALL))
        self._tap.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self._tap.setsockopt(socket.SOL_SOCKET, self.SO_TIMESTAMPNS, 1)
        self._since_epoch = time.time() - time.monotonic()
        self._tap.bind(("lo", 0))
        self._tap.settimeout(0.2)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self):
        while not self._over.is_set():
            try:
                packet, notes, _, (_, _, kind, _, _) = self._tap.recvmsg(128, 128)
            except TimeoutError:
                continue
            if kind != socket.PACKET_OUTGOING or len(packet) < 40 or packet[0] >> 4 != 4 or packet[9] != self.TCP:
                continue
            start = 4 * (packet[0] & 15)
            source, port, sequence = struct.unpack_from(">HHI", packet, start)
            flags = packet[start + 13]
            if flags & 0x12 != 0x02 or port not in self.ports or (source, port, sequence) in self._seen:
                continue
            self._seen.add((source, port, sequence))
            seconds, nanoseconds = struct.unpack("@ll", notes[0][2])
            self.attempts.append((seconds + nanoseconds / 1e9 - self._since_epoch, port))

    def close(self):
        self._over.set()
        self._thread.join()
        self._tap.close()


class HandshakeWatch:
    """Asks the kernel many times a second how many connections to each port are half made (SYN sent, no answer). The table is not
    read in one instant: what stands in two readings running existed all the time between them, and that is what counts."""

    SYN_SENT = "02"

    def __init__(self, pid, ports):
        self.path = f"/proc/{pid}/net/tcp"
        self.ports = set(ports)
        self.most = 0
        self.looks = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _half_made(self):
        """{(port dialled, inode of the socket)}"""
        found = set()
        with open(self.path) as table:
            for line in table.readlines()[1:]:
                fields = line.split()
                port = int(fields[2].rsplit(":", 1)[1], 16)
                if fields[3] == self.SYN_SENT and port in self.ports:
                    found.add((port, fields[9]))
        return found

    def _watch(self):
        before = self._half_made()
        while not self._over.wait(0.02):
            now = self._half_made()
            both = [port for port, _ in before & now]
            self.most = max([self.most, *(both.count(port) for port in set(both))])
            self.looks += 1
            before = now

    def close(self):
        self._over.set()
        self._thread.join()


class Blocker:
    """Makes links half-open: packets from and to a port vanish, nobody is told."""

    def __init__(self):
        command("nft", "-f", "-", text="""
            add table inet links
            add set inet links dead { type inet_service; }
            add chain inet links input { type filter hook input priority 0; }
            add rule inet links input tcp dport @dead drop
            add rule inet links input tcp sport @dead drop
        """)

    def block(self, port):
        command("nft", "add", "element", "inet", "links", "dead", f"{{ {port} }}")

    def unblock(self, port):
        command("nft", "delete", "element", "inet", "links", "dead", f"{{ {port} }}")
