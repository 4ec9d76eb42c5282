#!/usr/bin/env python3
"""Memory, threads and CPU of a real hub: idle with the web interface served, then with many Modbus connections polling.

Usage: footprint.py [--connections 1000] [--seconds 30]     TRIBUTARY_BIN names the release binary.
Prints one line a measurement. Everything runs on loopback and ends by itself.
"""
import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "system"))
from hub import Hub, Plant, wait_for  # noqa: E402


def figures(pid):
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return {"rss_mib": int(status["VmRSS"].split()[0]) / 1024, "threads": int(status["Threads"]), "cpu": cpu}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=30)
    options = parser.parse_args()
    plant = Plant()
    with tempfile.TemporaryDirectory() as folder:
        hub = Hub(Path(folder) / "data").start()
        try:
            for path in ("/", "/index.html", "/favicon.svg"):
                hub.request("GET", path, token=None)
            time.sleep(5)
            idle = figures(hub.process.pid)
            print(f"idle, web interface served: {idle['rss_mib']:.1f} MiB, {idle['threads']} threads")
            settings = {"transport": "tcp", "host": "127.0.0.1", "port": plant.port}
            points = [{"name": f"r{i}", "area": "holdingRegisters", "address": i, "dataType": "uint16"} for i in range(10)]
            for i in range(options.connections):
                made = hub.connection(f"c{i}", "modbus", settings)
                hub.function(made, "scan", "modbus.subscribe", {"points": points, "intervalMs": 1000, "reportOn": "always", "deadband": 0})

            def all_connected():
                view = hub.api("GET", "/health/connections")
                return view["totals"].get("Connected", 0) == options.connections
            wait_for(all_connected, 60 + options.connections / 10, every=1, what="every connection's start")
            time.sleep(5)
            before = figures(hub.process.pid)
            time.sleep(options.seconds)
            after = figures(hub.process.pid)
            share = (after["cpu"] - before["cpu"]) / options.seconds
            print(f"{options.connections} connections, 10 registers each a second: {after['rss_mib']:.1f} MiB, {after['threads']} threads "
                  f"({after['threads'] - idle['threads']} more than idle), {100 * share:.1f} % of one core")
        finally:
            hub.close()
            plant.stop()


if __name__ == "__main__":
    main()
