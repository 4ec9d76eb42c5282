"""Stands between the hub and a peer and misbehaves as told, whatever the protocol: the link of the recovery tests."""

import socket
import struct
import threading
import time

GREETING_TIME = 0.05  # lets the answer arrive before the end


class Relay:
    """Passes bytes on in mode "good". "drop": accepts, then ends the connection at once. "greet": ends it after the peer's first
    answer has gone through. "mute": accepts and holds every byte until the mode is "good" again, as a peer does whose program
    hangs."""

    def __init__(self, peer_port):
        self.peer_port = peer_port
        self.mode = "good"
        self.accepted = 0
        self._flowing = threading.Event()
        self._flowing.set()
        self._lock = threading.Lock()
        self._open = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def set_mode(self, mode):
        self.mode = mode
        if mode == "mute":
            self._flowing.clear()
        else:
            self._flowing.set()

    def reset(self):
        """Every connection ends with a RST to both sides."""
        with self._lock:
            ends, self._open = self._open, set()
        for end in ends:
            self._abort(end)

    def close(self):
        self._listener.close()
        self._flowing.set()
        self.reset()

    @staticmethod
    def _abort(end):
        try:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            # Wakes the thread that reads; the RST leaves with close().
            end.shutdown(socket.SHUT_RD)
            end.close()
        except OSError:
            pass

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            if self.mode == "drop":
                client.close()
                continue
            try:
                peer = socket.create_connection(("127.0.0.1", self.peer_port), 5)
                peer.settimeout(None)
            except OSError:
                self._abort(client)
                continue
            with self._lock:
                self._open |= {client, peer}
            for source, sink, answers in ((client, peer, False), (peer, client, True)):
                threading.Thread(target=self._pass_on, args=(source, sink, answers), daemon=True).start()

    def _pass_on(self, source, sink, answers):
        try:
            while data := source.recv(65536):
                self._flowing.wait()
                sink.sendall(data)
                if answers and self.mode == "greet":
                    time.sleep(GREETING_TIME)
                    break
        except OSError:
            pass
        with self._lock:
            self._open -= {source, sink}
        self._abort(source)
        self._abort(sink)
