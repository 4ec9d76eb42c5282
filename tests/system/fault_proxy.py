"""The fault proxy (tests/support/fault_proxy.hpp) as a process between a hub and a good peer."""

import socket
import tempfile
from pathlib import Path

from hub import BINARY, Process, wait_for

PROGRAM = str(Path(BINARY).parent / "fault_proxy")


class FaultProxy(Process):
    """`with FaultProxy(device.port) as proxy: proxy.order("delay 50")`; the orders are listed in tests/support/README.md."""

    def __init__(self, port, host="127.0.0.1"):
        self.folder = tempfile.TemporaryDirectory(prefix="fault-proxy-")
        path = str(Path(self.folder.name) / "control")
        super().__init__([PROGRAM, "--upstream", f"{host}:{port}", "--control", path])
        self.port = int(self.wait_line(r"^(\d+)$").group(1))
        self.control = socket.socket(socket.AF_UNIX)
        wait_for(lambda: self.control.connect_ex(path) == 0, what="the control socket")
        self.answers = self.control.makefile("r", encoding="ascii")

    def order(self, line):
        """Takes effect before this returns; answers what the proxy said."""
        self.control.sendall(line.encode("ascii") + b"\n")
        answer = self.answers.readline().strip()
        assert answer and not answer.startswith("error"), f"{line!r}: {answer!r}"
        return answer

    def stats(self):
        """{"accepted": 3, "open": 1, "client-bytes": 120, "server-bytes": 300}"""
        words = self.order("stats").split()
        return dict(zip(words[::2], map(int, words[1::2])))

    def stop(self):
        self.answers.close()
        self.control.close()
        super().stop()
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
