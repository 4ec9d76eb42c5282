"""JavaScript in a whole hub: the binary is its own worker, and scripts that mean harm leave it alone."""

import os
import signal
import time
from pathlib import Path

import pytest
from hub import Hub, wait_for


@pytest.fixture
def hub(tmp_path):
    started = Hub(tmp_path / "data", extra=["--env", "LINE=3", "--env", "SITE"], environment={"SITE": "izmir"}).start()
    yield started
    started.close()


def script(hub, name, code, **settings):
    nodes = [{"id": "t", "type": "trigger.manual"}, {"id": "s", "type": "script", "settings": {"code": code, **settings}}]
    return hub.api("POST", "/pipelines", {"name": name, "enabled": True, "history": "full", "nodes": nodes,
                                          "edges": [{"from": "t", "to": "s"}]})["id"]


def run(hub, pipeline, *records):
    return hub.api("POST", f"/pipelines/{pipeline}/run", {"input": list(records)})


def node(row):
    return next(n for n in row["detail"]["nodes"] if n["nodeId"] == "s")


def workers(hub):
    """Process ids of the hub's script workers."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            status = (entry / "stat").read_text().rsplit(") ", 1)[1].split() if entry.name.isdigit() else []
            words = (entry / "cmdline").read_bytes().split(b"\0") if status else []
        except OSError:
            continue
        if status and int(status[1]) == hub.process.pid and b"script-worker" in words:
            found.append(int(entry.name))
    return found


def test_a_script_runs_in_a_process_of_its_own_and_goes_with_the_hub(hub):
    pipeline = script(hub, "p", "console.log('seen', $input.a)\nreturn {twice: $input.a * 2, line: $env.LINE, site: $env.SITE, path: typeof $env.PATH}")
    row = run(hub, pipeline, {"a": 21})
    assert node(row)["output"] == {"twice": 42, "line": "3", "site": "izmir", "path": "undefined"}, row
    assert node(row)["log"] == ["seen 21"]
    (worker,) = workers(hub)
    fds = os.listdir(f"/proc/{worker}/fd")
    assert sorted(fds) == ["0", "1", "2"], "the channel and nothing that belongs to the hub"
    hub.kill()
    wait_for(lambda: not Path(f"/proc/{worker}").exists(), 5, what="the end of the worker")


def test_saving_names_the_place_of_a_mistake(hub):
    refused = hub.api("POST", "/pipelines", {
        "name": "p", "nodes": [{"id": "t", "type": "trigger.manual"}, {"id": "s", "type": "script", "settings": {"code": "return (1"}}],
        "edges": [{"from": "t", "to": "s"}]}, expect=422)
    assert refused["errors"][0]["pointer"] == "/nodes/1/settings/code" and refused["errors"][0]["code"] == "invalid_script"
    assert "line 1, column 10" in refused["errors"][0]["message"], refused


def test_inj4_attacks_end_at_their_limit_and_the_api_answers_meanwhile(hub):
    attacks = {"script_timeout": ["for (;;) {}", "return new Array(1e9) + ''", "Array.prototype.indexOf.call({length: 4294967295}, 99)",
                                  "/^(a+)+$/.test('a'.repeat(40) + 'b')"],
               "script_out_of_memory": ["return 'x'.repeat(2 ** 29)"],
               "script_failed": ["const f = () => f() + 1; return f()"]}
    calm = script(hub, "calm", "return {ok: true}")
    for code, texts in attacks.items():
        for text in texts:
            begun = time.monotonic()
            row = run(hub, script(hub, text, text), {})
            assert node(row)["error"]["code"] == code, (text, row)
            assert time.monotonic() - begun < 5
            begun = time.monotonic()
            assert run(hub, calm, {})["status"] == "completed"
            assert time.monotonic() - begun < 2
    assert hub.request("GET", "/readyz").status == 200


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGSTOP])
def test_inj4_a_worker_that_is_ended_or_stopped_from_outside_is_replaced(hub, sent):
    pipeline = script(hub, "p", "return $input")
    assert run(hub, pipeline, {"a": 1})["status"] == "completed"
    for worker in workers(hub):
        os.kill(worker, sent)
    run(hub, pipeline, {"a": 1})  # the record that the worker was at may fail
    assert run(hub, pipeline, {"a": 2})["status"] == "completed"
