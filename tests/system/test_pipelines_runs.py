"""Pipelines from outside: versions, drafts, documents that travel, runs that are cancelled and run again, tests."""

import asyncio
import json
import threading

import pytest
import websockets
from hub import wait_for

ANY = {"If-Match": "*"}


def by_hand(**more):
    return {"name": "by hand", "enabled": True, "labels": {"line": "3"},
            "nodes": [{"id": "t", "type": "trigger.manual"},
                      {"id": "n", "type": "set", "settings": {"fields": {"b": "{{ $input.a + 1 }}"}}}],
            "edges": [{"from": "t", "to": "n"}], **more}


class Stream:
    """Collects the messages of one topic of the event stream."""

    def __init__(self, hub, topic):
        self.seen = []
        self._over = False
        self._uri, self._token, self._topic = f"ws://127.0.0.1:{hub.port}/api/v1/stream", hub.token, topic
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._listen()), daemon=True)
        self._thread.start()
        assert self._ready.wait(10), "the live events did not open"

    async def _listen(self):
        async with websockets.connect(self._uri, extra_headers={"Authorization": f"Bearer {self._token}"}, max_size=None) as stream:
            await stream.send(json.dumps({"subscribe": 1, **self._topic}))
            self._ready.set()
            while not self._over:
                try:
                    self.seen.append(json.loads(await asyncio.wait_for(stream.recv(), 0.2)))
                except asyncio.TimeoutError:
                    continue

    def close(self):
        self._over = True
        self._thread.join(5)


@pytest.fixture
def pipeline(hub):
    return hub.api("POST", "/pipelines", by_hand())


def test_a_version_is_shown_compared_and_restored(hub, pipeline):
    path = f"/pipelines/{pipeline['id']}"
    changed = by_hand(name="second")
    changed["nodes"][1]["settings"]["fields"]["b"] = 7
    changed["nodes"][1]["position"] = {"x": 5, "y": 6}
    hub.api("PUT", path, changed, headers=ANY)
    assert hub.api("GET", f"{path}/versions/1")["document"]["name"] == "by hand"
    diff = hub.api("GET", f"{path}/versions/1/diff/2")
    assert not diff["same"] and not diff["layoutOnly"]
    assert [c["pointer"] for c in diff["nodes"]["changed"][0]["changes"]] == ["/settings/fields/b", "/position"]
    assert [c["layout"] for c in diff["nodes"]["changed"][0]["changes"]] == [False, True]
    assert diff["members"] == [{"pointer": "/name", "from": "by hand", "to": "second", "layout": False}]
    dry = hub.api("POST", f"{path}/versions/1/restore?dryRun=true")
    assert dry["version"] == 3 and hub.api("GET", path)["version"] == 2
    restored = hub.api("POST", f"{path}/versions/1/restore", headers={"If-Match": '"2"'})
    assert (restored["version"], restored["name"], restored["enabled"]) == (3, "by hand", True)
    hub.api("POST", f"{path}/versions/1/restore", headers={"If-Match": '"2"'}, expect=412)
    for wrong in ("9", "0", "x"):
        hub.api("GET", f"{path}/versions/{wrong}", expect=404)
        hub.api("GET", f"{path}/versions/1/diff/{wrong}", expect=404)
        hub.api("POST", f"{path}/versions/{wrong}/restore", expect=404)


def test_a_draft_is_saved_looked_at_and_deployed(hub, pipeline):
    path = f"/pipelines/{pipeline['id']}"
    hub.api("GET", f"{path}/draft", expect=404)
    hub.api("POST", f"{path}/deploy", expect=404)
    wrong = by_hand(name="draft")
    wrong["nodes"][1]["settings"]["fields"]["b"] = "{{ $input. }}"
    hub.api("PUT", f"{path}/draft", wrong, expect=428)
    saved = hub.api("PUT", f"{path}/draft", wrong, headers={"If-Match": '"1"'})
    assert saved["problems"][0]["pointer"] == "/nodes/1/settings/fields/b"
    hub.api("POST", f"{path}/deploy", expect=422)
    assert hub.api("GET", path)["draft"]["version"] == 1
    assert hub.api("GET", path)["name"] == "by hand"
    hub.api("PUT", f"{path}/draft", by_hand(name="draft"), headers={"If-Match": '"7"'}, expect=412)
    right = by_hand(name="draft")
    answer = hub.request("PUT", f"/api/v1{path}/draft", right, headers={"If-Match": '"1"'})
    assert answer.headers["etag"] == '"2"' and answer.json["problems"] == []
    diff = hub.api("GET", f"{path}/versions/1/diff/draft")
    assert [c["pointer"] for c in diff["members"]] == ["/name"]
    hub.api("PATCH", path, {"description": "meanwhile"}, headers=ANY)
    refused = hub.api("POST", f"{path}/deploy", expect=409)
    assert refused["code"] == "draft_outdated"
    deployed = hub.api("POST", f"{path}/deploy", {"force": True}, headers={"If-Match": '"2"'})
    assert (deployed["name"], deployed["version"], deployed["draft"]) == ("draft", 3, None)
    hub.api("PUT", f"{path}/draft", right, headers=ANY)
    hub.api("DELETE", f"{path}/draft")
    hub.api("GET", f"{path}/draft", expect=404)


def test_validate_says_what_is_wrong_and_what_may_surprise(hub):
    found = hub.api("POST", "/pipelines/validate", by_hand())
    assert found["valid"] and [w["code"] for w in found["warnings"]] == ["no_destination"]
    found = hub.api("POST", "/pipelines/validate", {"name": "x", "nodes": [{"id": "a", "type": "nothing"}]})
    assert not found["valid"] and "/nodes/0/type" in [p["pointer"] for p in found["problems"]]
    hub.api("POST", "/pipelines", {**by_hand(), "priority": "urgent"}, expect=422)
    hub.api("POST", "/pipelines", {**by_hand(), "keepRuns": 0}, expect=422)


def test_a_test_counts_nothing_and_goes_step_by_step(hub, pipeline):
    path = f"/pipelines/{pipeline['id']}"
    tried = hub.api("POST", f"{path}/test", {"input": [{"a": 1}, {"a": 2}]})
    assert tried["success"] and tried["source"] == "deployed"
    assert [end["record"]["b"] for end in tried["output"]] == [2, 3]
    node = {n["nodeId"]: n for n in tried["nodes"]}["n"]
    assert node["in"] == [{"a": 1}, {"a": 2}] and len(node["out"]["out"]) == 2
    until = hub.api("POST", f"{path}/test", {"input": {"a": 1}, "until": "t"})
    assert [n["nodeId"] for n in until["nodes"]] == ["t"] and until["output"][0]["record"] == {"a": 1}
    failing = hub.api("POST", f"{path}/test", {"document": {**by_hand(), "nodes": [
        by_hand()["nodes"][0], {"id": "n", "type": "set", "settings": {"fields": {"b": "{{ $input.x.y }}"}}}]}, "input": {"a": 1}})
    assert not failing["success"] and failing["nodes"][1]["errors"][0]["code"] == "expression_failed"
    pinned = hub.api("POST", f"{path}/test", {"input": {"a": 1}, "pins": {"n": [{"c": 1}, {"c": 2}]}})
    assert [end["record"] for end in pinned["output"]] == [{"c": 1}, {"c": 2}]
    refused = hub.api("POST", f"{path}/test", {"until": "nobody", "destinations": "perhaps", "input": 5}, expect=422)
    assert {e["pointer"] for e in refused["errors"]} == {"/destinations", "/input"}
    state = hub.api("GET", path)["state"]
    assert (state["recordsIn"], state["lastRunAt"]) == (0, None)
    assert hub.api("GET", f"{path}/runs")["items"] == []


def test_destinations_are_not_called_unless_asked_for(hub, broker):
    connection = hub.connection("broker", "mqtt", {"host": "127.0.0.1", "port": broker.port})
    hub.wait_status(connection, "Connected")
    publish = hub.function(connection, "publish", "mqtt.publish", {})
    watch = hub.function(connection, "watch", "mqtt.subscribe", {"topics": [{"topic": "test/#", "qos": 1}], "format": "json"})
    counting = hub.api("POST", "/pipelines", {"name": "counting", "enabled": True, "nodes": [
        {"id": "t", "type": "trigger.function", "settings": {"functionId": watch["id"]}}]})
    wait_for(lambda: hub.api("GET", f"/functions/{watch['id']}")["subscription"]["status"] == "active", 10, what="the subscription")
    document = {"name": "to broker", "nodes": [
        {"id": "t", "type": "trigger.manual"},
        {"id": "d", "type": "function", "settings": {"functionId": publish["id"], "parameters": {"topic": "test/{{ $input.a }}"}},
         "delivery": {"mode": "durable"}}], "edges": [{"from": "t", "to": "d"}]}
    tried = hub.api("POST", "/pipelines/test", {"document": document, "input": [{"a": 1}, {"a": 2}]})
    assert tried["success"], tried
    assert [(c["nodeId"], c["connection"], c["parameters"]["topic"]) for c in tried["wouldHaveSent"]] == [
        ("d", "broker", "test/1"), ("d", "broker", "test/2")]
    received = lambda: hub.api("GET", f"/pipelines/{counting['id']}")["state"]["recordsIn"]  # noqa: E731
    assert received() == 0
    hub.api("POST", "/pipelines/test", {"document": document, "input": {"a": 3}, "destinations": "call"})
    wait_for(lambda: received() == 1, 10, what="the message that was really sent")


def test_a_document_travels_to_another_name(hub, pipeline, broker):
    connection = hub.connection("broker", "mqtt", {"host": "127.0.0.1", "port": broker.port}, autostart=False)
    publish = hub.function(connection, "publish", "mqtt.publish", {})
    made = hub.api("POST", "/pipelines", {"name": "to broker", "priority": "high", "nodes": [
        {"id": "t", "type": "trigger.manual"},
        {"id": "d", "type": "function", "settings": {"functionId": publish["id"]}}], "edges": [{"from": "t", "to": "d"}]})
    exported = hub.api("GET", f"/pipelines/{made['id']}/export")
    assert exported["pipeline"]["nodes"][1]["settings"] == {"function": "broker/publish"}
    assert publish["id"] not in json.dumps(exported)
    assert hub.api("POST", "/pipelines/import", {"document": exported}, expect=409)["code"] == "name_taken"
    dry = hub.api("POST", "/pipelines/import?dryRun=true", {"document": exported})
    assert (dry["action"], dry["conflict"], dry["pipeline"]) == ("refuse", made["id"], None)
    renamed = hub.api("POST", "/pipelines/import", {"document": exported, "conflict": "rename"}, expect=201)
    assert renamed["pipeline"]["name"] == "to broker (2)" and renamed["pipeline"]["priority"] == "high"
    replaced = hub.api("POST", "/pipelines/import", {"document": exported, "conflict": "replace"}, expect=200)
    assert (replaced["pipeline"]["id"], replaced["pipeline"]["version"]) == (made["id"], 2)
    elsewhere = json.loads(json.dumps(exported).replace("broker/publish", "hall 7/send").replace("to broker", "third"))
    refused = hub.api("POST", "/pipelines/import", {"document": elsewhere}, expect=422)
    assert refused["errors"][0]["pointer"] == "/nodes/1/settings/function"
    mapped = hub.api("POST", "/pipelines/import", {"document": elsewhere, "functions": {"hall 7/send": "broker/publish"}}, expect=201)
    assert mapped["pipeline"]["nodes"][1]["settings"]["functionId"] == publish["id"]

    graph = hub.api("GET", f"/dependencies?id={publish['id']}")
    kinds = [node["kind"] for node in graph["nodes"]]
    assert kinds == ["pipeline"] * 3 + ["function", "connection"], graph
    assert {edge["use"] for edge in graph["edges"]} == {"destination", "connection"}
    users = [node for node in graph["nodes"] if node["kind"] == "pipeline"]
    for what in (f"/functions/{publish['id']}", f"/functions/{publish['id']}?dryRun=true", f"/connections/{publish['connectionId']}?force=true"):
        refused = hub.api("DELETE", what, expect=409)
        assert refused["code"] == "in_use" and all(user["name"] in refused["detail"] for user in users), refused
    for user in users:
        hub.api("DELETE", f"/pipelines/{user['id']}")
    hub.api("DELETE", f"/functions/{publish['id']}", expect=204)
    assert publish["id"] not in [node["id"] for node in hub.api("GET", "/dependencies")["nodes"]]
    hub.api("DELETE", f"/connections/{connection['id']}", expect=204)


def test_a_run_is_run_again_filtered_and_forgotten(hub, pipeline):
    path = f"/pipelines/{pipeline['id']}"
    run = hub.api("POST", f"{path}/run", {"input": [{"a": 1}, {"a": 2}]})
    shown = hub.api("GET", f"/runs/{run['id']}")
    assert shown["inputKept"] and shown["input"] == [{"a": 1}, {"a": 2}]
    again = hub.api("POST", f"/runs/{run['id']}/rerun")
    assert again["id"] != run["id"] and again["recordsIn"] == 2 and again["detail"]["rerunOf"] == run["id"]
    runs = lambda query: [r["id"] for r in hub.api("GET", f"{path}/runs?{query}")["items"]]  # noqa: E731
    assert runs("trigger=t") == [again["id"], run["id"]]
    assert runs("trigger=n") == [] and runs("status=failed") == []
    assert runs(f"from={again['startedAt']}")[0] == again["id"]
    assert run["id"] in runs("to=2100-01-01T00:00:00Z") and runs("to=2001-01-01T00:00:00Z") == []
    hub.api("GET", f"{path}/runs?from=yesterday", expect=400)
    assert hub.api("POST", f"/runs/{run['id']}/cancel", expect=409)["code"] == "run_finished"
    for what in ("cancel", "rerun"):
        hub.api("POST", f"/runs/nobody/{what}", expect=404)
    hub.api("PATCH", path, {"keepRuns": 1}, headers=ANY)
    hub.api("POST", f"{path}/run", {"input": {"a": 1}})
    assert len(runs("")) == 1


def test_a_long_run_is_shown_while_it_works_and_can_be_cancelled(hub, device):
    connection = hub.connection("slow", "modbus", {"host": "127.0.0.1", "port": device.port, "requestTimeoutMs": 2000})
    hub.wait_status(connection, "Connected")
    read = hub.function(connection, "read", "modbus.read", {"points": [
        {"name": "v", "area": "holdingRegisters", "address": 7, "dataType": "uint16"}]})
    pipeline = hub.api("POST", "/pipelines", {"name": "slow", "enabled": True, "nodes": [
        {"id": "t", "type": "trigger.manual"}, {"id": "r", "type": "function", "settings": {"functionId": read["id"]}}],
        "edges": [{"from": "t", "to": "r"}]})
    device.mode, device.delay = "slow", 0.1
    answers = []
    stream = Stream(hub, {"topic": "runs", "pipelineId": pipeline["id"]})
    runner = threading.Thread(target=lambda: answers.append(
        hub.api("POST", f"/pipelines/{pipeline['id']}/run", {"input": [{"i": i} for i in range(300)]}, timeout=60)))
    runner.start()
    try:
        running = wait_for(lambda: hub.api("GET", f"/pipelines/{pipeline['id']}/runs?status=running")["items"], 10, what="a running run")[0]
        assert running["endedAt"] is None
        wait_for(lambda: hub.api("GET", f"/runs/{running['id']}")["recordsOut"] > 1, 10, what="progress")
        hub.api("POST", f"/runs/{running['id']}/cancel", expect=202)
    finally:
        runner.join(60)
    ended = answers[0]
    assert ended["id"] == running["id"] and ended["status"] == "cancelled", ended
    assert ended["detail"]["dropped"] > 200
    statuses = lambda: [m["data"]["status"] for m in stream.seen if m["type"] == "delta" and m["data"]["id"] == ended["id"]]  # noqa: E731
    wait_for(lambda: statuses()[-1:] == ["cancelled"], 10, what="the end on the event stream")
    assert "running" in statuses()
    stream.close()
    assert hub.api("GET", f"/runs/{ended['id']}")["status"] == "cancelled"


def test_the_last_failing_input_outlives_a_kill(hub):
    pipeline = hub.api("POST", "/pipelines", {"name": "failing", "enabled": True, "nodes": [
        {"id": "t", "type": "trigger.manual"}, {"id": "n", "type": "set", "settings": {"fields": {"b": "{{ $input.x.y }}"}}}],
        "edges": [{"from": "t", "to": "n"}]})
    hub.api("POST", f"/pipelines/{pipeline['id']}/run", {"input": {"a": 41}})
    hub.api("PATCH", f"/pipelines/{pipeline['id']}", {"description": "a write that waits for those before it"}, headers=ANY)
    hub.kill()
    hub.start()
    node = {n["nodeId"]: n for n in hub.api("GET", f"/pipelines/{pipeline['id']}")["state"]["nodes"]}["n"]
    assert node["lastFailedInput"] == {"a": 41} and node["lastError"]["code"] == "expression_failed"
