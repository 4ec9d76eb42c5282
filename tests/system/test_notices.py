"""Notices with a real hub and a real receiver: signed, few while a link flaps, the last one true, and none lost."""

import json
import time

import pytest
from hub import Hub, wait_for
from receiver import Receiver, verify
from test_faults import FAST, modbus, points

SECRET = "not a real secret"


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.stop()


@pytest.fixture
def notifying(tmp_path, receiver):
    """A hub that may send to the receiver, which is on its own machine."""
    started = Hub(tmp_path / "data", extra=["--allow-egress", f"127.0.0.1:{receiver.port}"]).start()
    yield started
    started.close()


def notice(hub, receiver, **more):
    body = {"name": "shift", "url": receiver.url, "filter": {"to": ["Connected", "Disconnected"]}, "debounceMs": 1000,
            "secrets": {"secret": SECRET}, **more}
    return hub.api("POST", "/notices", body)


def status(hub, made):
    return hub.api("GET", f"/notices/{made['id']}")["status"]


def connected(hub, device):
    made = hub.connection("Filler", "modbus", modbus(device.port), reconnect=FAST, labels={"line": "3"})
    hub.wait_status(made, "Connected")
    return made


def test_a_change_of_status_arrives_signed(notifying, receiver, device):
    made = notice(notifying, receiver, headers={"X-Plant": "izmir"})
    connection = connected(notifying, device)
    wait_for(lambda: receiver.requests, what="a notice")
    headers, body = receiver.requests[0]
    assert verify(SECRET, headers["X-Tributary-Signature"], body)
    assert not verify("another secret", headers["X-Tributary-Signature"], body)
    assert not verify(SECRET, headers["X-Tributary-Signature"], body.replace(b"Filler", b"Filter"))
    assert headers["X-Plant"] == "izmir" and headers["X-Tributary-Notice"] == made["id"]
    message = json.loads(body)
    assert message["id"] == headers["X-Tributary-Delivery"]
    assert message["type"] == headers["X-Tributary-Event"] == "connection.status"
    assert message["connection"] == {"id": connection["id"], "name": "Filler", "type": "modbus", "labels": {"line": "3"}}
    assert (message["from"], message["to"], message["cause"], message["suppressed"]) == ("Connecting", "Connected", None, 0)
    wait_for(lambda: status(notifying, made)["delivered"] == 1)
    now = status(notifying, made)
    assert now["pending"] == now["failed"] == now["dropped"] == 0 and now["lastError"] is None and now["lastDelivery"]
    assert 'tributary_notices_total{result="delivered"} 1' in notifying.request("GET", "/metrics").text


def test_a_flapping_device_tells_little_and_the_last_notice_is_true(notifying, receiver, device):
    notice(notifying, receiver, debounceMs=3000)
    connection = connected(notifying, device)
    # Polls notice a loss at once.
    notifying.function(connection, "watch", "modbus.subscribe", {**points(1), "intervalMs": 50})
    begin = time.monotonic()
    changes = 0
    while time.monotonic() - begin < 10:
        device.cut()
        notifying.wait_status(connection, "Disconnected", "Reconnecting")
        device.open()
        notifying.wait_status(connection, "Connected")
        changes += 2
    seconds = time.monotonic() - begin
    wait_for(lambda: (m := receiver.of(connection)) and m[-1]["to"] == "Connected" and
             sum(x["suppressed"] + 1 for x in m) >= changes, what="the last notice")
    told = receiver.of(connection)
    assert len(told) <= seconds / 3 + 2, f"{len(told)} notices in {seconds:.0f} s of flapping"
    assert sum(m["suppressed"] for m in told) > 0, told
    time.sleep(3.5)
    assert receiver.of(connection)[-1]["to"] == notifying.state(connection)["status"] == "Connected"


def test_what_the_receiver_missed_is_delivered_when_it_is_back(notifying, receiver, device):
    made = notice(notifying, receiver, debounceMs=0)
    receiver.stop()
    connection = connected(notifying, device)
    failing = wait_for(lambda: (now := status(notifying, made))["lastError"] and now, what="a failed attempt")
    assert failing["lastError"]["code"] == "connection_refused" and failing["pending"] >= 1
    device.cut()
    notifying.wait_status(connection, "Disconnected", "Reconnecting")
    receiver.start()
    wait_for(lambda: status(notifying, made)["pending"] == 0, 30, what="an empty outbox")
    told = [m["to"] for m in receiver.of(connection)]
    assert told[:2] == ["Connected", "Disconnected"], told
    assert status(notifying, made)["lastError"] is None
    ids = [m["id"] for m in receiver.of(connection)]
    assert len(ids) == len(set(ids))


def test_a_failing_receiver_is_tried_again_with_the_same_id(notifying, receiver, device):
    made = notice(notifying, receiver)
    receiver.status = 500
    connected(notifying, device)
    wait_for(lambda: len(receiver.requests) >= 2, 20, what="a second attempt")
    receiver.status = 200
    wait_for(lambda: status(notifying, made)["delivered"] == 1, 30)
    first, *others = [json.loads(body)["id"] for _, body in receiver.requests]
    assert others and set(others) == {first}


def test_a_kill_between_loses_nothing(notifying, receiver, device):
    made = notice(notifying, receiver, debounceMs=0)
    receiver.stop()
    connection = connected(notifying, device)
    wait_for(lambda: status(notifying, made)["pending"] >= 1, what="a notice in the outbox")
    notifying.kill()
    receiver.start()
    notifying.start()
    wait_for(lambda: receiver.of(connection), 30, what="the notice of before the kill")
    first = receiver.of(connection)[0]
    assert first["to"] == "Connected"
    assert status(notifying, made)["failed"] == status(notifying, made)["dropped"] == 0


def test_a_slow_receiver_does_not_delay_another(notifying, receiver, device, tmp_path):
    slow = Receiver(delay=5)
    try:
        notifying.close()
        notifying.extra += ["--allow-egress", f"127.0.0.1:{slow.port}"]
        notifying.start()
        notice(notifying, slow, name="slow", debounceMs=0)
        notice(notifying, receiver, name="quick", debounceMs=0)
        connection = connected(notifying, device)
        device.cut()
        notifying.wait_status(connection, "Disconnected", "Reconnecting")
        wait_for(lambda: len(receiver.of(connection)) >= 2, 4, what="both notices of the quick receiver")
        assert len(slow.of(connection)) <= 1
    finally:
        slow.stop()


def test_the_test_says_what_came_back(notifying, receiver):
    made = notice(notifying, receiver)
    good = notifying.api("POST", f"/notices/{made['id']}/test")
    assert (good["success"], good["status"], good["body"], good["error"]) == (True, 200, "ok", None)
    headers, body = receiver.requests[0]
    assert json.loads(body)["type"] == "test" and verify(SECRET, headers["X-Tributary-Signature"], body)
    receiver.status = 404
    bad = notifying.api("POST", f"/notices/{made['id']}/test")
    assert (bad["success"], bad["status"], bad["error"]["code"]) == (False, 404, "receiver_refused")
    dry = notifying.api("POST", f"/notices/{made['id']}/test?dryRun=true")
    assert dry["success"] and dry["status"] is None and len(receiver.requests) == 2


def test_that_a_notice_fails_is_told_to_another(notifying, receiver, device):
    """Alarms: "notice_failing" is raised after three failures and cleared by the first success."""
    dead = Receiver()
    dead.stop()
    notifying.close()
    notifying.extra += ["--allow-egress", f"127.0.0.1:{dead.port}"]
    notifying.start()
    failing = notice(notifying, dead, name="failing", filter={"to": ["Connected"], "alarms": ["*"]})
    notice(notifying, receiver, name="watch", filter={"alarms": ["notice_failing"]}, debounceMs=0)
    connected(notifying, device)
    raised = wait_for(lambda: receiver.messages, 30, what="the alarm")[0]
    assert (raised["type"], raised["connection"], raised["from"], raised["to"]) == ("alarm", None, None, None)
    alarm = raised["alarm"]
    assert (alarm["kind"], alarm["subject"], alarm["state"], alarm["severity"]) == ("notice_failing", failing["id"], "raised", "warning")
    assert "refused" in alarm["message"]
    assert status(notifying, failing)["pending"] == 1, "its own alarm is not sent to it"
    dead.start()
    try:
        cleared = wait_for(lambda: receiver.messages[1:], 30, what="the end of the alarm")[0]
        assert (cleared["alarm"]["id"], cleared["alarm"]["state"]) == (alarm["id"], "cleared")
    finally:
        dead.stop()


def test_the_outbox_is_bounded_and_what_made_room_is_counted(notifying, receiver, device):
    """200 notices, no more, to a receiver that is away: 10 000 messages wait, the oldest ones make room."""
    receiver.stop()
    for number in range(200):
        notifying.api("POST", "/notices", {"name": f"n{number}", "url": receiver.url, "debounceMs": 0, "filter": {"type": "modbus"}})
    assert notifying.request("POST", "/api/v1/notices", {"name": "one too many", "url": receiver.url}).status == 409

    def counted(name):
        line = next(line for line in notifying.request("GET", "/metrics").text.splitlines() if line.startswith(name))
        return float(line.split()[-1])
    connection = connected(notifying, device)
    deadline = time.monotonic() + 120
    while counted('tributary_notices_total{result="dropped"}') < 400 and time.monotonic() < deadline:
        notifying.api("POST", f"/connections/{connection['id']}/restart")
        notifying.wait_status(connection, "Connected")
    assert counted('tributary_notices_total{result="dropped"}') >= 400
    wait_for(lambda: counted("tributary_notices_pending") <= 10_000, what="a full outbox at its bound")
    items = notifying.api("GET", "/notices?limit=1000")["items"]
    assert sum(n["status"]["dropped"] for n in items) >= 400
    assert max(n["status"]["pending"] for n in items) <= min(n["status"]["pending"] for n in items) + 2, "all give alike"


@pytest.mark.parametrize("url", [
    "http://127.0.0.1:9/", "http://localhost/", "http://[::1]/", "http://0.0.0.0/", "http://2130706433/", "http://0x7f.1/",
    "http://[::ffff:127.0.0.1]/", "http://169.254.169.254/latest/meta-data/", "http://[fe80::1]/", "http://[fd00:ec2::254]/",
    "file:///etc/passwd", "gopher://192.0.2.1/", "http://user:password@192.0.2.1/", "ftp://192.0.2.1/", "192.0.2.1",
])
def test_a_wrong_address_is_refused_with_its_pointer(notifying, url):
    answer = notifying.request("POST", "/api/v1/notices", {"name": "x", "url": url})
    assert answer.status == 422, answer
    assert [e["pointer"] for e in answer.json["errors"]] == ["/url"], answer
    assert notifying.api("GET", "/notices")["items"] == []


def test_the_hubs_own_address_is_refused(notifying):
    answer = notifying.request("POST", "/api/v1/notices", {"name": "x", "url": f"http://127.0.0.1:{notifying.port}/api/v1/pipelines"})
    assert answer.status == 422 and answer.json["errors"][0]["pointer"] == "/url"


@pytest.mark.parametrize("body, pointer", [
    ({"filter": {"connectionIds": ["no such"]}}, "/filter/connectionIds/0"),
    ({"filter": {"type": "no such"}}, "/filter/type"),
    ({"filter": {"to": ["Happy"]}}, "/filter/to/0"),
    ({"filter": {"where": 1}}, "/filter/where"),
    ({"headers": {"Authorization": "Bearer x"}}, "/headers/Authorization"),
    ({"headers": {"X-A": "a\r\nX-B: b"}}, "/headers/X-A"),
    ({"headers": {"Host": "elsewhere"}}, "/headers/Host"),
    ({"forMs": -1}, "/forMs"),
    ({"secrets": {"password": "x"}}, "/secrets/password"),
    ({"color": "red"}, "/color"),
])
def test_what_is_wrong_is_named(notifying, body, pointer):
    answer = notifying.request("POST", "/api/v1/notices", {"name": "x", "url": "http://192.0.2.1/hook", **body})
    assert answer.status == 422 and [e["pointer"] for e in answer.json["errors"]] == [pointer], answer


def test_editing_keeps_the_manners_of_the_api(notifying, receiver):
    dry = notifying.api("POST", "/notices?dryRun=true", {"name": "shift", "url": receiver.url})
    assert dry["name"] == "shift" and notifying.api("GET", "/notices")["items"] == []
    made = notice(notifying, receiver)
    assert made["secrets"]["secret"]["set"] and SECRET not in json.dumps(made)
    path = f"/notices/{made['id']}"
    assert notifying.request("POST", "/api/v1/notices", {"name": "shift", "url": receiver.url}).status == 409
    assert notifying.request("PATCH", "/api/v1" + path, {"enabled": False}).status == 428
    assert notifying.request("PATCH", "/api/v1" + path, {"enabled": False}, headers={"If-Match": '"7"'}).status == 412
    changed = notifying.api("PATCH", path, {"enabled": False, "secrets": {"secret": None}}, headers={"If-Match": '"1"'})
    assert changed["version"] == 2 and not changed["enabled"] and not changed["secrets"]["secret"]["set"]
    replaced = notifying.api("PUT", path, {"name": "night", "url": receiver.url}, headers={"If-Match": "*"})
    assert replaced["name"] == "night" and replaced["enabled"] and replaced["filter"] == {} and replaced["debounceMs"] == 10000
    for name in ("a", "b"):
        notifying.api("POST", "/notices", {"name": name, "url": receiver.url})
    page = notifying.api("GET", "/notices?limit=2")
    rest = notifying.api("GET", f"/notices?limit=2&cursor={page['next']}")
    assert [n["name"] for n in page["items"] + rest["items"]] == ["a", "b", "night"] and rest["next"] is None
    audit = json.dumps(notifying.api("GET", "/audit?limit=100"))
    assert "notice.create" in audit and "notice.update" in audit and SECRET not in audit
    notifying.api("DELETE", path)
    assert notifying.request("GET", "/api/v1" + path).status == 404


def test_secrets_are_in_no_log_and_no_file_in_the_clear(notifying, receiver, tmp_path):
    made = notice(notifying, receiver, secrets={"secret": SECRET, "authorization": "Bearer even-less-a-secret"})
    notifying.api("POST", f"/notices/{made['id']}/test")
    assert receiver.requests[0][0]["Authorization"] == "Bearer even-less-a-secret"
    notifying.stop()
    everything = "\n".join(notifying.output).encode() + b"".join(p.read_bytes() for p in (tmp_path / "data").iterdir() if p.is_file())
    assert SECRET.encode() not in everything and b"even-less-a-secret" not in everything


def test_a_status_trigger_publishes_what_a_connection_does(notifying, device, broker):
    """trigger.connectionStatus → MQTT, as docs/pipelines.md shows it."""
    link = notifying.connection("Broker", "mqtt", {"host": "127.0.0.1", "port": broker.port, "version": "5.0"})
    notifying.wait_status(link, "Connected")
    publish = notifying.function(link, "status", "mqtt.publish", {"qos": 1, "retain": True})
    listen = notifying.function(link, "listen", "mqtt.subscribe", {"topics": [{"topic": "plant/status/#", "qos": 1}], "format": "json"})
    pipeline = notifying.api("POST", "/pipelines", {
        "name": "status to broker", "enabled": True,
        "nodes": [{"id": "t", "type": "trigger.connectionStatus",
                   "settings": {"type": "modbus", "to": ["Connected", "Disconnected", "Failed"], "debounceMs": 1000}},
                  {"id": "d", "type": "function", "settings": {"functionId": publish["id"],
                                                               "parameters": {"topic": "plant/status/{{ $input.connectionId }}"}}}],
        "edges": [{"from": "t", "to": "d"}]})
    connection = connected(notifying, device)
    device.cut()
    notifying.wait_status(connection, "Disconnected", "Reconnecting")

    def published():
        return notifying.api("GET", f"/pipelines/{pipeline['id']}")["state"]["recordsOut"] >= 2
    wait_for(published, what="two published records")

    def last():
        records = notifying.api("GET", f"/functions/{listen['id']}/values")["records"]
        return records and records[-1]["payload"]["to"] == "Disconnected" and records[-1]
    record = wait_for(last, what="the retained message")
    assert record["topic"] == f"plant/status/{connection['id']}"
    payload = record["payload"]
    assert (payload["connection"], payload["type"], payload["from"], payload["labels"]) == ("Filler", "modbus", "Connected", {"line": "3"})
    assert payload["cause"]["class"] == "Transient" and set(payload["cause"]) == {"class", "code", "message"}
