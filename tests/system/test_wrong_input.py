"""Bad input gets a clear error (what, where, what to do) and nothing is stored."""

import os
import socket
import subprocess

import pytest
from hub import BINARY, Hub, free_port, wait_for

GOOD = {"transport": "tcp", "host": "127.0.0.1", "port": 502}


def refused(hub, body, pointer, code=None):
    answer = hub.api("POST", "/connections", body, expect=422)
    assert answer["code"] == "invalid_settings"
    assert answer["correlationId"]
    found = [e for e in answer["errors"] if e["pointer"] == pointer]
    assert found, answer
    assert found[0]["message"]
    if code:
        assert found[0]["code"] == code, found
    return found[0]


@pytest.mark.parametrize("settings,pointer,code", [
    ({**GOOD, "port": 70000}, "/settings/port", "out_of_range"),
    ({**GOOD, "port": "502"}, "/settings/port", "wrong_type"),
    ({**GOOD, "colour": "red"}, "/settings/colour", "unknown_property"),
    ({**GOOD, "transport": "carrier pigeon"}, "/settings/transport", "not_allowed"),
    ({"transport": "tcp"}, "/settings/host", "required"),
    ({**GOOD, "unitId": 256}, "/settings/unitId", "out_of_range"),
    ({**GOOD, "requestTimeoutMs": -1}, "/settings/requestTimeoutMs", "out_of_range"),
])
def test_settings_out_of_range_or_unknown(hub, settings, pointer, code):
    refused(hub, {"name": "x", "type": "modbus", "settings": settings}, pointer, code)
    assert hub.api("GET", "/connections")["items"] == []


def test_the_message_names_value_and_bound(hub):
    error = refused(hub, {"name": "x", "type": "modbus", "settings": {**GOOD, "port": 70000}}, "/settings/port")
    assert "70000" in error["message"] and "65535" in error["message"]


def test_every_error_is_reported_at_once(hub):
    answer = hub.api("POST", "/connections", {"name": "", "type": "modbus", "settings": {"port": 0, "extra": 1}}, expect=422)
    pointers = {e["pointer"] for e in answer["errors"]}
    assert {"/name", "/settings/port", "/settings/extra", "/settings/host"} <= pointers


def test_unknown_type_name_taken_and_unknown_members(hub):
    refused(hub, {"name": "x", "type": "telepathy", "settings": {}}, "/type")
    hub.connection("Line 3", "modbus", GOOD, autostart=False)
    taken = hub.request("POST", "/api/v1/connections", {"name": "Line 3", "type": "modbus", "settings": GOOD})
    assert taken.status in (409, 422) and "Line 3" in taken.text
    refused(hub, {"name": "y", "type": "modbus", "settings": GOOD, "state": {"status": "Connected"}}, "/state")


def test_reconnect_policy_is_checked(hub):
    refused(hub, {"name": "x", "type": "modbus", "settings": GOOD, "reconnect": {"failuresToOpen": 0}}, "/reconnect/failuresToOpen")
    refused(hub, {"name": "x", "type": "modbus", "settings": GOOD, "reconnect": {"sometimes": True}}, "/reconnect/sometimes")


def test_suspend_without_reason(hub):
    connection = hub.connection("c", "modbus", GOOD, autostart=False)
    for body in ({"reason": ""}, {}, {"reason": "   "}):
        answer = hub.api("POST", f"/connections/{connection['id']}/suspend", body, expect=422)
        assert answer["errors"][0]["pointer"] == "/reason"
    assert hub.state(connection)["status"] == "Idle"


def test_function_settings(hub):
    connection = hub.connection("c", "modbus", GOOD, autostart=False)
    bad = {"points": [{"name": "a", "area": "holdingRegisters", "address": 70000, "dataType": "uint16"},
                      {"name": "a", "area": "moon", "address": 1, "dataType": "uint16"}]}
    answer = hub.api("POST", f"/connections/{connection['id']}/functions", {"name": "f", "type": "modbus.read", "settings": bad}, expect=422)
    pointers = {e["pointer"] for e in answer["errors"]}
    assert "/settings/points/1/area" in pointers
    # An address is judged by its notation, when the rest can be understood.
    beyond = {"points": [bad["points"][0]]}
    answer = hub.api("POST", f"/connections/{connection['id']}/functions", {"name": "f", "type": "modbus.read", "settings": beyond}, expect=422)
    assert "/settings/points/0/address" in {e["pointer"] for e in answer["errors"]}
    assert hub.api("GET", f"/connections/{connection['id']}/functions")["items"] == []


def test_broken_json_and_wrong_content_type(hub):
    assert hub.request("POST", "/api/v1/connections", "{\"name\": ").status == 400
    assert hub.request("POST", "/api/v1/connections", "name=x", headers={"Content-Type": "text/plain"}).status == 415
    assert hub.request("PATCH", "/api/v1/connections").status == 405
    assert hub.request("GET", "/api/v1/nothing/here").status == 404


def test_versions_guard_edits(hub):
    connection = hub.connection("c", "modbus", GOOD, autostart=False)
    path = f"/connections/{connection['id']}"
    hub.api("PATCH", path, {"description": "a"}, expect=428)
    changed = hub.api("PATCH", path, {"description": "a"}, headers={"If-Match": "\"1\""})
    assert changed["version"] == 2
    hub.api("PATCH", path, {"description": "b"}, headers={"If-Match": "\"1\""}, expect=412)
    assert hub.api("PATCH", path, {"description": "c"}, headers={"If-Match": "*"})["description"] == "c"


def test_dry_run_stores_nothing(hub):
    answer = hub.request("POST", "/api/v1/connections?dryRun=true", {"name": "d", "type": "modbus", "settings": GOOD})
    assert answer.status == 200, answer
    assert hub.api("GET", "/connections")["items"] == []


def test_idempotency_key_makes_one(hub):
    body = {"name": "once", "type": "modbus", "settings": GOOD, "autostart": False}
    first = hub.request("POST", "/api/v1/connections", body, headers={"Idempotency-Key": "k1"})
    second = hub.request("POST", "/api/v1/connections", body, headers={"Idempotency-Key": "k1"})
    assert first.status == second.status == 201
    assert first.json["id"] == second.json["id"]
    assert len(hub.api("GET", "/connections")["items"]) == 1
    other = hub.request("POST", "/api/v1/connections", {**body, "name": "other"}, headers={"Idempotency-Key": "k1"})
    assert other.status == 422, other


def test_nothing_answers_without_authentication(hub):
    for method, path in (("GET", "/connections"), ("POST", "/connections"), ("GET", "/connectors"), ("GET", "/pipelines"),
                         ("GET", "/tokens"), ("GET", "/audit"), ("GET", "/stream"), ("GET", "/system"), ("GET", "/nothing")):
        assert hub.request(method, "/api/v1" + path, token=None).status == 401, path
        assert hub.request(method, "/api/v1" + path, token="trb_wrong").status == 401, path
    assert hub.request("GET", "/metrics", token=None).status == 401
    for path in ("/healthz", "/readyz"):
        assert hub.request("GET", path, token=None).status == 200


def test_secrets_are_write_only(hub):
    made = hub.connection("b", "mqtt", {"host": "127.0.0.1", "port": 1, "username": "u"}, autostart=False, secrets={"password": "canary-4711"})
    assert made["secrets"]["password"]["set"] is True
    for path in (f"/connections/{made['id']}", "/connections", "/audit"):
        assert "canary-4711" not in hub.request("GET", "/api/v1" + path).text
    hub.close()
    for file in hub.data_dir.rglob("*"):
        if file.is_file():
            assert b"canary-4711" not in file.read_bytes(), file
    assert "canary-4711" not in "\n".join(hub.output)


# ---- the process ----

def one_sentence(done, code_name):
    text = done.stderr.strip()
    assert text and "\n" not in text, f"one sentence expected, got: {text!r} / {done.stdout!r}"
    help_text = subprocess.run([BINARY, "--help"], capture_output=True, text=True).stdout
    assert code_name in help_text, "the exit code is named in --help"
    return done.returncode


def test_port_taken(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run([BINARY, "serve", "--data-dir", str(tmp_path / "d"), "--listen", f"127.0.0.1:{port}", "--tls", "off"],
                              capture_output=True, text=True, timeout=20)
    assert one_sentence(done, "port is taken") not in (0, 1, 134, 139)
    assert str(port) in done.stderr


def test_data_directory_unwritable(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    done = subprocess.run([BINARY, "serve", "--data-dir", str(blocked / "data"), "--listen", f"127.0.0.1:{free_port()}", "--tls", "off"],
                          capture_output=True, text=True, timeout=20)
    assert one_sentence(done, "data directory cannot be written") not in (0, 1, 134, 139)
    assert str(blocked) in done.stderr


def test_data_directory_in_use(hub):
    done = subprocess.run([BINARY, "serve", "--data-dir", str(hub.data_dir), "--listen", f"127.0.0.1:{free_port()}", "--tls", "off"],
                          capture_output=True, text=True, timeout=20)
    assert one_sentence(done, "in use by another hub") not in (0, 1, 134, 139)
    assert hub.request("GET", "/readyz").status == 200


def test_disk_full_at_start_and_while_running(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root to mount a small file system")
    mount = tmp_path / "small"
    mount.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(mount)]).returncode != 0:
        pytest.skip("this machine does not let a test mount a tmpfs")
    try:
        filler = mount / "filler"
        filler.write_bytes(b"\0" * (8 * 1024 * 1024 - 8192))
        with open(filler, "ab", buffering=0) as rest:
            try:
                while True:
                    rest.write(b"\0" * 4096)
            except OSError:
                pass
        done = subprocess.run([BINARY, "serve", "--data-dir", str(mount / "data"), "--listen", f"127.0.0.1:{free_port()}", "--tls", "off"],
                              capture_output=True, text=True, timeout=20)
        assert one_sentence(done, "disk is full") not in (0, 1, 134, 139)

        filler.unlink()
        hub = Hub(mount / "data").start()
        try:
            connection = hub.connection("c", "modbus", GOOD, autostart=False)
            filler.write_bytes(b"")
            with open(filler, "ab", buffering=0) as rest:
                try:
                    while True:
                        rest.write(b"\0" * 4096)
                except OSError:
                    pass

            def fails():
                answer = hub.request("POST", "/api/v1/connections", {"name": os.urandom(8).hex(), "type": "modbus", "description": "x" * 2000,
                                                                     "settings": GOOD, "autostart": False})
                return answer if answer.status >= 500 else None
            answer = wait_for(fails, 30, what="a refusal for want of space")
            assert answer.status in (503, 507) and answer.json["code"] == "disk_full", answer
            assert hub.state(connection)["status"] == "Idle", "reading still works"
            filler.unlink()
            wait_for(lambda: hub.request("POST", "/api/v1/connections", {"name": os.urandom(8).hex(), "type": "modbus", "settings": GOOD,
                                                                         "autostart": False}).status == 201, 5, what="writing after space returned")
        finally:
            hub.close()
    finally:
        subprocess.run(["umount", "-l", str(mount)], check=False)
