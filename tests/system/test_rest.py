"""REST with a real hub: values are polled, requests answered, what is not allowed refused, and a server that comes back is found."""

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hub import Hub, free_port, wait_for
from test_faults import FAST


class Api:
    """A small web interface: GET /values, POST /in, GET /health."""

    def __init__(self):
        self.port = free_port()
        self.values = {"speed": 1480, "sensors": [{"celsius": 21.5}]}
        self.posts = []
        self.status = 200
        self.server = None
        self.kept = []  # its connections
        self.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                api.kept.append(self.connection)

            def answer(self, status, body, kind="application/json"):
                data = body.encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data)

            def do_GET(self):
                if self.headers.get("X-API-Key") != "key-1234":
                    return self.answer(401, '{"error": "who are you"}')
                if self.path == "/health":
                    return self.answer(200, '"up"')
                if self.path == "/values":
                    return self.answer(200, json.dumps(api.values))
                return self.answer(404, json.dumps({"path": self.path}))

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if api.status == 200:
                    api.posts.append((dict(self.headers), json.loads(body)))
                self.answer(api.status, "{}")

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
            for connection in self.kept:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # over already
            self.kept.clear()


@pytest.fixture
def api():
    made = Api()
    yield made
    made.stop()


@pytest.fixture
def allowed(tmp_path, api):
    started = Hub(tmp_path / "data", extra=["--allow-egress", f"127.0.0.1:{api.port}"]).start()
    yield started
    started.close()


def connected(hub, api, key="key-1234", **more):
    settings = {"baseUrl": api.url, "authentication": "apiKey", "healthPath": "/health"}
    return hub.connection("MES", "rest", settings, secrets={"apiKey": key}, reconnect=FAST, **more)


def test_values_are_read_requests_answered_and_records_sent(allowed, api):
    mes = connected(allowed, api)
    allowed.wait_status(mes, "Connected")
    read = allowed.function(mes, "Read", "rest.read", {"path": "/values", "points": [
        {"name": "speed"}, {"name": "temperature", "pointer": "/sensors/0/celsius"}]})
    assert {name: sample["value"] for name, sample in allowed.values(read).items()} == {"speed": 1480, "temperature": 21.5}
    ask = allowed.function(mes, "Ask", "rest.request", {"path": "/orders/((id))", "acceptStatuses": [404]})
    answer = allowed.execute(ask, {"id": "a/b ü?"})
    assert answer["success"], answer
    assert answer["data"]["records"][0]["body"] == {"path": "/orders/a%2Fb%20%C3%BC%3F"}
    climbing = allowed.request("POST", f"/api/v1/functions/{ask['id']}/execute", {"parameters": {"id": "../admin"}}).json
    assert climbing["error"]["code"] == "leaves_base", climbing
    send = allowed.function(mes, "Send", "rest.send", {"path": "/in", "idempotencyKey": True})
    assert allowed.execute(send, {"records": [{"a": 1}, {"a": 2}]})["success"]
    headers, body = api.posts[0]
    assert body == [{"a": 1}, {"a": 2}] and len(headers["Idempotency-Key"]) == 32
    assert allowed.state(mes)["status"] == "Connected"


def test_polled_values_report_what_changed(allowed, api):
    mes = connected(allowed, api)
    poll = allowed.function(mes, "Poll", "rest.poll", {"path": "/values", "intervalMs": 100, "points": [{"name": "speed"}]})
    allowed.wait_status(mes, "Connected")
    wait_for(lambda: allowed.api("GET", f"/functions/{poll['id']}/values")["samples"][0]["value"] == 1480, what="the first value")
    api.values = {"speed": 900}
    wait_for(lambda: allowed.api("GET", f"/functions/{poll['id']}/values")["samples"][0]["value"] == 900, what="the new value")


def test_a_deadband_of_polled_values_may_be_in_percent(allowed, api):
    mes = connected(allowed, api)
    poll = allowed.function(mes, "Poll", "rest.poll", {
        "path": "/values", "intervalMs": 100, "points": [{"name": "speed"}, {"name": "count"}], "deadbandType": "percent", "deadband": 10})
    shown = lambda: {each["point"]: each["value"] for each in allowed.api("GET", f"/functions/{poll['id']}/values").get("samples", [])}
    for speed, reported in ((1000, 1000), (1090, 1000), (910, 1000), (1101, 1101), (1200, 1101)):
        api.values = {"speed": speed, "count": api.values.get("count", 1) * 2}
        wait_for(lambda: shown().get("count") == api.values["count"], what="the next answer")
        assert shown()["speed"] == reported, (speed, shown())


def test_h1_without_the_administrators_word_this_machine_is_not_asked(hub, api):
    mes = connected(hub, api)
    state = hub.wait_status(mes, "Failed")
    assert state["cause"]["code"] == "egress_refused", state
    assert "--allow-egress" in state["cause"]["hint"]


def test_a_wrong_key_ends_in_failed_and_a_server_that_comes_back_is_found(allowed, api):
    wrong = connected(allowed, api, key="key-0000")
    state = allowed.wait_status(wrong, "Failed", seconds=100)
    assert state["cause"]["class"] == "Identity" and "key-0000" not in json.dumps(state), state
    allowed.api("DELETE", f"/connections/{wrong['id']}")
    mes = connected(allowed, api)
    allowed.wait_status(mes, "Connected")
    send = allowed.function(mes, "Send", "rest.send", {"path": "/in"})
    api.stop()
    failed = allowed.request("POST", f"/api/v1/functions/{send['id']}/execute", {"parameters": {"payload": 1}}).json
    assert not failed["success"]
    allowed.wait_status(mes, "Disconnected", "Reconnecting")
    api.start()
    allowed.wait_status(mes, "Connected")


def test_the_connection_test_names_the_stage(allowed, api):
    body = {"name": "x", "type": "rest", "settings": {"baseUrl": f"http://127.0.0.1:{api.port}", "authentication": "apiKey", "healthPath": "/none"},
            "secrets": {"apiKey": "key-1234"}}
    told = allowed.api("POST", "/connections/test", body)
    assert not told["success"]
    assert [stage["stage"] for stage in told["stages"]] == ["resolve", "tcp", "protocol"], told
    assert told["stages"][-1]["error"]["pointer"] == "/settings/healthPath", told
