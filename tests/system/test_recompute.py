"""The second computation of history against histories whose numbers are known by hand, and against hubs that lie."""

import copy
from datetime import timedelta

import pytest
import recompute
from recompute import Row

SECOND = 1_000_000
T0 = 1_800_000_000 * SECOND


def row(seq, source, to, second, monotonic=None, boot="a", note=""):
    """`second` on the wall clock; the monotonic clock agrees unless given."""
    ticks = second if monotonic is None else monotonic
    return Row(seq, source, to, note, T0 + second * SECOND, 1 + ticks * SECOND, boot)


def life():
    """Created, up for 100 s, lost for 10, up for 40, lost for 5, up for 10 (not yet recovered), lost for 3, suspended."""
    return [row(1, "", "Idle", 0), row(2, "Idle", "Connecting", 1), row(3, "Connecting", "Connected", 2),
            row(4, "Connected", "Disconnected", 102), row(5, "Disconnected", "Reconnecting", 110), row(6, "Reconnecting", "Connected", 112),
            row(7, "Connected", "Disconnected", 152), row(8, "Disconnected", "Reconnecting", 155), row(9, "Reconnecting", "Connected", 157),
            row(10, "Connected", "Disconnected", 167), row(11, "Disconnected", "Suspended", 170)]


def numbers(rows, start=0, end=200):
    return recompute.compute(rows, T0 + start * SECOND, T0 + end * SECOND)


def test_a_life_by_hand():
    mine = numbers(life())
    seconds = {status: value / SECOND for status, value in mine.durations.items() if value}
    assert seconds == {"Idle": 1, "Connecting": 1, "Connected": 150, "Disconnected": 14, "Reconnecting": 4, "Suspended": 30}
    assert mine.uptime == pytest.approx(100 * 150 / 169)
    assert mine.failures == 3
    assert mine.mean_recovery == 10, "the second outage is one with the third: ten seconds are no recovery"
    assert mine.longest_outage == 18
    assert mine.between_failures == 50


def test_the_time_before_the_first_row_is_unknown():
    mine = numbers(life(), start=-50, end=50)
    assert mine.durations["Unknown"] == 50 * SECOND
    assert sum(mine.durations.values()) == 100 * SECOND


def test_an_open_outage_is_no_recovery():
    mine = numbers(life(), end=111)
    assert mine.mean_recovery is None and mine.longest_outage == 9 and mine.failures == 1


def test_a_planned_restart_is_no_failure():
    rows = [row(1, "Connecting", "Connected", 0), row(2, "Connected", "Connecting", 10, note="maintenance: restart"),
            row(3, "Connecting", "Connected", 12)]
    assert numbers(rows, end=60).failures == 0


def test_a_step_of_the_wall_clock_changes_no_duration():
    for step in (3600, -3600, 86400):
        rows = [row(1, "", "Idle", 0), row(2, "Idle", "Connected", 10), row(3, "Connected", "Idle", 30 + step, monotonic=30)]
        mine = numbers(rows, end=40)
        assert mine.durations["Connected"] == 20 * SECOND and mine.durations["Idle"] == 20 * SECOND, step


def test_between_two_runs_utc_counts_and_never_backwards():
    rows = [row(1, "", "Connected", 0), row(2, "Connected", "Unknown", 10, monotonic=10), row(3, "Unknown", "Idle", 25, monotonic=3, boot="b")]
    assert numbers(rows, end=30).durations["Unknown"] == 15 * SECOND
    rows[2] = row(3, "Unknown", "Idle", -1000, monotonic=3, boot="b")
    assert numbers(rows, end=30).durations["Unknown"] == 0


def answer(rows, end=200):
    """What an honest hub says."""
    mine = numbers(rows, end=end)
    text = lambda micros: (recompute.EPOCH + timedelta(microseconds=micros)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"from": text(T0), "to": text(T0 + end * SECOND), "durations": {s: v / 1e6 for s, v in mine.durations.items()},
            "timeline": [{"from": text(a), "to": text(b), "status": s} for a, b, s in mine.timeline], "uptimePercent": mine.uptime,
            "failureCount": mine.failures, "meanRecoverySeconds": mine.mean_recovery, "longestOutageSeconds": mine.longest_outage,
            "meanTimeBetweenFailuresSeconds": mine.between_failures}


def test_an_honest_answer_agrees():
    assert recompute.differences(answer(life()), life()) == []


@pytest.mark.parametrize("lie", [
    lambda a: a["durations"].update(Connected=150.002, Idle=0.998),
    lambda a: a["durations"].update(Connected=150.002),
    lambda a: a["timeline"][2].update(to="2027-01-15T08:01:42.004Z"),
    lambda a: a["timeline"][3].update(status="Failed"),
    lambda a: a.update(uptimePercent=88.8),
    lambda a: a.update(failureCount=2),
    lambda a: a.update(meanRecoverySeconds=None),
    lambda a: a.update(longestOutageSeconds=18.1),
    lambda a: a.update(meanTimeBetweenFailuresSeconds=51.0),
])
def test_a_lie_is_found(lie):
    told = copy.deepcopy(answer(life()))
    lie(told)
    assert recompute.differences(told, life()) != []


@pytest.mark.parametrize("spoil", [lambda rows: rows.pop(4), lambda rows: setattr(rows[4], "source", "Failed"),
                                   lambda rows: setattr(rows[4], "seq", 4)])
def test_a_hole_in_the_rows_is_found(spoil):
    rows = life()
    recompute.check_rows(rows)
    spoil(rows)
    with pytest.raises(AssertionError):
        recompute.check_rows(rows)
