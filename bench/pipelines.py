#!/usr/bin/env python3
"""What a pipeline costs, next to Node-RED and to loops that do nothing else, in one run on this machine.

  MQTT in (QoS 1) -> set -> MQTT out (QoS 0): the hub with native expressions, the hub with JavaScript, Node-RED (change node and
  function node), and a relay that is nothing but libmosquitto.
  MQTT in -> PostgreSQL: the hub, durable, in batches of 500, next to raw batched INSERT and COPY of the same rows.

Prints one line a measurement: records a second, CPU seconds for a million records (of the one that is measured, not of broker or
database), and the ratios of the goals. Node-RED comes from npm into build/node-red; without it those lines say so.

Usage: pipelines.py [--records 100000] [--node-red-records 20000]
TRIBUTARY_BIN names the release binary, PIPELINE_PEERS the program of pipeline_peers.cpp.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SOURCE / "tests" / "system"))
from hub import Hub, Mosquitto, Process, free_port, wait_for  # noqa: E402
from postgres import Postgres  # noqa: E402

PEERS = os.environ["PIPELINE_PEERS"]
NODE_RED = SOURCE / "build" / "node-red"
BROKER = ["allow_anonymous true", "max_queued_messages 0", "max_inflight_messages 1000"]


def cpu_seconds(pid):
    """Of a process and its children."""
    total = 0
    pids = [pid]
    for child in Path(f"/proc/{pid}/task").glob("*/children"):
        pids += [int(word) for word in child.read_text().split()]
    for one in pids:
        fields = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def pass_through(port, pid, count, label):
    """Sends `count` messages to bench/in and waits for as many at bench/out."""
    cpu = cpu_seconds(pid)
    counter = subprocess.Popen([PEERS, "count", str(port), "bench/out", str(count)], stdout=subprocess.PIPE, text=True)
    assert counter.stdout.readline().strip() == "ready"
    subprocess.run([PEERS, "produce", str(port), "bench/in", str(count)], check=True, timeout=600)
    seconds = float(counter.communicate(timeout=600)[0])
    used = cpu_seconds(pid) - cpu
    figures = {"rate": count / seconds, "per_million": used / count * 1e6}
    print(f"{label}: {figures['rate']:,.0f} records/s, {figures['per_million']:.1f} CPU s per million records", flush=True)
    return figures


def raw_relay(port, count):
    relay = subprocess.Popen([PEERS, "relay", str(port), "bench/in", "bench/out"], stdout=subprocess.PIPE, text=True)
    assert relay.stdout.readline().strip() == "ready"
    try:
        pass_through(port, relay.pid, count // 10, "  (warm-up) libmosquitto relay")
        return pass_through(port, relay.pid, count, "libmosquitto relay")
    finally:
        relay.kill()
        relay.wait()


SET = {"id": "s", "type": "set", "settings": {"fields": {
    "payload.celsius": "{{ ($input.payload.temperature - 32) / 1.8 }}", "payload.plant": "izmir"}}}
SCRIPT = {"id": "s", "type": "script", "settings": {"code":
          "$input.payload.celsius = ($input.payload.temperature - 32) / 1.8;\n$input.payload.plant = 'izmir';\nreturn $input;"}}


class HubFlow:
    def __init__(self, folder, port):
        self.hub = Hub(Path(folder) / "data").start()
        self.source = self.hub.connection("broker", "mqtt", {"host": "127.0.0.1", "port": port, "version": "3.1.1"})
        self.messages = self.hub.function(self.source, "in", "mqtt.subscribe", {"topics": [{"topic": "bench/in", "qos": 1}], "format": "json"})
        self.out = self.hub.function(self.source, "out", "mqtt.publish", {"topic": "bench/out", "qos": 0})
        self.hub.wait_status(self.source, "Connected")
        self.pipeline = None

    def run(self, node, last):
        if self.pipeline:
            self.hub.api("DELETE", f"/pipelines/{self.pipeline['id']}", headers={"If-Match": "*"})
        nodes = [{"id": "t", "type": "trigger.function", "settings": {"functionId": self.messages["id"]}}, node, last]
        edges = [{"from": a["id"], "to": b["id"]} for a, b in zip(nodes, nodes[1:])]
        self.pipeline = self.hub.api("POST", "/pipelines", {"name": "bench", "enabled": True, "history": "minimal", "nodes": nodes, "edges": edges})
        time.sleep(1)

    def publish(self):
        return {"id": "d", "type": "function", "settings": {"functionId": self.out["id"], "parameters": {"payload": "{{ $input.payload }}"}}}

    def close(self):
        self.hub.close()


def node_red_program():
    program = NODE_RED / "node_modules" / "node-red" / "red.js"
    if program.exists():
        return program
    NODE_RED.mkdir(parents=True, exist_ok=True)
    (NODE_RED / "package.json").write_text('{"private": true}\n')
    done = subprocess.run(["npm", "install", "--prefix", str(NODE_RED), "--no-audit", "--no-fund", "node-red@4"], capture_output=True, text=True)
    if done.returncode != 0:
        print("Node-RED could not be had from npm: " + done.stderr.strip().splitlines()[-1])
        return None
    return program


def node_red(program, port, count, label, middle):
    """A flow of three nodes: mqtt in (parsed JSON), `middle`, mqtt out."""
    with tempfile.TemporaryDirectory() as folder:
        flow = [
            {"id": "tab", "type": "tab", "label": "bench"},
            {"id": "broker", "type": "mqtt-broker", "broker": "127.0.0.1", "port": str(port), "protocolVersion": "4", "autoConnect": True,
             "cleansession": True, "keepalive": "60", "usetls": False, "clientid": ""},
            {"id": "in", "type": "mqtt in", "z": "tab", "topic": "bench/in", "qos": "1", "datatype": "json", "broker": "broker", "wires": [["middle"]]},
            {**middle, "id": "middle", "z": "tab", "wires": [["out"]]},
            {"id": "out", "type": "mqtt out", "z": "tab", "topic": "bench/out", "qos": "0", "retain": "false", "broker": "broker", "wires": []}]
        (Path(folder) / "flows.json").write_text(json.dumps(flow))
        (Path(folder) / "settings.js").write_text(
            "module.exports = {uiHost: '127.0.0.1', uiPort: %d, flowFile: 'flows.json', telemetry: {enabled: false}, "
            "logging: {console: {level: 'info'}}};\n" % free_port())
        process = Process(["node", str(program), "--userDir", folder, "--settings", str(Path(folder) / "settings.js")])
        try:
            process.wait_line(r"Connected to broker", 60)
            time.sleep(1)
            pass_through(port, process.process.pid, count // 10, f"  (warm-up) {label}")
            return pass_through(port, process.process.pid, count, label)
        finally:
            process.stop()


CHANGE = {"type": "change", "rules": [
    {"t": "set", "p": "payload.celsius", "pt": "msg", "to": "(payload.temperature - 32) / 1.8", "tot": "jsonata"},
    {"t": "set", "p": "payload.plant", "pt": "msg", "to": "izmir", "tot": "str"}]}
FUNCTION = {"type": "function", "outputs": 1, "func":
            "msg.payload.celsius = (msg.payload.temperature - 32) / 1.8;\nmsg.payload.plant = 'izmir';\nreturn msg;"}

TABLE = "(n bigint, speed bigint, temperature double precision, running boolean, line text)"


def relays(options):
    with tempfile.TemporaryDirectory() as folder:
        broker = Mosquitto(folder, lines=BROKER)
        try:
            raw = raw_relay(broker.port, options.records)
            hub = HubFlow(folder, broker.port)
            try:
                results = {}
                for name, node, count in (("native", SET, options.records), ("script", SCRIPT, options.records // 2)):
                    hub.run(node, hub.publish())
                    pass_through(broker.port, hub.hub.process.pid, count // 10, f"  (warm-up) hub, {name}")
                    results[name] = pass_through(broker.port, hub.hub.process.pid, count, f"hub, {name}")
            finally:
                hub.close()
            program = node_red_program()
            if program:
                change = node_red(program, broker.port, options.node_red_records, "Node-RED, change node", CHANGE)
                function = node_red(program, broker.port, options.node_red_records, "Node-RED, function node", FUNCTION)
                best = min(change["per_million"], function["per_million"])
                print(f"native: {best / results['native']['per_million']:.1f} times Node-RED's records per CPU second (goal 20)")
                print(f"script: {function['per_million'] / results['script']['per_million']:.1f} times Node-RED's (goal 3)")
            print(f"native: {results['native']['per_million'] / raw['per_million']:.2f} times the CPU of the raw relay (goal at most 2.5)")
        finally:
            broker.stop()


def produce(port, count):
    subprocess.run([PEERS, "produce", str(port), "bench/in", str(count)], check=True, timeout=600)


def raw_sink(database, conninfo, port, count):
    database.sql(f"drop table if exists raw_rows; create table raw_rows {TABLE}; grant all on raw_rows to {database.user}")
    sink = subprocess.Popen([PEERS, "sink", str(port), "bench/in", conninfo, "raw_rows", str(count), "500"], stdout=subprocess.PIPE, text=True)
    assert sink.stdout.readline().strip() == "ready"
    cpu = cpu_seconds(sink.pid)
    produce(port, count)
    seconds = float(sink.stdout.readline())
    print(f"libmosquitto and raw batched inserts: {count / seconds:,.0f} rows/s", flush=True)
    sink.wait(timeout=60)
    return seconds


def backlog(hub):
    state = hub.hub.api("GET", f"/pipelines/{hub.pipeline['id']}")["state"]
    return next(node["delivery"]["waiting"] for node in state["nodes"] if node["nodeId"] == "d")


def inserts(options):
    with tempfile.TemporaryDirectory() as folder, Postgres(durable=True) as database:
        broker = Mosquitto(folder, lines=BROKER)
        count = options.records
        raw = {}
        conninfo = f"host=127.0.0.1 port={database.port} dbname={database.database} user={database.user} password={database.password}"
        try:
            for kind in ("insert", "copy"):
                database.sql(f"drop table if exists raw_rows; create table raw_rows {TABLE}; grant all on raw_rows to {database.user}")
                done = subprocess.run([PEERS, kind, conninfo, "raw_rows", str(count), "500"], check=True, capture_output=True, text=True)
                raw[kind] = float(done.stdout)
                print(f"raw {kind}, 500 rows a transaction: {count / raw[kind]:,.0f} rows/s", flush=True)
            raw["sink"] = raw_sink(database, conninfo, broker.port, count)
            database.sql(f"create table rows {TABLE}; grant all on rows to {database.user}")
            hub = HubFlow(folder, broker.port)
            try:
                sink = hub.hub.connection("database", "postgresql", {"host": "127.0.0.1", "port": database.port, "database": database.database,
                                          "username": database.user}, secrets={"password": database.password})
                columns = {name: f"payload.{name}" for name in ("n", "speed", "temperature", "running", "line")}
                insert = hub.hub.function(sink, "insert", "postgresql.write", {"table": "rows", "columns": columns, "mode": "copy"})
                hub.hub.wait_status(sink, "Connected")
                hub.run({"id": "s", "type": "set", "settings": {"fields": {}}},
                        {"id": "d", "type": "function", "settings": {"functionId": insert["id"]}, "delivery": {"mode": "durable"}})

                def rows():
                    return int(database.sql("select count(*) from rows"))

                cpu = cpu_seconds(hub.hub.process.pid)
                begin = time.monotonic()
                produce(broker.port, count)
                wait_for(lambda: rows() >= count, 600, every=0.05, what="every row")
                seconds = time.monotonic() - begin
                used = cpu_seconds(hub.hub.process.pid) - cpu
                print(f"hub, MQTT to PostgreSQL, durable: {count / seconds:,.0f} rows/s, {used / count * 1e6:.1f} CPU s per million records")
                print(f"durable, the whole way: {seconds / raw['sink']:.2f} times the time of libmosquitto and raw batched inserts, which keep nothing; "
                      f"{seconds / raw['insert']:.2f} times that of raw batched inserts alone (goal at most 1.5), {seconds / raw['copy']:.2f} times raw COPY")

                hub.hub.api("POST", f"/connections/{sink['id']}/suspend", {"reason": "bench: a backlog"})
                produce(broker.port, count)
                wait_for(lambda: backlog(hub) >= count, 600, every=0.1, what="the backlog")
                cpu = cpu_seconds(hub.hub.process.pid)
                begin = time.monotonic()
                hub.hub.api("POST", f"/connections/{sink['id']}/resume", {"start": True})
                wait_for(lambda: rows() >= 2 * count, 600, every=0.05, what="the backlog's rows")
                seconds = time.monotonic() - begin
                used = cpu_seconds(hub.hub.process.pid) - cpu
                print(f"hub, a backlog from disk to PostgreSQL: {count / seconds:,.0f} rows/s, {used / count * 1e6:.1f} CPU s per million records")
                print(f"durable, what waits on disk: {seconds / raw['insert']:.2f} times the time of raw batched inserts (goal at most 1.5)")
            finally:
                hub.close()
        finally:
            broker.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--node-red-records", type=int, default=20_000)
    options = parser.parse_args()
    relays(options)
    inserts(options)


if __name__ == "__main__":
    main()
