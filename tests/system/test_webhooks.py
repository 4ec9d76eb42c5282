"""Webhooks of a real hub: who gets in, what is refused, what is answered, and what is never shown again."""

import base64
import concurrent.futures
import hashlib
import hmac
import json
import socket
import subprocess
import time

import pytest
from hub import Hub, wait_for

SECRET = "not a real secret"
RESPOND = {"id": "r", "type": "respond", "settings": {"status": 201, "headers": {"X-Order": "{{ $input.body.order }}"},
                                                       "body": {"order": "{{ $input.body.order }}", "twice": "{{ $input.body.order * 2 }}"}}}
HMAC = {"type": "hmac", "header": "X-Signature", "prefix": "sha256=", "timestampHeader": "X-Timestamp", "toleranceSeconds": 60}


def webhook(hub, path="orders", nodes=(), edges=(), name=None, **settings):
    trigger = {"id": "t", "type": "trigger.webhook", "settings": {"path": path, **settings}}
    return hub.api("POST", "/pipelines", {"name": name or f"hook {path}", "enabled": True, "nodes": [trigger, *nodes], "edges": list(edges)})


def answering(hub, path="orders", **settings):
    return webhook(hub, path, [RESPOND], [{"from": "t", "to": "r"}], **settings)


def call(hub, path="orders", body=None, method="POST", **headers):
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return hub.request(method, f"/hooks/{path}", body, headers=sent, token=None)


def state(hub, made):
    return hub.api("GET", f"/pipelines/{made['id']}")["state"]


def signed(body, at=None, secret=SECRET, algorithm="sha256"):
    at = str(int(time.time() if at is None else at))
    code = hmac.new(secret.encode(), f"{at}.{body}".encode(), algorithm).hexdigest()
    return {"X_Timestamp": at, "X_Signature": f"sha256={code}"}


def raw(hub, head, body=b"", pause=0.0, size=None):
    """Bytes as they are; `size` cuts the body into pieces with a pause between them."""
    with socket.create_connection(("127.0.0.1", hub.port), timeout=60) as client:
        client.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n")
        size = size or max(1, len(body))
        for start in range(0, len(body), size):
            client.sendall(body[start:start + size])
            time.sleep(pause)
        answer = b""
        while chunk := client.recv(65536):
            answer += chunk
        return answer.decode("utf-8", "replace")


# ---- taking calls ----

def test_a_call_starts_a_run_that_can_be_found(hub):
    made = webhook(hub, "orders/new")
    answer = call(hub, "orders/new?line=3&tag=a&tag=b", {"order": 7}, X_Extra="here", Cookie="session=1")
    assert answer.status == 202, answer
    run = wait_for(lambda: hub.request("GET", f"/api/v1/runs/{answer.json['runId']}").json
                   if hub.request("GET", f"/api/v1/runs/{answer.json['runId']}").status == 200 else None)
    assert run["status"] == "completed" and run["pipelineId"] == made["id"] and run["trigger"] == "t"
    assert state(hub, made)["triggers"] == [{"nodeId": "t", "path": "/hooks/orders/new", "methods": ["POST"]}]


def test_the_record_is_body_headers_query_and_method(hub):
    whole = {"id": "r", "type": "respond", "settings": {"body": "{{ $input }}"}}
    webhook(hub, "all", [whole], [{"from": "t", "to": "r"}], methods=["POST", "GET", "PUT"])
    record = call(hub, "all?line=3&tag=a&tag=b", {"order": 7}, X_Extra="here", Cookie="session=1", Authorization="Bearer x").json
    assert record["body"] == {"order": 7} and record["query"] == {"line": "3", "tag": ["a", "b"]} and record["method"] == "POST"
    assert record["headers"]["x-extra"] == "here" and not {"cookie", "authorization"} & set(record["headers"])
    assert record["$meta"]["remote"] == "127.0.0.1" and record["$meta"]["path"] == "all"
    form = call(hub, "all", "a=1&b=%C3%A4+x&a=2", method="PUT", Content_Type="application/x-www-form-urlencoded").json
    assert form["body"] == {"a": ["1", "2"], "b": "ä x"} and form["method"] == "PUT"
    assert call(hub, "all", "hällo".encode(), Content_Type="text/plain; charset=utf-8").json["body"] == "hällo"
    data = call(hub, "all", b"\x00\xff\x01", Content_Type="application/octet-stream").json
    assert base64.b64decode(data["body"]) == b"\x00\xff\x01" and data["$meta"]["encoding"] == "base64"
    assert call(hub, "all", method="GET").json["body"] is None
    assert call(hub, "all", "{broken", Content_Type="application/json").status == 400


def test_only_what_is_there_and_enabled(hub):
    made = webhook(hub)
    assert call(hub, "nothing", {}).status == 404
    assert call(hub, "orders/", {}).status == 404 and call(hub, "orders%2f", {}).status == 404
    refused = call(hub, method="GET")
    assert refused.status == 405 and refused.headers["allow"] == "POST"
    hub.api("POST", f"/pipelines/{made['id']}/disable")
    assert call(hub, body={}).status == 404
    hub.api("POST", f"/pipelines/{made['id']}/enable")
    assert call(hub, body={}).status == 202
    taken = hub.request("POST", "/api/v1/pipelines", {"name": "other", "nodes": [
        {"id": "t", "type": "trigger.webhook", "settings": {"path": "orders"}}]})
    assert taken.status == 422 and taken.json["errors"][0]["pointer"] == "/nodes/0/settings/path"
    hub.request("DELETE", f"/api/v1/pipelines/{made['id']}")
    assert call(hub, body={}).status == 404


# ---- who gets in ----

def test_the_header_holds_the_secret(hub):
    webhook(hub, authentication={"type": "header", "header": "X-Key"}, secret=SECRET)
    assert call(hub, body={}).status == 401
    assert call(hub, body={}, X_Key="wrong").status == 401
    assert call(hub, body={}, X_Key=SECRET + "x").status == 401
    assert call(hub, body={}, X_Key=SECRET).status == 202
    # The hub's own credentials do not count.
    assert hub.request("POST", "/hooks/orders", {}).status == 401


def test_the_signature_is_of_this_body_and_of_now(hub):
    webhook(hub, authentication=HMAC, secret=SECRET)
    body = '{"order": 7}'
    json_type = {"Content_Type": "application/json"}
    assert call(hub, body=body, **json_type, **signed(body)).status == 202
    assert call(hub, body=body + " ", **json_type, **signed(body)).status == 401
    assert call(hub, body=body, **json_type, **signed(body, secret="other")).status == 401
    assert call(hub, body=body, **json_type, **signed(body, algorithm="sha512")).status == 401
    assert call(hub, body=body, **json_type).status == 401
    assert call(hub, body=body, **json_type, **signed(body, time.time() - 61)).status == 401
    assert call(hub, body=body, **json_type, **signed(body, time.time() + 75)).status == 401
    moved = signed(body)
    moved["X_Timestamp"] = str(int(moved["X_Timestamp"]) + 1)
    assert call(hub, body=body, **json_type, **moved).status == 401


def test_a_call_that_is_sent_again_is_taken_once(hub):
    made = webhook(hub, authentication=HMAC, secret=SECRET)
    body = '{"order": 8}'
    headers = {"Content_Type": "application/json", **signed(body)}
    assert call(hub, body=body, **headers).status == 202
    again = call(hub, body=body, **headers)
    assert again.status == 401 and again.json["code"] == "hook_replayed"
    headers["X_Signature"] = "sha256=" + headers["X_Signature"][7:].upper()
    assert call(hub, body=body, **headers).status == 401
    wait_for(lambda: state(hub, made)["recordsIn"] == 1)
    # An edit of the pipeline does not make it forget.
    hub.api("PATCH", f"/pipelines/{made['id']}", {"description": "changed"}, headers={"If-Match": "*"})
    assert call(hub, body=body, **headers).status == 401


def test_the_signature_of_the_documentation_is_right(hub, tmp_path):
    webhook(hub, authentication=HMAC, secret=SECRET)
    script = f"""BODY='{{"order": 9}}'; NOW=$(date +%s)
SIGNATURE=$(printf '%s.%s' "$NOW" "$BODY" | openssl dgst -sha256 -hmac "{SECRET}" -hex | sed 's/^.* //')
printf '%s %s %s' "$NOW" "$SIGNATURE" "$BODY" """
    now, code, body = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout.split(" ", 2)
    answer = call(hub, body=body, Content_Type="application/json", X_Timestamp=now, X_Signature=f"sha256={code}")
    assert answer.status == 202, answer


def test_only_from_the_addresses_of_the_list(hub):
    webhook(hub, "near", allow=["127.0.0.0/8", "::1"])
    webhook(hub, "far", allow=["192.0.2.0/24"])
    assert call(hub, "near", {}).status == 202
    assert call(hub, "far", {}).status == 403
    assert call(hub, "far", {}, X_Forwarded_For="192.0.2.7").status == 403


def test_more_calls_than_allowed_are_told_to_wait(hub):
    webhook(hub, callsPerMinute=60)
    statuses = [call(hub, body={}).status for _ in range(15)]
    assert statuses[:10] == [202] * 10 and 429 in statuses[10:]
    assert int(call(hub, body={}).headers.get("retry-after", "1")) >= 1


# ---- sizes and slowness ----

def test_bodies_up_to_the_limit_and_no_further(hub):
    webhook(hub, maxBytes=1000)
    exact = "x" * 1000
    assert call(hub, body=exact, Content_Type="text/plain").status == 202
    assert call(hub, body=exact + "x", Content_Type="text/plain").status == 413
    head = "POST /hooks/orders HTTP/1.1\nHost: x\nContent-Type: text/plain\nConnection: close\n"
    # Announced: refused before a byte of it is sent.
    assert " 413 " in raw(hub, head + "Content-Length: 1000000000\nExpect: 100-continue").splitlines()[0]
    # Not announced.
    chunks = b"".join(b"64\r\n" + b"x" * 100 + b"\r\n" for _ in range(11)) + b"0\r\n\r\n"
    assert " 413 " in raw(hub, head + "Transfer-Encoding: chunked", chunks).splitlines()[0]
    chunks = b"".join(b"64\r\n" + b"x" * 100 + b"\r\n" for _ in range(10)) + b"0\r\n\r\n"
    assert " 202 " in raw(hub, head + "Transfer-Encoding: chunked", chunks).splitlines()[0]


def test_a_slow_caller_holds_up_nobody(hub):
    answering(hub)
    body = json.dumps({"order": 1}).encode()
    head = f"POST /hooks/orders HTTP/1.1\nHost: x\nContent-Type: application/json\nConnection: close\nContent-Length: {len(body)}"
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        slow = [pool.submit(raw, hub, head, body, 0.2, 1) for _ in range(20)]
        for i in range(20):
            begin = time.monotonic()
            assert call(hub, body={"order": i}).json["order"] == i
            assert time.monotonic() - begin < 2
        for one in slow:
            assert " 201 " in one.result().splitlines()[0]


# ---- answers ----

def test_a_respond_node_answers(hub):
    answering(hub)
    answer = call(hub, body={"order": 21})
    assert answer.status == 201 and answer.json == {"order": 21, "twice": 42}
    assert answer.headers["x-order"] == "21" and answer.headers["content-type"] == "application/json"


def test_a_hundred_callers_at_once_get_their_own_answers(hub):
    made = answering(hub)
    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(lambda i: call(hub, body={"order": i}), range(100)))
    assert [(a.status, a.json) for a in answers] == [(201, {"order": i, "twice": 2 * i}) for i in range(100)]
    wait_for(lambda: state(hub, made)["recordsOut"] == 100)


def test_what_an_answer_cannot_do(hub):
    echo = {"id": "r", "type": "respond", "settings": {"headers": {"X-Echo": "{{ $input.body.text }}"}, "body": "<script>alert(1)</script>"}}
    webhook(hub, "echo", [echo], [{"from": "t", "to": "r"}])
    fine = call(hub, "echo", {"text": "hello"})
    assert fine.status == 200 and fine.headers["x-echo"] == "hello"
    assert "sandbox" in fine.headers["content-security-policy"] and fine.headers["x-content-type-options"] == "nosniff"
    for text in ("a\r\nSet-Cookie: stolen=1", "a\nb", "a\r\n\r\nHTTP/1.1 200 OK"):
        broken = call(hub, "echo", {"text": text})
        assert broken.status == 502 and "set-cookie" not in broken.headers
    for name in ("Set-Cookie", "Content-Length", "Transfer-Encoding", "Access-Control-Allow-Origin"):
        refused = hub.request("POST", "/api/v1/pipelines", {"name": "bad", "nodes": [
            {"id": "t", "type": "trigger.webhook", "settings": {"path": "bad"}},
            {"id": "r", "type": "respond", "settings": {"headers": {name: "x"}}}], "edges": [{"from": "t", "to": "r"}]})
        assert refused.status == 422 and refused.json["errors"][0]["pointer"] == f"/nodes/1/settings/headers/{name}"


# ---- the secret ----

def test_the_secret_is_never_shown_again(hub):
    made = webhook(hub, authentication={"type": "header", "header": "X-Key"}, secret=SECRET)
    hub.api("PATCH", f"/pipelines/{made['id']}", {"nodes": made["nodes"]}, headers={"If-Match": "*"})
    assert call(hub, body={}, X_Key=SECRET).status == 202
    for path in (f"/pipelines/{made['id']}", f"/pipelines/{made['id']}/versions", "/pipelines", "/audit?limit=100"):
        assert SECRET not in hub.request("GET", "/api/v1" + path).text, path
    shown = hub.api("GET", f"/pipelines/{made['id']}")["nodes"][0]["settings"]["secret"]
    assert shown["set"] is True and "changedAt" in shown
    exported = hub.cli("export", "--data-dir", str(hub.data_dir)).stdout
    assert "hook orders" in exported and SECRET not in exported
    assert not any(SECRET in line for line in hub.output)
    hub.stop()
    for file in hub.data_dir.rglob("*"):
        assert not file.is_file() or SECRET.encode() not in file.read_bytes(), file


def test_webhooks_are_there_again_after_a_kill(tmp_path):
    hub = Hub(tmp_path / "data").start()
    try:
        webhook(hub, authentication={"type": "header", "header": "X-Key"}, secret=SECRET)
        hub.kill()
        hub.spawn()
        wait_for(hub.ready, 20, what="the hub's readiness")
        assert call(hub, body={}, X_Key=SECRET).status == 202
        assert call(hub, body={}).status == 401
    finally:
        hub.close()


# ---- schedules ----

def test_a_schedule_is_shown_before_it_is_saved(hub):
    asked = hub.api("POST", "/pipelines/schedule/preview", {"cron": "30 2 * * *", "timeZone": "Europe/Berlin", "after": "2026-03-28T12:00:00Z", "count": 2})
    assert asked == {"next": [{"time": "2026-03-29T01:00:00.000Z", "localTime": "2026-03-29T03:00:00+02:00"},
                              {"time": "2026-03-30T00:30:00.000Z", "localTime": "2026-03-30T02:30:00+02:00"}], "followsRealHours": False}
    for body, pointer in (({"cron": "0 25 * * *"}, "/cron"), ({}, "/cron"), ({"cron": "@daily", "timeZone": "Mars"}, "/timeZone"),
                          ({"cron": "@daily", "count": 101}, "/count")):
        refused = hub.request("POST", "/api/v1/pipelines/schedule/preview", body)
        assert refused.status == 422 and refused.json["errors"][0]["pointer"] == pointer


def test_a_schedule_of_every_second_runs_and_says_what_comes_next(hub):
    made = hub.api("POST", "/pipelines", {"name": "each second", "enabled": True, "nodes": [
        {"id": "t", "type": "trigger.schedule", "settings": {"cron": "* * * * * *", "timeZone": "Asia/Istanbul"}}]})
    wait_for(lambda: state(hub, made)["recordsIn"] >= 3)
    trigger = state(hub, made)["triggers"][0]
    assert trigger["timeZone"] == "Asia/Istanbul" and len(trigger["nextRuns"]) == 5


@pytest.mark.parametrize("policy", ["skip", "restart"])
def test_calls_and_the_overlap_policy(hub, policy):
    made = hub.api("POST", "/pipelines", {"name": "p", "enabled": True, "overlap": {"policy": policy}, "nodes": [
        {"id": "t", "type": "trigger.webhook", "settings": {"path": "p"}}]})
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(lambda _: call(hub, "p", {}).status, range(200)))
    assert set(statuses) <= {202, 503}
    wait_for(lambda: state(hub, made)["recordsIn"] + state(hub, made)["skipped"] == 200)
