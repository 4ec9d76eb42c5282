"""SMTP with a real hub and aiosmtpd: a record becomes a mail, durably, and what is not allowed is refused."""

import email
import email.policy
import json
from pathlib import Path

import pytest
from hub import SOURCE, Hub, Process, free_port, wait_for
from test_faults import FAST

PYTHON = "/usr/bin/python3"  # it has Debian's modules


class Sink(Process):
    def __init__(self, folder, port=None):
        self.port = port or free_port()
        self.folder = Path(folder)
        self.folder.mkdir(exist_ok=True)
        super().__init__([PYTHON, str(SOURCE / "tests/support/smtp_sink.py"), str(self.port), str(self.folder), "--user", "hub", "--password",
                          "secret-1234"])
        self.wait_line("ready", 60)

    @property
    def mails(self):
        """(envelope, message) of each mail, in order."""
        read = []
        for path in sorted(self.folder.glob("*.eml"), key=lambda each: int(each.stem)):
            envelope, text = path.read_bytes().split(b"\n", 1)
            read.append((json.loads(envelope), email.message_from_bytes(text, policy=email.policy.default)))
        return read


@pytest.fixture
def sink(tmp_path):
    made = Sink(tmp_path / "mails")
    yield made
    made.stop()


@pytest.fixture
def allowed(tmp_path, sink):
    started = Hub(tmp_path / "data", extra=["--allow-egress", f"127.0.0.1:{sink.port}"]).start()
    yield started
    started.close()


def mail_server(hub, sink, password="secret-1234"):
    settings = {"host": "127.0.0.1", "port": sink.port, "security": "none", "from": "hub@plant.example", "username": "hub"}
    return hub.connection("Mail", "smtp", settings, secrets={"password": password}, reconnect=FAST)


MAIL = {"to": ["Vardiya <shift@plant.example>"], "subject": "Filler: ((alarm))", "text": "((alarm)) at ((speed))", "html": "<b>((alarm))</b>"}


def test_a_mail_is_sent_and_says_what_it_should(allowed, sink):
    connection = mail_server(allowed, sink)
    allowed.wait_status(connection, "Connected")
    send = allowed.function(connection, "Alarm", "smtp.send", MAIL)
    answer = allowed.execute(send, {"alarm": "çok <sıcak>", "speed": 0})
    assert answer["success"], answer
    envelope, mail = sink.mails[0]
    assert envelope["to"] == ["shift@plant.example"] and envelope["login"]
    assert mail["subject"] == "Filler: çok <sıcak>"
    assert mail.get_body(("plain",)).get_content() == "çok <sıcak> at 0"
    assert mail.get_body(("html",)).get_content() == "<b>çok &lt;sıcak&gt;</b>"
    assert answer["data"]["records"][0]["messageId"] == mail["message-id"]
    evil = allowed.function(connection, "Evil", "smtp.send", {**MAIL, "to": ["((to))"]})
    refused = allowed.request("POST", f"/api/v1/functions/{evil['id']}/execute",
                              {"parameters": {"to": "a@b.example>\r\nRCPT TO:<c@d.example", "alarm": "x", "speed": 1}}).json
    assert refused["error"]["code"] == "invalid_address", refused
    assert len(sink.mails) == 1


def test_a_wrong_password_ends_in_failed_and_is_shown_nowhere(allowed, sink):
    connection = mail_server(allowed, sink, password="wrong-9876")
    state = allowed.wait_status(connection, "Failed", seconds=100)
    assert state["cause"]["class"] == "Identity", state
    assert "wrong-9876" not in json.dumps(allowed.events(connection)) + "\n".join(allowed.output)


def test_h1_without_the_administrators_word_this_machine_gets_no_mail(hub, sink):
    state = hub.wait_status(mail_server(hub, sink), "Failed")
    assert state["cause"]["code"] == "egress_refused", state


def test_a_server_that_comes_back_gets_the_next_mail(allowed, sink, tmp_path):
    connection = mail_server(allowed, sink)
    allowed.wait_status(connection, "Connected")
    send = allowed.function(connection, "Alarm", "smtp.send", MAIL)
    sink.stop()
    failed = allowed.request("POST", f"/api/v1/functions/{send['id']}/execute", {"parameters": {"alarm": "a", "speed": 1}}).json
    assert not failed["success"], failed
    allowed.wait_status(connection, "Disconnected", "Reconnecting")
    again = Sink(tmp_path / "more", sink.port)
    try:
        allowed.wait_status(connection, "Connected", seconds=30)
        assert allowed.execute(send, {"alarm": "b", "speed": 2})["success"]
        wait_for(lambda: len(again.mails) == 1, what="the mail")
    finally:
        again.stop()
