"""Trust, credentials and client ids, with real hubs and real brokers: edge cases 9, 16 and 17."""

import re
import subprocess
import time

import pytest
from hub import Hub, Mosquitto, wait_for


class Authority:
    """A CA of the test's own, made with openssl."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650",
                 "-subj", "/CN=Plant CA", "-keyout", "ca.key", "-out", "ca.pem")
        (folder / "index.txt").touch()
        (folder / "ca.cnf").write_text(
            "[ca]\ndefault_ca=own\n[own]\ndatabase=index.txt\nnew_certs_dir=.\nrand_serial=yes\ndefault_md=sha256\n"
            "policy=any\nunique_subject=no\ncopy_extensions=copy\n[any]\ncommonName=supplied\n")

    def run(self, *arguments):
        done = subprocess.run(["openssl", *arguments], cwd=self.folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    @property
    def pem(self):
        return (self.folder / "ca.pem").read_text()

    def issue(self, name, names="IP:127.0.0.1", days=(-1, 365)):
        """NAME.pem and NAME.key, valid from and to so many days from now."""
        at = lambda day: time.strftime("%y%m%d%H%M%SZ", time.gmtime(time.time() + day * 86400))
        self.run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                 "-addext", f"subjectAltName={names}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        self.run("ca", "-batch", "-notext", "-config", "ca.cnf", "-keyfile", "ca.key", "-cert", "ca.pem", "-in", f"{name}.csr",
                 "-out", f"{name}.pem", "-startdate", at(days[0]), "-enddate", at(days[1]))
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path / "ca")


class TlsBroker:
    """mosquitto behind a certificate that can be swapped; it takes the new one when it starts again."""

    def __init__(self, folder, authority, certificate, key, lines=("allow_anonymous true",)):
        self.folder, self.authority, self.lines, self.port = folder, authority, lines, None
        self.start(certificate, key)

    def start(self, certificate, key):
        self.process = Mosquitto(self.folder, self.port, [*self.lines, f"cafile {self.authority.folder / 'ca.pem'}",
                                                          f"certfile {certificate}", f"keyfile {key}", "log_type all"])
        self.port = self.process.port

    def restart(self, certificate, key):
        self.process.stop()
        self.start(certificate, key)

    def connects(self):
        return sum("New client connected" in line for line in self.process.output)

    def stop(self):
        self.process.stop()


@pytest.fixture
def tls_broker(tmp_path, authority):
    made = TlsBroker(tmp_path, authority, *authority.issue("good"))
    yield made
    made.stop()


def secure(broker, **tls):
    return {"host": "127.0.0.1", "port": broker.port, "tls": {"enabled": True, **tls}}


def alarms(hub, kind):
    """The log's lines about alarms of this kind."""
    return [line for line in list(hub.output) if f'"alarm":"{kind}"' in line.replace(" ", "")]


def test_tls_stage_is_part_of_the_diagnosis(hub, authority, tls_broker):
    body = {"name": "Broker", "type": "mqtt", "settings": secure(tls_broker, ca=authority.pem)}
    good = hub.api("POST", "/connections/test", body)
    assert good["success"], good
    assert [stage["stage"] for stage in good["stages"]] == ["resolve", "tcp", "tls", "protocol", "login", "firstRead"]
    bad = hub.api("POST", "/connections/test", {**body, "settings": secure(tls_broker, ca=authority.pem, serverName="other.plant")})
    assert not bad["success"]
    assert bad["stages"][-1]["stage"] == "tls"
    assert bad["stages"][-1]["error"]["code"] == "untrusted_certificate"
    assert bad["stages"][-1]["error"]["pointer"] == "/settings/tls/serverName"


def test_a_rejected_certificate_is_trusted_by_a_person_and_forgotten_again(hub, authority, tls_broker, tmp_path):
    other = Authority(tmp_path / "other")
    connection = hub.connection("Broker", "mqtt", secure(tls_broker, ca=other.pem))
    state = hub.wait_status(connection, "Failed")
    assert (state["cause"]["class"], state["cause"]["code"]) == ("Trust", "certificate_untrusted")
    assert "Plant CA" in state["cause"]["message"]
    assert tls_broker.connects() == 0
    rejected, = hub.api("GET", "/certificates?state=rejected")["items"]
    assert rejected["subject"] == "CN=good"
    assert rejected["issuer"] == "CN=Plant CA"
    assert rejected["names"] == ["127.0.0.1"]
    assert 363 <= rejected["daysLeft"] <= 365
    assert re.fullmatch("([0-9A-F]{2}:){31}[0-9A-F]{2}", rejected["sha256"])
    assert rejected["usedBy"] == [{"connectionId": connection["id"], "connectionName": "Broker", "role": "server"}]

    dry = hub.api("POST", f"/certificates/{rejected['id']}/trust?dryRun=true")
    assert dry["state"] == "rejected"
    trusted = hub.api("POST", f"/certificates/{rejected['id']}/trust")
    assert trusted["state"] == "trusted" and trusted["decision"]["by"] == "token:test"
    hub.wait_status(connection, "Connected")
    assert hub.api("GET", "/certificates?state=rejected")["items"] == []
    row = next(row for row in hub.api("GET", "/audit")["items"] if row["action"] == "certificate.trust")
    assert row["actor"] == "token:test" and row["detail"]["sha256"] == rejected["sha256"]

    hub.api("DELETE", f"/certificates/{rejected['id']}", expect=204)
    assert hub.wait_status(connection, "Failed")["cause"]["class"] == "Trust"
    issuer = next(each for each in hub.api("GET", "/certificates?state=trusted")["items"] if each["subject"] == "CN=Plant CA")
    hub.api("DELETE", f"/certificates/{issuer['id']}", expect=409)
    hub.api("DELETE", "/certificates/0000", expect=404)


def test_a_certificate_is_trusted_in_a_draft_before_anything_is_saved(hub, authority, tls_broker, tmp_path):
    other = Authority(tmp_path / "other")
    body = {"name": "Broker", "type": "mqtt", "settings": secure(tls_broker, ca=other.pem)}
    red = hub.api("POST", "/connections/test", body)
    assert (red["stages"][-1]["stage"], red["stages"][-1]["error"]["code"]) == ("tls", "untrusted_certificate"), red
    certificate = red["certificate"]
    assert (certificate["state"], certificate["subject"], certificate["issuer"]) == ("rejected", "CN=good", "CN=Plant CA")
    assert certificate["reason"]["code"] == "certificate_untrusted"
    assert certificate["usedBy"] == [{"connectionId": None, "connectionName": f"127.0.0.1:{tls_broker.port}", "role": "draft"}]
    assert tls_broker.connects() == 0, "the broker heard of the hub before it was trusted"

    trusted = hub.api("POST", f"/certificates/{certificate['id']}/trust")
    assert trusted["state"] == "trusted" and trusted["decision"]["by"] == "token:test"
    green = hub.api("POST", "/connections/test", body)
    assert green["success"] and green["certificate"] is None, green
    saved = hub.api("POST", "/connections", {**body, "autostart": True}, expect=201)
    hub.wait_status(saved, "Connected")
    row = next(row for row in hub.api("GET", "/audit?action=certificate.trust")["items"])
    assert row["actor"] == "token:test" and row["detail"]["sha256"] == certificate["sha256"]
    assert row["detail"]["usedBy"] == certificate["usedBy"]

    # The decision went with that connection: another draft of the same address is asked about anew.
    again = hub.api("POST", "/connections/test", {**body, "name": "Another"})
    assert again["certificate"]["state"] == "rejected", again


def test_edge_17_certificate_expires_is_refused_and_renewed_without_a_restart_of_the_hub(hub, authority, tls_broker):
    connection = hub.connection("Broker", "mqtt", secure(tls_broker, ca=f"file:{authority.folder / 'ca.pem'}"))
    hub.wait_status(connection, "Connected")
    tls_broker.restart(*authority.issue("soon", days=(-1, 5)))
    hub.wait_status(connection, "Connected", seconds=30)
    alarm, = wait_for(lambda: alarms(hub, "certificate_expiry"), 10, what="an alarm")
    assert "within 7 days" in alarm, alarm
    tls_broker.restart(*authority.issue("expired", days=(-10, -1)))
    state = hub.wait_status(connection, "Failed", seconds=30)
    assert (state["cause"]["class"], state["cause"]["code"]) == ("Trust", "certificate_expired"), state
    assert tls_broker.connects() == 0, "the broker heard of the hub before it was trusted"
    tls_broker.restart(*authority.issue("renewed"))
    hub.api("POST", f"/connections/{connection['id']}/restart")
    hub.wait_status(connection, "Connected")


def test_edge_16_a_rotated_password_is_tried_twice_at_most_and_the_new_one_within_five_seconds(hub, tmp_path):
    passwords, secret = tmp_path / "passwords", tmp_path / "secret"
    set_password = lambda text: subprocess.run(["mosquitto_passwd", "-b", *([] if passwords.exists() else ["-c"]), str(passwords), "hub", text], check=True)
    set_password("first")
    secret.write_text("first\n")
    broker = Mosquitto(tmp_path, lines=["allow_anonymous false", f"password_file {passwords}", "log_type all"])
    refusals = lambda: sum("not authorised" in line for line in broker.output)
    try:
        connection = hub.connection("Broker", "mqtt", {"host": "127.0.0.1", "port": broker.port, "username": "hub"},
                                    secrets={"password": f"file:{secret}"})
        hub.wait_status(connection, "Connected")
        set_password("second")
        port = broker.port
        broker.stop()
        broker = Mosquitto(tmp_path, port, ["allow_anonymous false", f"password_file {passwords}", "log_type all"])
        hub.wait_status(connection, "Failed", seconds=90)
        assert refusals() == 2
        time.sleep(5)
        assert refusals() == 2, "the account would be locked"
        secret.write_text("second\n")
        edited = time.monotonic()
        hub.wait_status(connection, "Connected", seconds=10)
        assert time.monotonic() - edited <= 5
        assert refusals() == 2
    finally:
        broker.stop()


def test_edge_09_two_hubs_with_one_client_id_end_in_failed_with_the_cause(tmp_path):
    broker = Mosquitto(tmp_path, lines=["allow_anonymous true", "log_type all"])
    hubs = [Hub(tmp_path / name).start() for name in ("one", "two")]
    try:
        begin = time.monotonic()
        settings = {"host": "127.0.0.1", "port": broker.port, "clientId": "twin"}
        connections = [each.connection("Broker", "mqtt", settings) for each in hubs]

        def failed():
            states = [each.state(connection) for each, connection in zip(hubs, connections)]
            return next((state for state in states if state["status"] == "Failed"), None)
        state = wait_for(failed, 300, 0.2, what="Failed")
        assert (state["cause"]["class"], state["cause"]["code"]) == ("Takeover", "duplicate_client_id"), state
        connects = sum("New client connected" in line for line in broker.output)
        print(f"Failed after {time.monotonic() - begin:.1f} s and {connects} connects")
        assert connects <= 10
    finally:
        for each in hubs:
            each.close()
        broker.stop()


def test_edge_09_hubs_made_from_one_configuration_have_client_ids_of_their_own(tmp_path):
    broker = Mosquitto(tmp_path, lines=["allow_anonymous true", "log_type all"])
    hubs = [Hub(tmp_path / name).start() for name in ("one", "two")]
    try:
        connections = [each.connection("Broker", "mqtt", {"host": "127.0.0.1", "port": broker.port}) for each in hubs]
        for each, connection in zip(hubs, connections):
            each.wait_status(connection, "Connected")
        ids = {match for line in broker.output for match in re.findall(r"connected from .* as (trib-\S+)", line)}
        assert len(ids) == 2, ids
    finally:
        for each in hubs:
            each.close()
        broker.stop()
