"""A line from numbered records to rows of a real PostgreSQL, durable on the way: for the proofs G1, G5 to G11."""

import http.client
import json
import subprocess
import threading
import time

from hub import Hub, wait_for

TABLE = "create table got (serial bigserial primary key, n bigint, source text, k bigint, sent double precision, " \
        "arrived timestamptz default clock_timestamp(), backfill boolean)"
COLUMNS = {"n": "n", "source": "source", "k": "k", "sent": "sent", "backfill": "$meta.backfill"}
RETRY = {"initialDelayMs": 50, "maxDelayMs": 500}
RECONNECT = {"initialDelayMs": 100, "maxDelayMs": 500, "failuresToOpen": 1000}


class Line:
    """One hub with a pipeline that takes what it is told by hand (POST run), one for MQTT, and their destination."""

    def __init__(self, folder, database, broker_port=None, database_port=None, extra=(), delivery=None, mode="copy"):
        self.database = database
        self.delivery = {"mode": "durable", "retry": RETRY, **(delivery or {})}
        self.broker_port = broker_port
        self.hub = Hub(folder / "data", extra=extra).start()
        database.sql(TABLE)
        database.sql(f"grant all on got to {database.user}; grant usage on sequence got_serial_seq to {database.user}")
        self.sink = self.hub.connection("database", "postgresql", {
            "host": "127.0.0.1", "port": database_port or database.port, "database": database.database, "username": database.user},
            secrets={"password": database.password}, reconnect=RECONNECT)
        self.insert = self.hub.function(self.sink, "insert", "postgresql.write",
                                        {"table": "got", "columns": COLUMNS, "mode": mode})
        self.pipelines = {}

    def from_hand(self, name="by hand", history="off"):
        return self._pipeline(name, {"id": "t", "type": "trigger.manual"}, history)

    def from_broker(self, topic="numbers", name="from broker"):
        source = self.hub.connection("broker", "mqtt", {
            "host": "127.0.0.1", "port": self.broker_port, "version": "3.1.1", "clientId": "hub-under-test", "cleanSession": False,
            "keepAliveSeconds": 10}, reconnect=RECONNECT)
        messages = self.hub.function(source, "numbers", "mqtt.subscribe", {"topics": [{"topic": topic, "qos": 1}], "format": "json"})
        pipeline = self._pipeline(name, {"id": "t", "type": "trigger.function", "settings": {"functionId": messages["id"]}}, "off",
                                  {"include": "none", "fields": {k: "{{ $input.payload." + k + " }}" for k in ("n", "source", "k", "sent")}})
        self.hub.wait_status(source, "Connected")
        return pipeline

    def _pipeline(self, name, trigger, history, fields=None):
        nodes, edges = [trigger], []
        if fields:
            nodes.append({"id": "s", "type": "set", "settings": fields})
            edges.append({"from": "t", "to": "s"})
        nodes.append({"id": "d", "type": "function", "settings": {"functionId": self.insert["id"]}, "delivery": self.delivery})
        edges.append({"from": nodes[-2]["id"], "to": "d"})
        made = self.hub.api("POST", "/pipelines", {"name": name, "enabled": True, "history": history, "nodes": nodes, "edges": edges})
        self.pipelines[name] = made["id"]
        return made["id"]

    def queue(self, pipeline):
        """The counters of the destination's queue, checked: accepted = delivered + dead letters + dropped + lost + waiting."""
        state = self.hub.api("GET", f"/pipelines/{pipeline}")["state"]
        queue = next(node["delivery"] for node in state["nodes"] if node["nodeId"] == "d")
        return queue

    def balanced(self, pipeline):
        queue = self.queue(pipeline)
        assert queue["accepted"] == queue["delivered"] + queue["deadLettered"] + queue["dropped"] + queue["lost"] + queue["waiting"], queue
        return queue

    def drain(self, seconds=60):
        for pipeline in self.pipelines.values():
            wait_for(lambda p=pipeline: self.queue(p)["waiting"] == 0, seconds, every=0.2, what="an empty queue")

    def rows(self, source):
        return [int(row[0]) for row in self.database.rows(f"select n from got where source = '{source}' order by serial")]

    def close(self):
        self.hub.close()


class ByHand(threading.Thread):
    """Gives numbered records by the API until told to stop, and remembers which were acknowledged. Survives the hub."""

    def __init__(self, hub, pipeline, source="hand", batch=5, pause=0.002):
        super().__init__(daemon=True)
        self.hub = hub
        self.path = f"/api/v1/pipelines/{pipeline}/run"
        self.source = source
        self.batch = batch
        self.pause = pause
        self.acknowledged = set()
        self.offered = set()
        self.refused = 0
        self.stopping = threading.Event()

    def run(self):
        n = 0
        connection = None
        while not self.stopping.is_set():
            numbers = list(range(n, n + self.batch))
            n += self.batch
            self.offered.update(numbers)
            body = json.dumps({"input": [{"n": i, "source": self.source, "k": i % 32, "sent": time.time(), "$meta": {}} for i in numbers]})
            try:
                if connection is None:
                    connection = http.client.HTTPConnection("127.0.0.1", self.hub.port, timeout=10)
                connection.request("POST", self.path, body, {"Authorization": f"Bearer {self.hub.token}", "Content-Type": "application/json"})
                answer = connection.getresponse()
                content = answer.read()
                if answer.status == 200 and json.loads(content)["errors"] == 0:
                    self.acknowledged.update(numbers)
                else:
                    self.refused += len(numbers)
            except (OSError, http.client.HTTPException):
                connection = None
                time.sleep(0.05)
            time.sleep(self.pause)

    def end(self):
        self.stopping.set()
        self.join(20)


class ByBroker(threading.Thread):
    """Feeds Debian's mosquitto_pub with numbered messages of QoS 1; every one is offered until the broker has it."""

    def __init__(self, port, topic="numbers", source="broker", rate=400.0, count=None, keys=32):
        super().__init__(daemon=True)
        self.process = subprocess.Popen(["/usr/bin/mosquitto_pub", "-h", "127.0.0.1", "-p", str(port), "-t", topic, "-q", "1", "-l"],
                                        stdin=subprocess.PIPE, text=True)
        self.source = source
        self.rate = rate
        self.count = count
        self.keys = keys
        self.sent = 0
        self.stopping = threading.Event()

    def run(self):
        begin = time.monotonic()
        while not self.stopping.is_set() and self.sent != self.count:
            due = int((time.monotonic() - begin) * self.rate) + 1
            if self.count is not None:
                due = min(due, self.count)
            lines = []
            while self.sent < due:
                lines.append(json.dumps({"n": self.sent, "source": self.source, "k": self.sent % self.keys, "sent": time.time()}))
                self.sent += 1
            if lines:
                self.process.stdin.write("\n".join(lines) + "\n")
                self.process.stdin.flush()
            time.sleep(0.01)

    def end(self, seconds=120):
        """Everything that was sent lies at the broker, or was delivered, when this returns."""
        self.stopping.set()
        self.join(seconds)
        self.process.stdin.close()
        assert self.process.wait(seconds) == 0


def duplicates(numbers):
    return len(numbers) - len(set(numbers))
