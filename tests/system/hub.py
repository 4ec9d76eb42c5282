"""A real hub for the system tests: started on a free port with its data in a temporary folder, stopped by process id."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import contract

BINARY = os.environ.get("TRIBUTARY_BIN", "")
SOURCE = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(question, seconds=10.0, every=0.02, what="it"):
    """The first true answer of `question`; fails after `seconds`, showing the last answer."""
    deadline = time.monotonic() + seconds
    answer = None
    while time.monotonic() < deadline:
        answer = question()
        if answer:
            return answer
        time.sleep(every)
    raise AssertionError(f"{what} did not happen within {seconds} s; last answer: {answer!r}")


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body
        self.text = body.decode("utf-8", "replace")

    @property
    def json(self):
        return json.loads(self.text)

    def __repr__(self):
        return f"<{self.status} {self.text[:500]}>"


class Hub:
    def __init__(self, data_dir, tls="off", extra=(), environment=None, wrapper=()):
        """`environment`: variables of the hub's process besides our own. `wrapper`: words before the command, of a program
        that ends up being the hub (it executes it)."""
        self.wrapper = list(wrapper)
        self.data_dir = Path(data_dir)
        self.environment = {**os.environ, **(environment or {})}
        self.tls = tls
        self.extra = list(extra)
        self.port = free_port()
        self.process = None
        self.token = None
        self.output = []

    # ---- process ----
    def cli(self, *args, check=True, timeout=30):
        done = subprocess.run([BINARY, *args], capture_output=True, text=True, timeout=timeout)
        if check:
            assert done.returncode == 0, f"{args}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def make_token(self):
        self.token = self.cli("token", "create", "--data-dir", str(self.data_dir), "--name", "test", "--role", "admin").stdout.strip()
        return self.token

    def spawn(self):
        self.output = []
        command = [*self.wrapper, BINARY, "serve", "--data-dir", str(self.data_dir), "--listen", f"127.0.0.1:{self.port}", "--tls", self.tls,
                   *self.extra]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=self.environment)
        threading.Thread(target=self._collect, args=(self.process,), daemon=True).start()

    def _collect(self, process):
        for line in process.stdout:
            self.output.append(line.rstrip("\n"))

    def start(self):
        if self.token is None:
            self.make_token()
        self.spawn()
        wait_for(self.ready, 20, what="the hub's readiness")
        return self

    def ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the hub ended with {self.process.returncode}:\n" + "\n".join(self.output[-40:]))
        try:
            return self.request("GET", "/readyz").status == 200
        except OSError:
            return False

    def stop(self, limit=10.0):
        """SIGTERM; answers the exit code and how long it took."""
        begin = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(limit + 10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        return code, time.monotonic() - begin

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    # ---- API ----
    def request(self, method, path, body=None, headers=None, token="own", timeout=30):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            sent = dict(headers or {})
            token = self.token if token == "own" else token
            if token:
                sent.setdefault("Authorization", f"Bearer {token}")
            data = None
            if body is not None:
                data = body if isinstance(body, (bytes, str)) else json.dumps(body)
                sent.setdefault("Content-Type", "application/json")
            connection.request(method, path, body=data, headers=sent)
            raw = connection.getresponse()
            answer = Answer(raw.status, {k.lower(): v for k, v in raw.getheaders()}, raw.read())
            contract.check(method, path, answer)
            return answer
        finally:
            connection.close()

    def api(self, method, path, body=None, expect=None, **kwargs):
        answer = self.request(method, "/api/v1" + path, body, **kwargs)
        if expect is None:
            assert answer.status < 300, f"{method} {path}: {answer!r}"
        else:
            assert answer.status == expect, f"{method} {path}: {answer!r}"
        return answer.json if answer.text and "json" in answer.headers.get("content-type", "") else None

    def connection(self, name, type_, settings, autostart=True, **more):
        return self.api("POST", "/connections", {"name": name, "type": type_, "settings": settings, "autostart": autostart, **more})

    def function(self, connection, name, type_, settings):
        return self.api("POST", f"/connections/{connection['id']}/functions", {"name": name, "type": type_, "settings": settings})

    def execute(self, function, parameters=None):
        return self.api("POST", f"/functions/{function['id']}/execute", {"parameters": parameters or {}})

    def state(self, connection):
        return self.api("GET", f"/connections/{connection['id']}")["state"]

    def wait_status(self, connection, *statuses, seconds=15.0):
        def reached():
            state = self.state(connection)
            return state if state["status"] in statuses else None
        try:
            return wait_for(reached, seconds)
        except AssertionError:
            raise AssertionError(f"{connection['name']} did not become {statuses}: {self.state(connection)}") from None

    def events(self, connection):
        return self.api("GET", f"/connections/{connection['id']}/events?limit=1000")["items"]

    def values(self, function):
        """{point: sample} of a function, read through execute."""
        answer = self.execute(function)
        assert answer["success"], answer
        return {sample["point"]: sample for sample in answer["data"]["samples"]}


class Process:
    """A peer that runs as a process of its own."""

    def __init__(self, command, **kwargs):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kwargs)
        self.output = []
        threading.Thread(target=self._collect, daemon=True).start()

    def _collect(self):
        for line in self.process.stdout:
            self.output.append(line.rstrip("\n"))

    def wait_line(self, pattern, seconds=15):
        def found():
            for line in list(self.output):
                match = re.search(pattern, line)
                if match:
                    return match
            if self.process.poll() is not None:
                raise AssertionError(f"the peer ended with {self.process.returncode}:\n" + "\n".join(self.output))
            return None
        return wait_for(found, seconds, what=f"the line {pattern!r}")

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def wait_port(port, seconds=10, host="127.0.0.1"):
    def listening():
        try:
            with socket.create_connection((host, port), 0.5):
                return True
        except OSError:
            return False
    wait_for(listening, seconds, what=f"a listener on port {port}")


class Mosquitto(Process):
    """Debian's broker, without persistence: a restart forgets every session."""

    def __init__(self, folder, port=None, lines=()):
        self.port = port or free_port()
        super().__init__(["/usr/sbin/mosquitto", "-c", str(self.write_config(folder, "127.0.0.1", lines))])
        wait_port(self.port)

    def write_config(self, folder, host, lines=()):
        config = Path(folder) / f"mosquitto-{self.port}.conf"
        config.write_text("\n".join([f"listener {self.port} {host}", "persistence false",
                                     *(["user root"] if os.geteuid() == 0 else []), *(lines or ["allow_anonymous true"])]) + "\n")
        return config


class Plant(Process):
    def __init__(self, port=0):
        super().__init__([BINARY, "simulate", "plant", "--host", "127.0.0.1", "--port", str(port)])
        self.port = int(self.wait_line(r"127\.0\.0\.1:(\d+)").group(1))
