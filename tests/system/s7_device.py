"""An S7 CPU that can misbehave in every way a test asks for. Each word of memory holds its own address, so a value read from the
wrong place is seen at once."""

import socket
import struct

from device import Device

CONNECT, DATA = 0xE0, 0xF0
SETUP, READ, WRITE = 0xF0, 0x04, 0x05
JOB, ACK_DATA, USER_DATA = 1, 3, 7
DONE, NO_SUCH_OBJECT = 0xFF, 0x0A
BYTES = 4  # how an answer says that its length is in bits


class S7Device(Device):
    MODES = ("good", "mute", "close", "refuse", "wrong_reference", "wrong_function", "truncated", "missing", "garbage", "late", "slow")

    def _serve(self, client):
        try:
            while True:
                _, _, length = struct.unpack(">BBH", self._read(client, 4))
                cotp = self._read(client, length - 4)
                if cotp[1] == CONNECT:
                    self._connect(client, cotp)
                elif cotp[1] == DATA:
                    self._answer(client, cotp[3:])
                else:  # goodbye
                    return
        except OSError:
            pass
        finally:
            with self.lock:
                self.open_sockets.discard(client)
            client.close()

    def _connect(self, client, request):
        if self.mode == "refuse":
            return client.close()
        confirm = struct.pack(">BHHB", 0xD0, struct.unpack(">H", request[4:6])[0], 0x0044, 0) + request[7:]
        client.sendall(struct.pack(">BBHB", 3, 0, 5 + len(confirm), len(confirm)) + confirm)

    @staticmethod
    def _message(kind, reference, parameters, data=b""):
        error = b"\0\0" if kind == ACK_DATA else b""
        s7 = struct.pack(">BBHHHH", 0x32, kind, 0, reference, len(parameters), len(data)) + error + parameters + data
        return struct.pack(">BBHBBB", 3, 0, 7 + len(s7), 2, DATA, 0x80) + s7

    def _answer(self, client, message):
        _, kind, _, reference, size, _ = struct.unpack(">BBHHHH", message[:10])
        parameters, data = message[10:10 + size], message[10 + size:]
        if kind == USER_DATA:  # who it is: it does not say, as many do not
            head = b"\0\x01\x12\x08\x12" + bytes([0x80 | parameters[5] & 0x0F]) + parameters[6:8] + b"\0\0\xd4\x01"
            return client.sendall(self._message(USER_DATA, reference, head, b"\x0a\0\0\0"))
        if parameters[0] == SETUP:
            return client.sendall(self._message(ACK_DATA, reference, struct.pack(">BBHHH", SETUP, 0, 1, 1, 240)))
        self.requests += 1
        if parameters[0] == WRITE:
            self.writes.append(message)
        self._misbehave(client, reference, parameters, data)

    def _misbehave(self, client, reference, parameters, data):
        mode = self.mode
        if mode == "mute":
            return
        self._work()
        good = self._message(ACK_DATA, reference, parameters[:2], self._data(parameters))
        stale = self._message(ACK_DATA, (reference - 1) & 0xFFFF, parameters[:2], self._data(parameters, shift=1000))
        if mode == "wrong_reference":
            client.sendall(self._message(ACK_DATA, (reference + 7) & 0xFFFF, parameters[:2], self._data(parameters, shift=1000)))
        elif mode == "late":  # an answer that nobody waits for any more, then the right one
            client.sendall(stale + good)
        elif mode == "wrong_function":
            client.sendall(self._message(ACK_DATA, reference, bytes([parameters[0] ^ 1]) + parameters[1:2], self._data(parameters)))
        elif mode == "truncated":
            client.sendall(good[:-1])
            client.shutdown(socket.SHUT_WR)
        elif mode == "missing":
            client.sendall(self._message(ACK_DATA, reference, parameters[:2], bytes([NO_SUCH_OBJECT, 0, 0, 0]) * parameters[1]))
        elif mode == "garbage":
            client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        else:
            client.sendall(good)

    def word(self, at):
        """What the memory holds at this byte, an even one, and the next."""
        return at

    def _data(self, parameters, shift=0):
        """Of the items of a read, bytes each; a write is confirmed."""
        count = parameters[1]
        if parameters[0] == WRITE:
            return bytes([DONE]) * count
        out = b""
        for number in range(count):
            item = parameters[2 + 12 * number:14 + 12 * number]
            amount = struct.unpack(">H", item[4:6])[0]
            begin = int.from_bytes(item[9:12], "big") // 8 + shift
            words = b"".join(struct.pack(">H", self.word(at & 0xFFFE)) for at in range(begin & ~1, begin + amount + 1, 2))
            value = words[begin & 1:][:amount]
            last = number == count - 1
            out += struct.pack(">BBH", DONE, BYTES, 8 * amount) + value + (b"" if last or amount % 2 == 0 else b"\0")
        return out
