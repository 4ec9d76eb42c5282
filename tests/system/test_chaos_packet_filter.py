"""A peer that vanishes behind a packet filter (G12, edge case 1), and a suspended connection as the network sees it (G15).

Each peer has a network namespace of its own, so that all cases run at once. Everything is at its defaults: a plant engineer
who typed an address and nothing else must be told of a dead device within 15 seconds."""

import asyncio
import json
import os
import sys
import threading
import time
from datetime import datetime

import netns
import pytest
import websockets
from device import Device
from figures import record, within
from hub import Hub, wait_for
from test_faults import points, samples_of

LONG = os.environ.get("TRIBUTARY_LONG") == "1"
REFUSAL = netns.available()
if REFUSAL:
    print(f"packet filter tests skipped: {REFUSAL}", file=sys.stderr)  # CTest looks for this line
pytestmark = pytest.mark.skipif(bool(REFUSAL), reason=REFUSAL)

NOTICED_S = 15
BAD_S = 1
# Wait (at most 30 s, after so short an outage much less), connect, answer.
RECOVERED_S = 30 + 10

FAULTS = {
    "drop": lambda peer: peer.filter("input", "drop"),
    "drop_answers": lambda peer: peer.filter("output", "drop"),
    "link_down": lambda peer: peer.plug(False),
    "reject": lambda peer: peer.filter("input", "meta l4proto tcp reject with tcp reset"),
    "unreachable": lambda peer: peer.filter("input", "reject with icmp type host-unreachable"),
}
CASES = [(kind, load, fault) for kind in ("modbus", "mqtt") for load in ("idle", "busy") for fault in FAULTS]


def seconds_of(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Case:
    """One peer behind its own cable, one connection with one watched function."""

    def __init__(self, hub, peer, folder, kind, load, fault):
        self.hub, self.peer, self.kind, self.load, self.fault = hub, peer, kind, load, fault
        self.name = f"{kind}.{load}.{fault}"
        self.seen = {}  # what happened, by time.time()
        if kind == "modbus":
            self.device = Device(502, host=peer.address, make_socket=peer.socket)
            self.connection = hub.connection(self.name, "modbus", {"transport": "tcp", "host": peer.address, "port": 502})
            # An idle one reads once an hour: it has values that must turn bad, and a silent line.
            every = 100 if load == "busy" else 3_600_000
            self.function = hub.function(self.connection, "watch", "modbus.subscribe",
                                         {**points(1), "intervalMs": every, "reportOn": "always"})
        else:
            self.device = netns.NamespaceMosquitto(peer, folder)
            self.connection = hub.connection(self.name, "mqtt", {"host": peer.address, "port": 1883})
            self.function = hub.function(self.connection, "watch", "mqtt.subscribe",
                                         {"topics": [{"topic": "line", "qos": 1}], "format": "text"})
            self.publish = hub.function(self.connection, "say", "mqtt.publish",
                                        {"topic": "line", "qos": 1, "retain": True, "payload": "x"})
        self.going = load == "busy" and kind == "mqtt"
        self.talker = threading.Thread(target=self.talk, daemon=True)

    def begin(self):
        if self.kind == "mqtt":
            self.hub.execute(self.publish)
        if self.going:
            self.talker.start()

    def talk(self):
        while self.going:
            try:
                self.hub.execute(self.publish)
            except (OSError, AssertionError):
                return
            time.sleep(0.1)

    def break_now(self):
        FAULTS[self.fault](self.peer)
        self.seen["broken"] = time.time()

    def left_connected(self):
        """When the first row after the fault says that the connection was lost."""
        for row in self.hub.events(self.connection):
            if row["from"] == "Connected" and seconds_of(row["at"]) > self.seen["broken"] - 0.05:
                self.seen.setdefault("noticed", seconds_of(row["at"]))
                return True
        return False

    def heal(self):
        # Noted first: the one value an idle connection reads may be here before the last rule is gone.
        self.seen["healed"] = time.time()
        self.peer.heal()

    def stop(self):
        self.going = False
        self.device.cut() if self.kind == "modbus" else self.device.stop()


def qualities(message):
    data = message.get("data")
    records = data.get("records", []) if isinstance(data, dict) else data or []
    # A message of a broker is a record: it has no quality, it came.
    return [s["quality"] for s in samples_of(message)] + ["good" for record_ in records if "payload" in record_]


async def watch(hub, cases, going):
    """Notes for each case when the last good and the first bad value of its function came."""
    by_number = dict(enumerate(cases, 1))
    uri = f"ws://127.0.0.1:{hub.port}/api/v1/stream"
    async with websockets.connect(uri, extra_headers={"Authorization": f"Bearer {hub.token}"}, max_size=None) as stream:
        for number, case in by_number.items():
            await stream.send(json.dumps({"subscribe": number, "topic": "values", "functionId": case.function["id"]}))
        while going.is_set():
            try:
                message = json.loads(await asyncio.wait_for(stream.recv(), 0.2))
            except asyncio.TimeoutError:
                continue
            case = by_number.get(message.get("id"))
            for quality in qualities(message) if case else ():
                if quality == "good":
                    case.seen["good"] = time.time()
                    if "healed" in case.seen:
                        case.seen.setdefault("recovered", time.time())
                elif quality == "bad" and "broken" in case.seen:
                    case.seen.setdefault("bad", time.time())


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """Every case at once: connect, break, notice, heal, come back. {(kind, load, fault): what was seen when}."""
    folder = tmp_path_factory.mktemp("filter")
    hub = Hub(folder / "data").start()
    peers, cases, going = [], [], threading.Event()
    watcher = threading.Thread(target=lambda: asyncio.run(watch(hub, cases, going)), daemon=True)
    try:
        for number, what in enumerate(CASES):
            peers.append(netns.Namespace())
            peers[-1].__enter__()
            own = folder / str(number)
            own.mkdir()
            cases.append(Case(hub, peers[-1], own, *what))
        for case in cases:
            hub.wait_status(case.connection, "Connected", seconds=30)
        going.set()
        watcher.start()
        for case in cases:
            case.begin()
        missing = lambda: [case.name for case in cases if "good" not in case.seen]
        wait_for(lambda: not missing(), 30, what="a first value of every peer")
        time.sleep(2)  # the idle ones are idle
        for case in cases:
            case.break_now()
        notice = lambda: [case.left_connected() for case in cases if "noticed" not in case.seen]
        try:
            wait_for(lambda: not notice(), NOTICED_S + 15, every=0.2, what="the notice of every loss")
        except AssertionError:
            pass  # each case says for itself what it did not see
        time.sleep(BAD_S + 0.5)
        for case in cases:
            case.heal()
        try:
            wait_for(lambda: all("recovered" in case.seen for case in cases), RECOVERED_S + 10, every=0.2, what="values again")
        except AssertionError:
            pass
        yield {(case.kind, case.load, case.fault): dict(case.seen) for case in cases}
    finally:
        going.clear()
        for case in cases:
            case.stop()
        hub.close()
        if watcher.is_alive():
            watcher.join(5)
        for peer in peers:
            peer.__exit__()


@pytest.mark.parametrize("kind,load,fault", CASES)
def test_edge_01_a_dead_peer_is_noticed_and_comes_back(outcomes, kind, load, fault):
    seen = outcomes[(kind, load, fault)]
    figure = f"{kind} {load}, {fault.replace('_', ' ')}"
    assert "noticed" in seen, f"still Connected {NOTICED_S + 15} s after the peer vanished"
    noticed = record(f"G12 {figure}: noticed", seen["noticed"] - seen["broken"], NOTICED_S, "s")
    assert noticed <= NOTICED_S
    if kind == "modbus":  # what comes from a broker are messages, not points
        assert "bad" in seen, "no value turned bad"
        within(f"G12 {figure}: values bad after that", max(0.0, seen["bad"] - seen["noticed"]), BAD_S, "s")
    assert "recovered" in seen, f"no value within {RECOVERED_S + 10} s after the peer was back"
    within(f"G13 {figure}: values again", seen["recovered"] - seen["healed"], RECOVERED_S, "s")


SILENCE_S = 600 if LONG else 20
BEFORE = ("connected", "dead", "refused", "failed")


def reach(hub, peer, kind):
    """A connection to the peer that is in the middle of something: timers armed, or a session open."""
    if kind == "dead":
        peer.filter("input", "drop")
    settings = {"transport": "tcp", "host": peer.address, "port": 502, "connectTimeoutMs": 1000}
    policy = {"failuresToOpen": 3, "cooldownMs": 2000, "initialDelayMs": 500} if kind == "failed" else {}
    connection = hub.connection(kind, "modbus", settings, **({"reconnect": policy} if policy else {}))
    hub.function(connection, "watch", "modbus.subscribe", {**points(1), "intervalMs": 100, "reportOn": "always"})
    return connection


@pytest.fixture(scope="module")
def silence(tmp_path_factory):
    """{what it was before: (status after the silence, packets counted by the filter, words heard by the tap)}"""
    hub = Hub(tmp_path_factory.mktemp("silence") / "data").start()
    peers, taps, device = {}, {}, None
    try:
        for kind in BEFORE:
            peers[kind] = netns.Namespace()
            peers[kind].__enter__()
            taps[kind] = netns.Tap(peers[kind])
        device = Device(502, host=peers["connected"].address, make_socket=peers["connected"].socket)
        connections = {kind: reach(hub, peers[kind], kind) for kind in BEFORE}
        for kind, status in {"connected": "Connected", "dead": "Disconnected", "refused": "Disconnected", "failed": "Failed"}.items():
            hub.wait_status(connections[kind], status, seconds=30)
            wait_for(lambda: any(packet.is_a_word() for packet in taps[kind].packets), what=f"a packet to {kind} while it ran")
        answered = {}
        for kind, connection in connections.items():
            answer = hub.api("POST", f"/connections/{connection['id']}/suspend", {"reason": "silence"})
            answered[kind] = time.monotonic()
            assert answer["state"]["status"] == "Suspended"
        time.sleep(1)  # the two kernels' closing handshake
        for peer in peers.values():
            peer.count()
        time.sleep(SILENCE_S - 1)
        yield {kind: (hub.state(connections[kind])["status"], peers[kind].counted(),
                      [packet for packet in taps[kind].packets if packet.at > answered[kind] and packet.is_a_word()])
               for kind in BEFORE}
    finally:
        hub.close()
        for tap in taps.values():
            tap.stop()
        if device:
            device.cut()
        for peer in peers.values():
            peer.__exit__()


@pytest.mark.parametrize("kind", BEFORE)
def test_suspended_means_silent(silence, kind):
    """After "suspended" was answered nothing is said to the target, though timers were armed before."""
    status, packets, words = silence[kind]
    assert status == "Suspended"
    within(f"G15 suspended, before {kind}: packets in {SILENCE_S} s", packets, 0)
    assert words == [], "not a word after the answer"
