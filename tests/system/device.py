"""A Modbus TCP device that can misbehave in every way a test asks for. Each holding register holds its own address, so a
value read from the wrong place is seen at once."""

import socket
import struct
import threading
import time


class Device:
    MODES = ("good", "mute", "close", "wrong_transaction", "wrong_unit", "wrong_function", "truncated", "merged", "exception",
             "garbage", "slow", "late", "cut")

    def __init__(self, port=0, host="127.0.0.1", make_socket=socket.socket):
        """`make_socket` lets a test make the listener elsewhere: in a network namespace of its own (netns.py)."""
        self.host = host
        self.make_socket = make_socket
        self.mode = "good"
        self.exception_code = 2
        self.delay = 0.0
        self.cycle = 0.0  # s: answers one request in each of its cycles, as a PLC does, whoever asks
        self.last_cycle = 0
        self.requests = 0
        self.writes = []  # every write that arrived, as its PDU
        self.connections = 0
        self.open_sockets = set()
        self.lock = threading.Lock()
        self.host = host
        self.port = port
        self.listener = None
        self.open()

    def open(self):
        self.listener = self.make_socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((self.host, self.port))
        self.port = self.listener.getsockname()[1]
        self.listener.listen(64)
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def cut(self):
        """The plug is pulled: no listener, every connection reset."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.drop_clients()

    def drop_clients(self):
        with self.lock:
            sockets, self.open_sockets = self.open_sockets, set()
        for client in sockets:
            try:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.shutdown(socket.SHUT_RDWR)
                client.close()
            except OSError:
                pass

    close = cut

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            if self.mode == "close":
                client.close()
                continue
            with self.lock:
                self.open_sockets.add(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            while True:
                header = self._read(client, 7)
                transaction, _, length, unit = struct.unpack(">HHHB", header)
                pdu = self._read(client, length - 1)
                self.requests += 1
                if pdu[0] in (5, 6, 15, 16):
                    self.writes.append(pdu)
                    if self.mode == "cut":  # done, and nobody will ever know
                        return
                self._answer(client, transaction, unit, pdu)
        except OSError:
            pass
        finally:
            with self.lock:
                self.open_sockets.discard(client)
            client.close()

    @staticmethod
    def _read(client, count):
        data = b""
        while len(data) < count:
            part = client.recv(count - len(data))
            if not part:
                raise OSError("closed")
            data += part
        return data

    def _work(self):
        """What the device takes for a request."""
        if self.delay:
            time.sleep(self.delay)
        if self.cycle:
            with self.lock:
                self.last_cycle = max(self.last_cycle, int(time.monotonic() / self.cycle)) + 1
                when = self.last_cycle * self.cycle
            time.sleep(max(0.0, when - time.monotonic()))

    @staticmethod
    def _frame(transaction, unit, pdu):
        return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu

    def _good(self, pdu):
        function, address, count = struct.unpack(">BHH", pdu[:5])
        if function in (3, 4):
            values = [(address + i) & 0xFFFF for i in range(count)]
            return struct.pack(f">BB{count}H", function, 2 * count, *values)
        if function in (1, 2):
            bits = bytearray((count + 7) // 8)
            for i in range(count):
                if (address + i) % 2:
                    bits[i // 8] |= 1 << (i % 8)
            return struct.pack(">BB", function, len(bits)) + bytes(bits)
        return pdu[:5]  # writes are echoed

    def _answer(self, client, transaction, unit, pdu):
        mode = self.mode
        good = self._good(pdu)
        if mode == "mute":
            return
        self._work()
        if mode == "wrong_transaction":
            client.sendall(self._frame((transaction + 7) & 0xFFFF, unit, self._stale(pdu)))
        elif mode == "late":  # an answer that nobody waits for any more, then the right one
            client.sendall(self._frame((transaction - 1) & 0xFFFF, unit, self._stale(pdu)) + self._frame(transaction, unit, good))
        elif mode == "wrong_unit":
            client.sendall(self._frame(transaction, (unit + 1) & 0xFF, good))
        elif mode == "wrong_function":
            client.sendall(self._frame(transaction, unit, bytes([pdu[0] ^ 7]) + good[1:]))
        elif mode == "truncated":
            client.sendall(self._frame(transaction, unit, good)[:-1])
            client.shutdown(socket.SHUT_WR)
        elif mode == "merged":  # two answers in one segment, one byte of the next at a time
            for byte in self._frame(transaction, unit, good):
                client.sendall(bytes([byte]))
        elif mode == "exception":
            client.sendall(self._frame(transaction, unit, bytes([pdu[0] | 0x80, self.exception_code])))
        elif mode == "garbage":
            client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        else:
            client.sendall(self._frame(transaction, unit, good))

    def _stale(self, pdu):
        """An answer of the right shape with values that belong elsewhere."""
        function, address, count = struct.unpack(">BHH", pdu[:5])
        return self._good(struct.pack(">BHH", function, (address + 1000) & 0xFFFF, count))
