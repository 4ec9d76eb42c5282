#!/usr/bin/env python3
"""How long an OPC UA connection of a real hub takes from the moment its link is back until it has good data that was made after that moment, over many
cuts of random length.

Usage: opcua_cuts.py [--cuts 50] [--seed 1]     TRIBUTARY_BIN names the binary.
Prints one line. Everything runs on loopback and ends by itself.
"""
import argparse
import random
import statistics
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "system"))
from hub import Hub, wait_for  # noqa: E402
from live import Live, good_value  # noqa: E402
from relay import Relay  # noqa: E402
from test_opcua import OpcuaPlant, nodes, trust  # noqa: E402

OUTAGE = (0.2, 4.5)
LIMIT = 40.0  # the longest wait of field devices, and ten seconds


def made_after(item, moment):
    return good_value(item) is not None and datetime.fromisoformat(item["sourceTime"].replace("Z", "+00:00")) >= moment


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cuts", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        plant = OpcuaPlant(Path(folder) / "plant")
        link = Relay(plant.port)
        hub = Hub(Path(folder) / "data").start()
        try:
            # A connection counts as stable after half a second, so that every cut is a first loss.
            made = hub.connection("Plant", "opcua", {"endpointUrl": f"opc.tcp://127.0.0.1:{link.port}"}, reconnect={"stableMs": 500})
            trust(hub, made, plant)
            watch = hub.function(made, "watch", "opcua.subscribe", {**nodes("Temperature", "TankLevel"), "publishingIntervalMs": 100})
            live = Live(hub, [watch])
            begin = datetime.now(timezone.utc)
            wait_for(lambda: any(made_after(item, begin) for _, item in live.since(watch, 0)), what="the first values")
            waits = []
            for _ in range(options.cuts):
                link.set_mode("drop")
                link.reset()
                time.sleep(chance.uniform(*OUTAGE))
                live.forget(watch)
                link.set_mode("good")
                back, moment = time.monotonic(), datetime.now(timezone.utc)

                def recovered():
                    return next((at for at, item in live.since(watch, back) if made_after(item, moment)), None)
                waits.append(wait_for(recovered, LIMIT, what="good data after a cut") - back)
                time.sleep(1)
            live.close()
            print(f"{len(waits)} cuts of {OUTAGE[0]} to {OUTAGE[1]} s: good data {statistics.median(waits):.2f} s after the link is back (p50), "
                  f"longest {max(waits):.2f} s, all recovered")
        finally:
            hub.close()
            link.close()
            plant.stop()


if __name__ == "__main__":
    main()
