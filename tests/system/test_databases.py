"""PostgreSQL and files as a user meets them: through the API of a real hub, with a real server that goes and comes back."""

import json
import stat

import pytest
from hub import wait_for
from postgres import Postgres


@pytest.fixture
def database():
    with Postgres() as server:
        server.sql("create table measurements (time timestamptz, line text, speed int, big bigint)")
        server.sql(f"grant all on measurements to {server.user}")
        yield server


def connect(hub, database, **more):
    connection = hub.connection("db", "postgresql", database.settings(**more), secrets={"password": database.password})
    hub.wait_status(connection, "Connected")
    return connection


def test_rows_are_written_and_queried_and_hostile_values_are_values(hub, database):
    connection = connect(hub, database)
    write = hub.function(connection, "write", "postgresql.write", {"table": "measurements"})
    query = hub.function(connection, "query", "postgresql.query", {"query": "select * from measurements where line = ((line))"})
    hostile = "'; drop table measurements; --"
    answer = hub.execute(write, {"time": "2026-11-22T10:00:00Z", "line": hostile, "speed": 1480, "big": 9007199254740993})
    assert answer["success"], answer
    answer = hub.execute(query, {"line": hostile})
    assert answer["success"], answer
    [row] = answer["data"]["records"]
    assert (row["line"], row["speed"], row["big"]) == (hostile, 1480, 9007199254740993), row
    assert row["time"] == "2026-11-22T10:00:00.000Z", row
    refused = hub.execute(write, {"line": "3", "speed": "fast"})
    assert refused["success"] is False and refused["error"]["code"] == "invalid_value", refused
    assert hub.state(connection)["status"] == "Connected", "a wrong value is no reason to lose the connection"


def test_a_restart_of_the_server_is_a_loss_that_heals_by_itself(hub, database):
    connection = connect(hub, database)
    database.stop()
    state = hub.wait_status(connection, "Disconnected", "Reconnecting")
    assert state["cause"]["class"] == "Transient", state
    database.start()
    hub.wait_status(connection, "Connected", seconds=30)


def test_a_wrong_password_waits_for_a_new_one(hub, database):
    connection = hub.connection("db", "postgresql", database.settings(), secrets={"password": "wrong"})
    state = wait_for(lambda: (s := hub.state(connection))["cause"] and s, what="a cause")
    assert state["cause"]["class"] == "Identity" and state["cause"]["code"] == "invalid_password", state
    hub.api("PATCH", f"/connections/{connection['id']}", {"secrets": {"password": database.password}}, headers={"If-Match": "*"})
    hub.wait_status(connection, "Connected", seconds=10)


def test_notifications_go_through_a_pipeline_before_and_after_a_restart_of_the_server(hub, database):
    database.sql("create table heard (id int, source text); grant all on heard to tributary")
    connection = connect(hub, database)
    listen = hub.function(connection, "orders", "postgresql.listen", {"channels": ["orders"]})
    write = hub.function(connection, "keep", "postgresql.write", {"table": "heard"})
    hub.api("POST", "/pipelines", {
        "name": "orders", "enabled": True,
        "nodes": [{"id": "t", "type": "trigger.function", "settings": {"functionId": listen["id"]}},
                  {"id": "s", "type": "set", "settings": {"include": "none", "fields": {
                      "id": "{{ $input.payload.id }}", "source": "{{ $input.channel }}"}}},
                  {"id": "d", "type": "function", "settings": {"functionId": write["id"]}, "delivery": {"mode": "durable"}}],
        "edges": [{"from": "t", "to": "s"}, {"from": "s", "to": "d"}]}, expect=201)

    def announce_and_find(number):
        # The subscription is made a moment after the connection.
        wait_for(lambda: database.sql("select count(*) from pg_stat_activity where usename = 'tributary'") == "2",
                 what="a listening session beside the other")
        database.sql(f"select pg_notify('orders', json_build_object('id', {number})::text)")
        wait_for(lambda: database.rows(f"select id, source from heard where id = {number}") == [[str(number), "orders"]], what="the row")

    announce_and_find(1)
    database.stop()
    hub.wait_status(connection, "Disconnected", "Reconnecting")
    database.start()
    hub.wait_status(connection, "Connected", seconds=30)
    announce_and_find(2)


def test_files_are_written_and_read_below_their_folder_only(hub, tmp_path):
    root = tmp_path / "export"
    root.mkdir()
    connection = hub.connection("files", "file", {"root": str(root)})
    hub.wait_status(connection, "Connected")
    write = hub.function(connection, "write", "file.write", {"path": "((line))/data.jsonl"})
    read = hub.function(connection, "read", "file.read", {"path": "((line))/data.jsonl"})
    answer = hub.execute(write, {"line": "3", "payload": {"speed": 1}})
    assert answer["success"], answer
    assert json.loads((root / "3" / "data.jsonl").read_text()) == {"speed": 1}
    assert stat.S_IMODE((root / "3" / "data.jsonl").stat().st_mode) == 0o600
    assert hub.execute(read, {"line": "3"})["data"]["records"][0]["speed"] == 1
    for line in ("..", "../export", "/etc", "a/b"):
        refused = hub.execute(write, {"line": line, "payload": {"speed": 1}})
        assert refused["success"] is False and refused["error"]["code"] == "invalid_path", refused
    root.rename(tmp_path / "moved")
    hub.wait_status(connection, "Disconnected", "Reconnecting", seconds=40)
    (tmp_path / "moved").rename(root)
    hub.wait_status(connection, "Connected", seconds=40)


def test_files_that_arrive_become_rows_and_are_moved_when_they_are_durable(hub, database, tmp_path):
    database.sql("create table arrived (file text, line int, speed int, primary key (file, line)); grant all on arrived to tributary")
    inbox = tmp_path / "plant" / "inbox"
    inbox.mkdir(parents=True)
    (inbox / "early.csv").write_text("speed\n1\n2\n")
    files = hub.connection("files", "file", {"root": str(tmp_path / "plant")})
    watch = hub.function(files, "inbox", "file.watch", {
        "pattern": "inbox/*.csv", "format": "csv", "stableForMs": 200, "after": "move", "moveTo": "done"})
    target = connect(hub, database)
    write = hub.function(target, "rows", "postgresql.write", {"table": "arrived", "mode": "upsert", "keyColumns": ["file", "line"]})
    hub.api("POST", "/pipelines", {
        "name": "files", "enabled": True,
        "nodes": [{"id": "t", "type": "trigger.function", "settings": {"functionId": watch["id"]}},
                  {"id": "s", "type": "set", "settings": {"include": "none", "fields": {
                      "file": "{{ $input.path }}", "line": "{{ $input.number }}", "speed": "{{ $input.payload.speed }}"}}},
                  {"id": "d", "type": "function", "settings": {"functionId": write["id"]}, "delivery": {"mode": "durable"}}],
        "edges": [{"from": "t", "to": "s"}, {"from": "s", "to": "d"}]}, expect=201)
    wait_for(lambda: (tmp_path / "plant/done/early.csv").exists(), what="the first file moved")
    database.stop()  # what is accepted from now on is in the spool
    (inbox / "late.csv").write_text("speed\n" + "".join(f"{n}\n" for n in range(1000)))
    wait_for(lambda: (tmp_path / "plant/done/late.csv").exists(), what="the second file moved")
    database.start()
    wait_for(lambda: database.rows("select file, count(*), sum(speed) from arrived group by file order by file") == [
        ["inbox/early.csv", "2", "3"], ["inbox/late.csv", "1000", "499500"]], seconds=60, every=0.2, what="all rows")
    assert not list(inbox.iterdir())
