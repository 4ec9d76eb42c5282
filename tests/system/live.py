"""Data as a viewer gets it: a thread of its own listens to the live events of functions."""

import asyncio
import json
import threading
import time

import websockets


class Live:
    """Collects what arrives for the given functions, with the monotonic time of arrival."""

    def __init__(self, hub, functions):
        self._lock = threading.Lock()
        self._seen = {function["id"]: [] for function in functions}
        self._uri = f"ws://127.0.0.1:{hub.port}/api/v1/stream"
        self._token = hub.token
        self._over = False
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._listen()), daemon=True)
        self._thread.start()
        assert self._ready.wait(10), "the live events did not open"

    async def _listen(self):
        ids = list(self._seen)
        async with websockets.connect(self._uri, extra_headers={"Authorization": f"Bearer {self._token}"}, max_size=None) as stream:
            for number, function in enumerate(ids):
                await stream.send(json.dumps({"subscribe": number + 1, "topic": "values", "functionId": function}))
            self._ready.set()
            while not self._over:
                try:
                    message = json.loads(await asyncio.wait_for(stream.recv(), 0.2))
                except asyncio.TimeoutError:
                    continue
                now = time.monotonic()
                data = message.get("data") or {}
                if isinstance(data, list):
                    data = {"samples": data}
                with self._lock:
                    for item in data.get("samples", []) + data.get("records", []):
                        self._seen[ids[message["id"] - 1]].append((now, item))

    def since(self, function, moment):
        with self._lock:
            return [(at, item) for at, item in self._seen[function["id"]] if at >= moment]

    def forget(self, function):
        with self._lock:
            self._seen[function["id"]].clear()

    def close(self):
        self._over = True
        self._thread.join(5)


def good_value(item):
    """What a good sample, or a message of a broker, says; none for a bad one."""
    if "quality" in item:
        return item["value"] if item["quality"] == "good" else None
    return item.get("payload")
