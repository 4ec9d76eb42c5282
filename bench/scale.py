#!/usr/bin/env python3
"""What many connections cost: a document with thousands of them and ten points each is applied to an empty hub, applied again, planned,
exported; its lists are read page by page; the hub is started again with all of it.

Usage: scale.py [--connections 10000] [--points 10] [--running] [--folder DIR]     TRIBUTARY_BIN names the release binary.
--running: they are started, too; their devices are the simulated plant, which gives as many as its sockets allow. --folder: where the
hub's data lies, because what a commit costs is the disk's (a temporary folder otherwise). Prints one line a measurement; CPU and memory
are those of the hub's process, and of the command's where it says so. Everything runs on loopback and ends by itself.
"""
import argparse
import contextlib
import http.client
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "system"))
from hub import BINARY, Hub, Plant, wait_for  # noqa: E402

from footprint import figures  # noqa: E402

LIMIT = 1800  # seconds a command may take


def write_document(path, connections, points, port, running):
    """YAML as a person or a generator writes it, a line a point."""
    with path.open("w") as out:
        out.write("connections:\n")
        for i in range(connections):
            out.write(f"  - name: Pump {i:05}\n    type: modbus\n    labels: {{site: s{i % 20}, line: \"{i % 100}\"}}\n"
                      f"    autostart: {str(running).lower()}\n    settings: {{host: 127.0.0.1, port: {port}}}\n    functions:\n"
                      f"      - name: Values\n        type: modbus.subscribe\n        settings:\n          intervalMs: 10000\n          points:\n")
            for p in range(points):
                out.write(f"            - {{name: value{p}, area: holdingRegisters, address: {p}, dataType: uint16}}\n")


def shown(seconds, hub, before, command=None):
    after = figures(hub.process.pid)
    text = f"{seconds:.1f} s, hub {after['cpu'] - before['cpu']:.1f} s of CPU and {after['rss_mib']:.0f} MiB"
    return text + (f", command {command[0]:.1f} s of CPU" if command else "")


def run(hub, name, *words):
    """The command, timed; its last line is shown."""
    before, began, own = figures(hub.process.pid), time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([BINARY, *words], capture_output=True, text=True, timeout=LIMIT)
    seconds = time.monotonic() - began
    if done.returncode != 0:
        raise SystemExit(f"{name}: exit {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = now.ru_utime + now.ru_stime - own.ru_utime - own.ru_stime
    print(f"{name}: {shown(seconds, hub, before, [cpu])}. {done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ''}", flush=True)


def get(connection, hub, path):
    """The answer, and the milliseconds until all of it was here."""
    began = time.monotonic()
    connection.request("GET", "/api/v1" + path, headers={"Authorization": f"Bearer {hub.token}"})
    answer = connection.getresponse()
    body = answer.read()
    took = 1000 * (time.monotonic() - began)
    if answer.status != 200:
        raise SystemExit(f"GET {path}: {answer.status} {body[:500]}")
    return json.loads(body), took


def pages(connection, hub, path, limit):
    """How many milliseconds each page of a list takes, until the end."""
    times, cursor = [], ""
    while cursor is not None:
        answer, took = get(connection, hub, f"{path}{'&' if '?' in path else '?'}limit={limit}{'&cursor=' + cursor if cursor else ''}")
        times.append(took)
        cursor = answer["next"]
    return sorted(times)


def read_lists(hub):
    connection = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=LIMIT)
    for path, limit in (("/connections", 100), ("/connections", 1000), ("/connections?name=99", 100), ("/functions", 100),
                        ("/functions", 1000)):
        times = pages(connection, hub, path, limit)
        print(f"GET {path}, {limit} a page: p50 {times[len(times) // 2]:.0f} ms, longest of {len(times)} {times[-1]:.0f} ms", flush=True)
    for path in ("/health/connections?limit=100", "/alarms", "/system"):
        print(f"GET {path}: {get(connection, hub, path)[1]:.0f} ms", flush=True)
    connection.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--points", type=int, default=10)
    parser.add_argument("--running", action="store_true")
    parser.add_argument("--folder")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=options.folder)))
        plant = Plant()
        stack.callback(plant.stop)
        hub = Hub(folder / "data").start()
        stack.callback(hub.close)
        document = folder / "many.yaml"
        write_document(document, options.connections, options.points, plant.port, options.running)
        print(f"{options.connections} connections, {options.connections * options.points} points; the document has "
              f"{document.stat().st_size / 1e6:.1f} MB", flush=True)
        where = ("--data-dir", str(hub.data_dir))
        run(hub, "plan, nothing there", "plan", *where, str(document))
        run(hub, "apply", "apply", *where, str(document))
        run(hub, "apply, again", "apply", *where, str(document))
        run(hub, "plan, all there", "plan", *where, str(document))
        run(hub, "export", "export", *where, str(folder / "out.yaml"))
        read_lists(hub)
        code, seconds = hub.stop(60)
        print(f"stop: {seconds:.1f} s (exit code {code})", flush=True)
        began = time.monotonic()
        hub.spawn()
        wait_for(hub.ready, 600, every=0.05, what="the hub's readiness")
        print(f"start: {shown(time.monotonic() - began, hub, {'cpu': 0})}", flush=True)


if __name__ == "__main__":
    main()
