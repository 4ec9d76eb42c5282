"""A receiver of notices: an HTTP server on a thread that checks signatures and remembers what came."""

import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from hub import free_port


def verify(secret, header, body, now=None, tolerance=300):
    """The snippet of docs/notices.md: true when the signature is right and not old."""
    parts = dict(part.split("=", 1) for part in header.split(","))
    expected = hmac.new(secret.encode(), parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    fresh = abs((now or time.time()) - int(parts["t"])) <= tolerance
    return fresh and hmac.compare_digest(expected, parts["v1"])


class Receiver:
    def __init__(self, port=None, status=200, delay=0.0):
        self.port = port or free_port()
        self.status = status
        self.delay = delay
        self.requests = []
        self.server = None
        self.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def messages(self):
        return [json.loads(body) for _, body in list(self.requests)]

    def of(self, connection):
        """Messages about one connection, each once: at least once is what is promised."""
        seen = {}
        for message in self.messages:
            if message["connection"] and message["connection"]["id"] == connection["id"]:
                seen.setdefault(message["id"], message)
        return list(seen.values())

    def start(self):
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(owner.delay)
                owner.requests.append((dict(self.headers), body))
                self.send_response(owner.status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_):
                pass

        ThreadingHTTPServer.allow_reuse_address = True
        ThreadingHTTPServer.daemon_threads = True
        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None
