"""A peer's machine of its own on this one: a network namespace behind a virtual cable, with a packet filter inside it.

Needs root and the rights to make namespaces; where they are missing, `available()` says what is. Everything has a name that
holds this process's id, and goes with the namespace.
"""

import ctypes
import os
import shutil
import socket
import struct
import subprocess
import threading
import time
from dataclasses import dataclass

from hub import Mosquitto, Process, wait_port

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)
_numbers = iter(range(1 << 16))


def run(*command, check=True):
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    if check and done.returncode != 0:
        raise OSError(f"{' '.join(command)}: exit {done.returncode}: {done.stderr.strip()}")
    return done


def available():
    """"" when namespaces and packet filters can be made here, otherwise why not."""
    if os.geteuid() != 0:
        return "needs root, to make a network namespace"
    for tool in ("ip", "nft"):
        if not shutil.which(tool):
            return f"needs the program {tool}"
    try:
        with Namespace() as peer:
            peer.filter("input", "tcp dport 9 drop")
    except OSError as refused:
        return f"not permitted here: {refused}"
    return ""


class Namespace:
    """`with Namespace() as peer`: peer.address answers to us at the other end of a cable."""

    def __init__(self):
        number = next(_numbers)
        # 198.18.0.0/15 is set aside for tests of networks; a /30 each, spread by process, so that two runs do not meet.
        slot = (os.getpid() * 64 + number % 64) % (1 << 15)
        base = (198 << 24) + (18 << 16) + slot * 4
        text = lambda value: socket.inet_ntoa(value.to_bytes(4, "big"))
        self.ours, self.address = text(base + 1), text(base + 2)
        self.name = f"tributary-{os.getpid()}-{number}"
        self.cable = f"tr{os.getpid() % 1000000}n{number}"
        self._made = False

    def __enter__(self):
        run("ip", "netns", "add", self.name)
        self._made = True
        try:
            run("ip", "link", "add", self.cable, "type", "veth", "peer", "name", "eth0", "netns", self.name)
            run("ip", "address", "add", f"{self.ours}/30", "dev", self.cable)
            run("ip", "link", "set", self.cable, "up")
            self.run("ip", "address", "add", f"{self.address}/30", "dev", "eth0")
            self.run("ip", "link", "set", "lo", "up")
            self.run("ip", "link", "set", "eth0", "up")
            self.run("nft", "add table ip test")
            # Before anything else sees the packets: what arrives is counted, what a test wants is dropped after that.
            for chain, hook, priority in (("arrived", "prerouting", -400), ("input", "input", 0), ("output", "output", 0)):
                self.run("nft", f"add chain ip test {chain} {{ type filter hook {hook} priority {priority}; }}")
        except OSError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self._made:
            self._made = False
            # The cable goes at once; the namespace lives on as long as a socket in it does.
            run("ip", "link", "delete", self.cable, check=False)
            run("ip", "netns", "delete", self.name, check=False)

    def run(self, *command):
        return run("ip", "netns", "exec", self.name, *command)

    def filter(self, chain, rule):
        """Adds a rule to `input`, `output` or `arrived`."""
        self.run("nft", f"add rule ip test {chain} {rule}")

    def heal(self):
        """No rule and a cable that is plugged in: as at the beginning. Counters go too."""
        for chain in ("arrived", "input", "output"):
            self.run("nft", f"flush chain ip test {chain}")
        self.plug(True)

    def plug(self, in_):
        run("ip", "link", "set", self.cable, "up" if in_ else "down")

    def count(self, rule="", name="arrivals"):
        """Begins to count what arrives here by IP and matches `rule`; read it with counted()."""
        self.run("nft", f"add counter ip test {name}")
        self.filter("arrived", f"{rule} counter name {name}")

    def counted(self, name="arrivals"):
        """Packets so far."""
        words = self.run("nft", f"list counter ip test {name}").stdout.split()
        return int(words[words.index("packets") + 1])

    def socket(self, *args):
        """A socket that lives in this namespace, used from out here: a socket belongs to where it was made."""
        made = []

        def make():
            with open(f"/run/netns/{self.name}", encoding="ascii") as handle:
                if LIBC.setns(handle.fileno(), CLONE_NEWNET) != 0:
                    made.append(OSError(ctypes.get_errno(), "setns"))
                else:
                    made.append(socket.socket(*args))

        thread = threading.Thread(target=make)  # only this thread moves, and it ends
        thread.start()
        thread.join()
        if isinstance(made[0], OSError):
            raise made[0]
        return made[0]


@dataclass
class Packet:
    """One that arrived by IP: when (time.monotonic), and what TCP it held."""
    at: float
    protocol: int
    flags: int
    payload: int

    def is_a_word(self):
        """Whether it says something: data, or the wish to connect. The rest is the kernels' closing handshake."""
        return self.protocol != socket.IPPROTO_TCP or self.payload > 0 or bool(self.flags & 0x02)


class Tap(threading.Thread):
    """Everything that arrives by IP in a namespace, with its time."""

    ETH_P_IP = 0x0800

    def __init__(self, namespace):
        super().__init__(daemon=True)
        self.packets = []
        self.socket = namespace.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(self.ETH_P_IP))
        self.socket.settimeout(0.2)
        self.going = True
        self.start()

    def run(self):
        while self.going:
            try:
                data, where = self.socket.recvfrom(65536)
            except socket.timeout:
                continue
            if where[2] != 4:  # PACKET_OUTGOING: what the namespace itself sends
                self.packets.append(self.parse(data, time.monotonic()))

    @staticmethod
    def parse(data, at):
        header = (data[0] & 15) * 4
        total = struct.unpack(">H", data[2:4])[0]
        if data[9] != socket.IPPROTO_TCP:
            return Packet(at, data[9], 0, total - header)
        return Packet(at, data[9], data[header + 13], total - header - (data[header + 12] >> 4) * 4)

    def stop(self):
        self.going = False
        self.join()
        self.socket.close()


class NamespaceMosquitto(Mosquitto):
    """Debian's broker inside a namespace."""

    def __init__(self, namespace, folder, port=1883):
        self.namespace = namespace
        self.port = port
        config = self.write_config(folder, namespace.address)
        Process.__init__(self, ["ip", "netns", "exec", namespace.name, "/usr/sbin/mosquitto", "-c", str(config)])
        wait_port(port, host=namespace.address)
