"""Measured numbers of the proofs: printed, and kept as JSON lines in the file that TRIBUTARY_FIGURES names, for the table of
./bench/guarantees.

One line a number: {"figure": "G13 modbus, restart: p50", "value": 1.2, "limit": 3, "atLeast": null, "unit": "s"}. The name begins
with the guarantee or the edge case it belongs to.
"""

import json
import os


def record(figure, value, limit=None, unit="", at_least=None):
    """Notes a number before anything is asserted about it, so that a failing run shows it as well. Answers the value. `limit` is
    the largest value that passes, `at_least` the smallest; without either it is for information."""
    value = round(value, 3) if isinstance(value, float) else value
    line = json.dumps({"figure": figure, "value": value, "limit": limit, "atLeast": at_least, "unit": unit})
    print(line)
    path = os.environ.get("TRIBUTARY_FIGURES")
    if path:
        with open(path, "a", encoding="utf-8") as file:  # one short write: tests that run at once do not mix lines
            file.write(line + "\n")
    return value


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def within(figure, value, limit, unit=""):
    """Records the number and holds it against its limit."""
    record(figure, value, limit, unit)
    assert value <= limit, f"{figure}: {value} is above {limit}"
    return value
