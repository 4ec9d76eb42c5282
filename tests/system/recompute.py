"""The history of a connection computed a second time, from raw rows and by the words of the lifecycle page (§6) alone, without
a look at what the hub computes. Where the two differ, one of them is wrong.

Everything is an integer of microseconds of UTC, so that sums are exact.
"""

import sqlite3
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

STATUSES = ("Idle", "Connecting", "Connected", "Disconnected", "Reconnecting", "Failed", "Suspended", "Unknown")
EXCLUDED = ("Idle", "Suspended", "Unknown")  # neither up nor down
RECOVERED_AFTER = 30_000_000
PLANNED = "maintenance"
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def micros(text):
    """"2026-11-22T10:00:00.123456Z" as microseconds."""
    return (datetime.fromisoformat(text.replace("Z", "+00:00")) - EPOCH) // timedelta(microseconds=1)


@dataclass
class Row:
    seq: int
    source: str  # "" on the first
    to: str
    note: str
    at: int
    monotonic: int  # microseconds of the run that `boot` names; 0: nothing is known of that clock
    boot: str


@dataclass
class Numbers:
    start: int
    end: int
    timeline: list = field(default_factory=list)  # [(from, to, status)], neighbours differ
    durations: dict = field(default_factory=dict)
    uptime: float | None = None
    failures: int = 0
    mean_recovery: float | None = None
    longest_outage: float | None = None
    between_failures: float | None = None
    begins_in_outage: bool = False


def read_store(data_dir):
    """{connection id: [Row]} of a hub that is not running."""
    database = sqlite3.connect(f"file:{Path(data_dir) / 'tributary.db'}?mode=ro", uri=True)
    try:
        histories = {}
        for row in database.execute("select connection_id, seq, from_status, to_status, note, at, monotonic_ns, boot_id "
                                    "from history order by connection_id, seq"):
            histories.setdefault(row[0], []).append(Row(*row[1:6], row[6] // 1000, row[7]))
        return histories
    finally:
        database.close()


def check_integrity(database_path):
    """What SQLite itself says about the file: [] when it is sound."""
    database = sqlite3.connect(f"file:{database_path}?mode=ro", uri=True)
    try:
        return [line for (line,) in database.execute("pragma integrity_check") if line != "ok"]
    finally:
        database.close()


def check_rows(rows):
    """Dense numbers, no gap between states (lifecycle §3, 5)."""
    for earlier, later in zip(rows, rows[1:]):
        assert later.seq == earlier.seq + 1, f"{earlier} then {later}"
        assert later.source == earlier.to, f"{earlier} then {later}"


def instants(rows):
    """When each row took effect on one axis of UTC. Inside one run of the hub the monotonic clock tells the distance; between
    runs UTC does, and never runs backwards. The row that closes a run (to Unknown) belongs to that run's clock."""
    times = []
    anchor = None  # (instant, monotonic, boot) of the first row of the present run
    for row in rows:
        floor = times[-1] if times else row.at
        if row.monotonic == 0:
            times.append(max(floor, row.at))
            continue
        if anchor is None or anchor[2] != row.boot:
            anchor = (max(floor, row.at), row.monotonic, row.boot)
        times.append(max(floor, anchor[0] + row.monotonic - anchor[1]))
    return times


def is_loss(row):
    return row.source == "Connected" and row.to in ("Disconnected", "Failed")


def is_failure(row):
    return (is_loss(row) or row.to == "Failed") and not row.note.startswith(PLANNED)


def stretches(rows, times, start, end):
    """[(from, to, status, row that began it)] that fill the window without a hole."""
    found = [(start, times[0] if times else end, "Unknown", None)]
    for index, row in enumerate(rows):
        found.append((times[index], times[index + 1] if index + 1 < len(rows) else end, row.to, row))
    clipped = [(min(max(a, start), end), min(max(b, start), end), status, row) for a, b, status, row in found]
    return [stretch for stretch in clipped if stretch[0] < stretch[1]]


def outages(parts, end):
    """(lengths of recovered outages, of all outages, whether one is open at the end). What a person ended or nobody knows about
    is no recovery."""
    recovered, every, lost = [], [], None
    for begin, until, status, row in parts:
        if lost is None and row is not None and is_loss(row):
            lost = begin
        if lost is None:
            continue
        held = status == "Connected" and until - begin >= RECOVERED_AFTER
        if held:
            recovered.append(begin - lost)
        if held or status in EXCLUDED:
            every.append(begin - lost)
            lost = None
    if lost is not None:
        every.append(end - lost)
    return recovered, every, lost is not None


def compute(rows, start, end):
    times = instants(rows)
    parts = stretches(rows, times, start, end)
    numbers = Numbers(start, end, durations=dict.fromkeys(STATUSES, 0))
    for begin, until, status, _ in parts:
        numbers.durations[status] += until - begin
        if numbers.timeline and numbers.timeline[-1][2] == status:
            numbers.timeline[-1] = (numbers.timeline[-1][0], until, status)
        else:
            numbers.timeline.append((begin, until, status))
    counted = (end - start) - sum(numbers.durations[status] for status in EXCLUDED)
    if counted > 0:
        numbers.uptime = 100 * numbers.durations["Connected"] / counted
    numbers.failures = sum(start <= time < end and is_failure(row) for row, time in zip(rows, times))
    recovered, every, _ = outages(parts, end)
    if times and times[0] < start:
        numbers.begins_in_outage = outages(stretches(rows, times, times[0], start), start)[2]
    if recovered:
        numbers.mean_recovery = sum(recovered) / len(recovered) / 1e6
    if every:
        numbers.longest_outage = max(every) / 1e6
    if numbers.failures:
        numbers.between_failures = numbers.durations["Connected"] / 1e6 / numbers.failures
    return numbers


def disagreements(one, other):
    """[(from, to, status of one, status of other)] where two timelines of the same window name different statuses."""
    found, i, j = [], 0, 0
    while i < len(one) and j < len(other):
        begin, until = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if begin < until and one[i][2] != other[j][2]:
            found.append((begin, until, one[i][2], other[j][2]))
        i, j = (i + 1, j) if one[i][1] <= other[j][1] else (i, j + 1)
    return found


def differences(health, rows, tolerance_us=1000):
    """Where an answer of GET /connections/{id}/health and the rows disagree by more than a millisecond: [] when nowhere."""
    start, end = micros(health["from"]), micros(health["to"])
    mine = compute(rows, start, end)
    found = []

    def compare(what, theirs, ours, tolerance):
        same = theirs is ours is None or (theirs is not None and ours is not None and abs(theirs - ours) <= tolerance)
        if not same:
            found.append(f"{what}: the hub says {theirs}, the rows say {ours}")

    total = sum(round(seconds * 1e6) for seconds in health["durations"].values())
    compare("sum of the durations", total, end - start, tolerance_us)
    for status in STATUSES:
        compare(f"seconds {status}", health["durations"][status], mine.durations[status] / 1e6, tolerance_us / 1e6)
    theirs = [(micros(s["from"]), micros(s["to"]), s["status"]) for s in health["timeline"]]
    for earlier, later in zip(theirs, theirs[1:]):
        compare("hole in the timeline", later[0], earlier[1], 0)
    for begin, until, their_status, our_status in disagreements(theirs, mine.timeline):
        # The hub writes whole milliseconds: an edge is cut by up to one, and may be off by another.
        if until - begin > 2 * tolerance_us:
            found.append(f"from {begin} to {until}: the hub says {their_status}, the rows say {our_status}")
    # A percentage is as exact as the seconds it is made of.
    counted = max(1, (end - start) - sum(mine.durations[status] for status in EXCLUDED))
    # Percentages come with three places.
    compare("uptime %", health["uptimePercent"], mine.uptime, 200 * tolerance_us / counted + 0.001)
    compare("failures", health["failureCount"], mine.failures, 0)
    # An outage that began before the window may be given with its whole length or with its part inside: the page does not say.
    if not mine.begins_in_outage:
        compare("mean recovery", health["meanRecoverySeconds"], mine.mean_recovery, tolerance_us / 1e6)
        compare("longest outage", health["longestOutageSeconds"], mine.longest_outage, tolerance_us / 1e6)
    compare("time between failures", health["meanTimeBetweenFailuresSeconds"], mine.between_failures, tolerance_us / 1e6)
    return found


def newest_row(hub, connection):
    """The number of the newest row that the hub tells of."""
    newest, cursor = 0, ""
    while cursor is not None:
        page = hub.api("GET", f"/connections/{connection['id']}/events?limit=1000&cursor={cursor}")
        newest = page["items"][-1]["seq"] if page["items"] else newest
        cursor = page["next"]
    return newest


def answers_of(hub, connections, windows=(None,)):
    """Health answers to be compared later with the rows of the stopped hub: [(connection, answer, newest row)]. Rows that come
    behind an answer are none of its business, although a clock that was set may put them inside its window."""
    found = []
    for connection in connections:
        for window in windows:
            query = "" if window is None else f"?from={window[0]}&to={window[1]}"
            for _ in range(100):
                newest = newest_row(hub, connection)
                answer = hub.api("GET", f"/connections/{connection['id']}/health{query}")
                if newest_row(hub, connection) == newest:
                    break
            else:
                raise AssertionError(f"{connection['name']} changes faster than it can be asked")
            found.append((connection, answer, newest))
    return found


def check_answers(data_dir, answers):
    """Every answer equals what the rows of the stopped hub say, to the millisecond; the number of answers compared."""
    assert check_integrity(Path(data_dir) / "tributary.db") == []
    histories = read_store(data_dir)
    for connection, health, newest in answers:
        rows = histories[connection["id"]]
        check_rows(rows)
        rows = [row for row in rows if row.seq <= newest]
        found = differences(health, rows)
        assert not found, connection["name"] + "\n" + "\n".join(found) + "\n" + "\n".join(map(str, rows[-40:]))
    return len(answers)
