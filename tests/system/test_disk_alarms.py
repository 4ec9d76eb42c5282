"""Edge case 28: room that runs out is told before it is gone, at 80, 90 and 95 percent, of a queue and of the disk; a full disk is told apart
from a broken one; on it administration and its audit still work; and the alarms go when there is room again. The hub's data lie on a file
system of 96 MiB of the test's own."""

import os
import subprocess
import sys
import time
from pathlib import Path

import figures
import pytest
from delivery import Line
from fault_proxy import FaultProxy
from hub import wait_for
from postgres import Postgres

MOUNT = 'mount -t tmpfs -o size=96m,mode=0700 tmpfs "$1" && shift && exec "$@"'
CLEAR_LIMIT = 5.0
QUEUE = 1 << 20
BACKLOG = 4000


def alarms(hub):
    return {alarm["kind"]: alarm for alarm in hub.api("GET", "/alarms?active=true")["items"]}


def wait_alarm(hub, kind, text, severity):
    def raised():
        alarm = alarms(hub).get(kind)
        return alarm if alarm and text in alarm["message"] and alarm["severity"] == severity else None
    return wait_for(raised, 10, every=0.1, what=f"the alarm {kind}: {text}")


def free_bytes(folder):
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize


def fill_to(folder, share):
    """The ballast grows until that share of the file system is used; 1.0: until nothing more fits."""
    with open(folder / "ballast", "ab", buffering=0) as file:
        try:
            while True:
                free, size = free_bytes(folder)
                wanted = int(free - (1 - share) * size) if share < 1 else 1 << 16
                if wanted <= 0:
                    return
                file.write(bytes(min(wanted, 1 << 20)))
        except OSError:
            return


def offer(hub, pipeline, numbers, text="x"):
    records = [{"n": n, "source": text, "k": 0, "sent": time.time()} for n in numbers]
    return hub.request("POST", f"/api/v1/pipelines/{pipeline}/run", {"input": records})


def queue_fills_and_empties(line, proxy, pipeline):
    proxy.order("refuse")
    proxy.order("cut rst")
    filled = 0
    for percent, severity in ((80, "warning"), (90, "warning"), (95, "error")):
        while line.queue(pipeline)["waitingBytes"] < percent / 100 * QUEUE:
            assert offer(line.hub, pipeline, range(filled, filled + 20), "y" * 250).status == 200
            filled += 20
        alarm = wait_alarm(line.hub, "queue_filling", f"{percent} %", severity)
        assert alarm["connectionId"] == line.sink["id"]
    proxy.order("pass")
    line.drain(60)
    wait_for(lambda: "queue_filling" not in alarms(line.hub), CLEAR_LIMIT, what="the end of the alarm")


def disk_fills_and_empties(line, pipeline, folder, letter):
    hub = line.hub
    for share, severity in ((0.8, "warning"), (0.9, "warning"), (0.95, "error")):
        fill_to(folder, share + 0.005)
        wait_alarm(hub, "disk_filling", f"{round(100 * share)} %", severity)
    assert "disk_full" not in alarms(hub)
    answers, number = [], BACKLOG * 10

    def refused():
        nonlocal number
        fill_to(folder, 1.0)
        number += 20
        answers.append(offer(hub, pipeline, range(number, number + 20), "z" * 250))
        return "disk_full" in answers[-1].text
    wait_for(refused, 60, every=0.02, what="a refusal")
    alarm = wait_alarm(hub, "disk_full", "disk is full", "error")
    assert "Free space" in alarm["message"] and "spool_failed" not in alarms(hub)
    # Administration: what is not needed can go, and what was done is written down.
    wait_for(lambda: hub.request("DELETE", f"/api/v1/pipelines/{pipeline}/deadletters/{letter}").status in (200, 204), 10, every=0.2,
             what="deleting a dead letter on a full disk")
    name = f"renamed {time.time()}"
    change = {"name": name}

    def renamed():
        return hub.request("PATCH", f"/api/v1/connections/{line.sink['id']}", change, headers={"If-Match": "*"}).status == 200
    wait_for(renamed, 10, every=0.2, what="a change on a full disk")
    audit = hub.api("GET", "/audit?limit=200")["items"]
    done = [row["action"] for row in audit if row["detail"].get("result") == "done"]
    assert "connection.update" in done and any("dead" in action for action in done), done
    (folder / "ballast").unlink()
    begin = time.monotonic()
    wait_for(lambda: not {"disk_full", "disk_filling"} & set(alarms(hub)), 20, every=0.05, what="the end of the alarms")
    figures.within("edge 28 alarms of a full disk gone after space came back", time.monotonic() - begin, CLEAR_LIMIT, "s")
    assert offer(hub, pipeline, [number + 1000]).status == 200


def the_proof(folder):
    """Inside the mount namespace."""
    folder = Path(folder)
    with Postgres() as database, FaultProxy(database.port) as proxy:
        line = Line(folder, database, database_port=proxy.port, delivery={"maxBytes": QUEUE})
        pipeline = line.from_hand()
        try:
            line.hub.wait_status(line.sink, "Connected")
            assert alarms(line.hub) == {}, "there is room"
            line.hub.api("POST", f"/pipelines/{pipeline}/run", {"input": {"n": "no number", "source": "dead", "k": 0, "sent": 0}})
            letters = wait_for(lambda: line.hub.api("GET", f"/pipelines/{pipeline}/deadletters")["items"], 10, what="a dead letter")
            queue_fills_and_empties(line, proxy, pipeline)
            disk_fills_and_empties(line, pipeline, folder, letters[0]["id"])
            line.drain(60)
            line.balanced(pipeline)
            history = [alarm["kind"] for alarm in line.hub.api("GET", "/alarms")["items"]]
            # Each swing was one alarm, renewed: not one a mark.
            assert history.count("queue_filling") == history.count("disk_filling") == 1, history
        finally:
            line.close()


def test_edge_28_room_that_runs_out_is_told_before_it_is_gone(tmp_path):
    command = ["unshare", "-m", "--propagation", "private", "sh", "-c", MOUNT, "sh", str(tmp_path)]
    possible = subprocess.run([*command, "true"], capture_output=True, text=True)
    if possible.returncode != 0:
        pytest.skip(f"a file system of its own is not permitted here: {possible.stderr.strip()}")
    done = subprocess.run([*command, sys.executable, os.path.abspath(__file__), str(tmp_path)], capture_output=True, text=True)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr


if __name__ == "__main__":
    the_proof(sys.argv[1])
