"""The command line: works before the first start, beside a running server, and says what is wrong in one sentence."""

import json
import os
import signal
import subprocess
import time

from hub import BINARY, Hub, SOURCE, free_port, wait_for
from test_faults import modbus, points


def run(*args, timeout=30):
    return subprocess.run([BINARY, *args], capture_output=True, text=True, timeout=timeout)


def test_token_before_the_first_start_and_beside_a_running_server(tmp_path):
    hub = Hub(tmp_path / "data")
    first = hub.make_token()
    assert first.startswith("trb_") and "\n" not in first
    hub.start()
    try:
        assert hub.api("GET", "/connections")["items"] == []
        beside = run("token", "create", "--data-dir", str(hub.data_dir), "--name", "second", "--role", "admin")
        assert beside.returncode == 0, beside.stderr
        assert hub.request("GET", "/api/v1/connections", token=beside.stdout.strip()).status == 200
        names = {t["name"] for t in hub.api("GET", "/tokens")["items"]}
        assert {"test", "second"} <= names
    finally:
        hub.close()


def test_setup_code_makes_the_administrator_once(tmp_path):
    hub = Hub(tmp_path / "data")
    hub.spawn()
    try:
        line = wait_for(lambda: next((l for l in hub.output if "etup code" in l), None), 15, what="the setup code")
        code = line.split(":")[-1].strip().split()[0]
        wait_for(lambda: hub.ready(), 15)
        wrong = hub.request("POST", "/api/v1/auth/setup", {"code": "AAAA-AAAA", "username": "anna", "password": "correct horse battery"}, token=None)
        assert wrong.status in (401, 403, 422), wrong
        weak = hub.request("POST", "/api/v1/auth/setup", {"code": code, "username": "anna", "password": "short"}, token=None)
        assert weak.status == 422 and "/password" in weak.text, weak
        done = hub.request("POST", "/api/v1/auth/setup", {"code": code, "username": "anna", "password": "correct horse battery"}, token=None)
        assert done.status in (200, 201), done
        cookie = done.headers["set-cookie"]
        assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
        again = hub.request("POST", "/api/v1/auth/setup", {"code": code, "username": "eve", "password": "correct horse battery"}, token=None)
        assert again.status in (403, 409, 422), again
        pair = cookie.split(";")[0]
        me = hub.request("GET", "/api/v1/auth/me", headers={"Cookie": pair}, token=None)
        assert me.status == 200 and "anna" in me.text
        forged = hub.request("POST", "/api/v1/connections", {"name": "x"}, headers={"Cookie": pair, "Origin": "https://evil.example"}, token=None)
        assert forged.status == 403, forged
        out = hub.request("POST", "/api/v1/auth/logout", {}, headers={"Cookie": pair, "X-Requested-With": "tributary"}, token=None)
        assert out.status in (200, 204)
        assert hub.request("GET", "/api/v1/auth/me", headers={"Cookie": pair}, token=None).status == 401
        bad = hub.request("POST", "/api/v1/auth/login", {"username": "anna", "password": "wrong wrong wrong"}, token=None)
        unknown = hub.request("POST", "/api/v1/auth/login", {"username": "nobody", "password": "wrong wrong wrong"}, token=None)
        assert bad.status == unknown.status == 401 and bad.json["title"] == unknown.json["title"]
    finally:
        hub.close()


def test_export_plan_apply_round_trip(tmp_path, hub, device):
    connection = hub.connection("Line 3", "modbus", modbus(device.port), labels={"site": "izmir"})
    hub.function(connection, "read", "modbus.read", points(1, 2))
    hub.connection("Broker", "mqtt", {"host": "127.0.0.1", "port": 1883, "username": "u"}, autostart=False, secrets={"password": "canary-9"})
    exported = tmp_path / "export.yaml"
    exported.write_text(hub.cli("export", "--data-dir", str(hub.data_dir)).stdout)
    assert "Line 3" in exported.read_text() and "canary-9" not in exported.read_text()
    plan = hub.cli("plan", "--data-dir", str(hub.data_dir), str(exported))
    assert "no changes" in plan.stdout.lower() or "unchanged" in plan.stdout.lower(), plan.stdout
    other = Hub(tmp_path / "other").start()
    try:
        planned = other.cli("plan", "--data-dir", str(other.data_dir), str(exported))
        assert "create" in planned.stdout.lower()
        assert other.api("GET", "/connections")["items"] == []
        other.cli("apply", "--data-dir", str(other.data_dir), str(exported))
        copied = {c["name"]: c for c in other.api("GET", "/connections")["items"]}
        assert copied["Line 3"]["labels"] == {"site": "izmir"} and copied["Line 3"]["settings"]["port"] == device.port
        assert len(other.api("GET", f"/connections/{copied['Line 3']['id']}/functions")["items"]) == 1
    finally:
        other.close()


def test_apply_makes_many_at_once_and_names_the_first_that_is_refused(tmp_path, hub):
    # Names with slashes: what belongs to which connection is never guessed from them.
    body = {"type": "modbus", "settings": modbus(502)}
    read = {"type": "modbus.read", "settings": points(1)}
    many = [{"name": "a", **body, "functions": [{"name": "b/c", **read}]}, {"name": "a/b", **body, "functions": [{"name": "c", **read}]},
            *({"name": f"Pump {i:03}", **body, "functions": [{"name": "read", **read}]} for i in range(150))]
    document = tmp_path / "many.json"
    apply = ("apply", "--data-dir", str(hub.data_dir), str(document))
    document.write_text(json.dumps({"connections": many}))
    assert "Done: 304 created" in hub.cli(*apply).stdout
    again = hub.cli(*apply).stdout.splitlines()
    assert again[-1] == "No changes: 304 as described."
    assert again[:4] == ["unchanged connection a", "unchanged function a/b/c", "unchanged connection a/b", "unchanged function a/b/c"]
    many[1]["description"] = "the second"
    many[3]["settings"] = modbus(99999)
    document.write_text(json.dumps({"connections": many}))
    refused = hub.cli(*apply, check=False)
    assert refused.returncode != 0 and 'The connection "Pump 001"' in refused.stderr and "/settings/port" in refused.stderr, refused
    assert "Pump 001" not in refused.stdout, refused.stdout
    many[3]["settings"] = modbus(503)
    document.write_text(json.dumps({"connections": many}))
    mended = [line for line in hub.cli(*apply).stdout.splitlines() if line.startswith("update")]
    assert mended == ["update connection a/b: description", "update connection Pump 001: settings"]


def test_mistakes_are_explained():
    for args in (["serve"], ["teleport"], ["serve", "--data-dir"], ["serve", "--data-dir", "/tmp/x", "--listen", "nonsense"], ["simulate", "moon"]):
        done = run(*args)
        assert done.returncode not in (0, 134, 139), args
        assert done.stderr.strip(), args
    assert "serve" in run("--help").stdout and run("--help").returncode == 0
    for command in ("serve", "token", "simulate", "apply", "plan", "export"):
        done = run(command, "--help")
        assert done.returncode == 0 and len(done.stdout) > 100, command
    assert run("version").stdout.strip()


def test_tls_with_a_self_made_certificate(tmp_path):
    import ssl
    import urllib.request
    hub = Hub(tmp_path / "data", tls="auto")
    hub.make_token()
    hub.spawn()
    try:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE

        def ready():
            assert hub.process.poll() is None, hub.output
            try:
                return urllib.request.urlopen(f"https://127.0.0.1:{hub.port}/readyz", context=context, timeout=3)
            except OSError:
                return None
        answer = wait_for(ready, 15)
        for header in ("Content-Security-Policy", "X-Content-Type-Options", "Strict-Transport-Security", "Referrer-Policy"):
            assert answer.headers[header], header
        page = urllib.request.urlopen(f"https://127.0.0.1:{hub.port}/", context=context, timeout=3)
        assert b"<html" in page.read().lower()
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname = False
        old.verify_mode = ssl.CERT_NONE
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        old.set_ciphers("ALL:@SECLEVEL=0")
        try:
            urllib.request.urlopen(f"https://127.0.0.1:{hub.port}/readyz", context=old, timeout=3)
            raise AssertionError("TLS 1.1 was accepted")
        except OSError:
            pass
        for name in ("master.key", "tributary.db"):
            assert (hub.data_dir / name).stat().st_mode & 0o077 == 0, name
        code, seconds = hub.stop()
        assert code == 0 and seconds < 10
    finally:
        hub.close()


def test_interrupt_stops_cleanly(hub):
    hub.process.send_signal(signal.SIGINT)
    assert hub.process.wait(10) == 0


def test_run_script_options():
    done = subprocess.run([str(SOURCE / "run"), "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    for option in ("--port", "--data-dir", "--no-demo", "--build-only"):
        assert option in done.stdout
    wrong = subprocess.run([str(SOURCE / "run"), "--port", "many"], capture_output=True, text=True)
    assert wrong.returncode != 0 and "--port" in wrong.stderr
