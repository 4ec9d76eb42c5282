"""docs/guide/pipelines.md, as a newcomer goes through it: the requests and the document are taken from the page itself."""

import json
import re

from hub import SOURCE, Hub, Plant, Process, free_port, wait_for
from postgres import Postgres

GUIDE = (SOURCE / "docs/guide/pipelines.md").read_text()


def code(language):
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.S)


def request(beginning):
    """The body of the request of the page that begins so."""
    for block in code("json"):
        for part in block.split("POST ")[1:]:
            path, _, body = part.partition("\n")
            if path.startswith(beginning):
                yield json.loads(body)


def test_the_guide_leads_to_rows_and_a_mail(tmp_path):
    plant = Plant()
    mail_port = free_port()
    mails = tmp_path / "mails"
    mails.mkdir()
    sink = Process(["/usr/bin/python3", str(SOURCE / "tests/support/smtp_sink.py"), str(mail_port), str(mails)])
    hub = Hub(tmp_path / "data", extra=["--allow-egress", f"127.0.0.1:{mail_port}"])
    try:
        sink.wait_line("ready", 60)
        hub.start()
        data = str(hub.data_dir)
        hub.cli("apply", "--data-dir", data, "--set", f"port={plant.port}", str(SOURCE / "demo/plant.yaml"))
        with Postgres() as database:
            table = next(line for line in code("sql")[0].splitlines() if line.startswith("create table"))
            database.sql(table)
            database.sql(f"alter table filler owner to {database.user}")
            (line,) = [c for c in hub.api("GET", "/connections")["items"] if c["name"] == "Bottling line"]
            read, temperature = request("/api/v1/connections/<id of Bottling line>/functions")
            for function in (read, temperature):
                made = hub.api("POST", f"/connections/{line['id']}/functions", function)
            settings = {"databasePort": database.port, "database": database.database, "databaseUser": database.user,
                        "databasePassword": database.password, "mailPort": mail_port}
            words = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
            document = str(SOURCE / re.search(r"tributary apply .* (demo/\S+)", GUIDE).group(1))
            assert "History" in hub.cli("plan", "--data-dir", data, *words, document).stdout
            hub.cli("apply", "--data-dir", data, *words, document)
            wait_for(lambda: int(database.sql("select count(*) from filler")) >= 3, 30, what="rows")
            assert database.rows("select count(*) from filler where speed is null or celsius is null") == [["0"]]
            (order,) = request("/api/v1/functions/<its id>/execute")
            assert hub.execute(made, order["parameters"])["success"]
            wait_for(lambda: list(mails.glob("*.eml")), 120, every=0.5, what="the mail")
            text = next(mails.glob("*.eml")).read_text()
            assert "Filler: alarm word" in text and "shift@plant.example" in text
            # The database goes and comes back: nothing is missing, and what came late says so.
            before = int(database.sql("select count(*) from filler"))
            database.stop()
            (history,) = [p for p in hub.api("GET", "/pipelines")["items"] if p["name"] == "Filler to history"]

            def waiting():
                nodes = hub.api("GET", f"/pipelines/{history['id']}")["state"]["nodes"]
                return next(n["delivery"] for n in nodes if n["nodeId"] == "store")["waiting"]
            wait_for(lambda: waiting() >= 3, 30, what="records that wait")
            database.start()
            wait_for(lambda: waiting() == 0, 60, what="an empty queue")
            gaps = database.sql("select max(gap) from (select extract(epoch from time - lag(time) over (order by time)) gap from filler) x")
            assert float(gaps) < 3, f"a hole of {gaps} s"
            assert int(database.sql("select count(*) from filler")) >= before + 3
    finally:
        hub.close()
        sink.stop()
        plant.stop()
