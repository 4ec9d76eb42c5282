#!/usr/bin/env python3
"""Memory, threads and CPU of a real hub: idle with the web interface served, then with many Modbus connections polling, then (another
hub) with as many S7 connections.

Usage: footprint.py [--connections 1000] [--seconds 30]     TRIBUTARY_BIN names the release binary.
Prints one line a measurement. Everything runs on loopback and ends by itself.
"""
import argparse
import contextlib
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "system"))
from hub import BINARY, Hub, Plant, Process, wait_for  # noqa: E402

CLIENTS_OF_A_CPU = 60  # as many as a simulated CPU takes, and some to spare


def figures(pid):
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return {"rss_mib": int(status["VmRSS"].split()[0]) / 1024, "threads": int(status["Threads"]), "cpu": cpu}


def measure(hub, name, count, settings, function, seconds):
    """Adds so many connections with a function each to an idle hub, lets them run, and prints what they cost."""
    idle = figures(hub.process.pid)
    for i in range(count):
        made = hub.connection(f"{name} {i}", function[0].partition(".")[0], settings(i))
        hub.function(made, "scan", *function)

    def all_connected():
        return hub.api("GET", "/health/connections")["totals"].get("Connected", 0) == count
    wait_for(all_connected, 60 + count / 10, every=1, what="every connection's start")
    time.sleep(5)
    before = figures(hub.process.pid)
    time.sleep(seconds)
    after = figures(hub.process.pid)
    share = (after["cpu"] - before["cpu"]) / seconds
    print(f"{count} {name} connections, 10 values each a second: {after['rss_mib']:.1f} MiB, {after['threads']} threads "
          f"({after['threads'] - idle['threads']} more than idle), {100 * share:.1f} % of one core, "
          f"{1024 * (after['rss_mib'] - idle['rss_mib']) / count:.1f} KiB a connection", flush=True)


@contextlib.contextmanager
def idle_hub():
    with tempfile.TemporaryDirectory() as folder:
        hub = Hub(Path(folder) / "data").start()
        try:
            for path in ("/", "/index.html", "/favicon.svg"):
                hub.request("GET", path, token=None)
            time.sleep(5)
            yield hub
        finally:
            hub.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=30)
    options = parser.parse_args()
    scanned = {"intervalMs": 1000, "reportOn": "always"}
    with contextlib.ExitStack() as stack:
        plant = Plant()
        stack.callback(plant.stop)
        with idle_hub() as hub:
            idle = figures(hub.process.pid)
            print(f"idle, web interface served: {idle['rss_mib']:.1f} MiB, {idle['threads']} threads")
            points = [{"name": f"r{i}", "area": "holdingRegisters", "address": i, "dataType": "uint16"} for i in range(10)]
            measure(hub, "Modbus", options.connections, lambda _: {"transport": "tcp", "host": "127.0.0.1", "port": plant.port},
                    ("modbus.subscribe", {"points": points, **scanned}), options.seconds)
        ports = []
        for _ in range(-(-options.connections // CLIENTS_OF_A_CPU)):
            cpu = Process([BINARY, "simulate", "plant", "--s7-port", "0"])
            stack.callback(cpu.stop)
            ports.append(int(cpu.wait_line(r"S7 CPU at 127\.0\.0\.1:(\d+)").group(1)))
        with idle_hub() as hub:
            points = [{"name": f"w{i}", "address": f"DB1.DBW{2 * i}"} for i in range(10)]
            measure(hub, "S7", options.connections, lambda i: {"host": "127.0.0.1", "port": ports[i % len(ports)]},
                    ("s7.subscribe", {"points": points, **scanned}), options.seconds)


if __name__ == "__main__":
    main()
