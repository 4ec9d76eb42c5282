"""Debian's PostgreSQL for the system tests: on a free port, with its data in a temporary folder, stopped by process id. It never
runs as root: a test that does gives it the account of the package."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from hub import free_port


def _program(name):
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    assert found, f"PostgreSQL is not installed: no {name}"
    return str(found[-1])


def _account():
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise AssertionError("there is no account for PostgreSQL to run with")


class Postgres:
    """`with Postgres() as database: database.sql("select 1")`. User and owner of the database `plant`: `tributary`, with the password
    `right`. `durable`: commits wait for the disk. `configuration`: lines of postgresql.conf. `access`: lines of pg_hba.conf that go
    before the password rule."""

    user = "tributary"
    database = "plant"

    def __init__(self, durable=False, configuration="", access="", password="right"):
        self.password = password
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        self.process = None
        account = _account()
        self.prefix = []
        if account:
            os.chown(self.folder, account.pw_uid, account.pw_gid)
            self.prefix = ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups",
                           "--pdeathsig", "KILL", "--"]
        self.data = self.folder / "data"
        subprocess.run([*self.prefix, _program("initdb"), "--no-sync", "--no-instructions", "--locale=C", "--encoding=UTF8",
                        "--auth=trust", "--username=postgres", "--pgdata", str(self.data)],
                       check=True, capture_output=True, timeout=60)
        (self.data / "postgresql.conf").write_text(
            f"listen_addresses = '127.0.0.1'\nport = {self.port}\nunix_socket_directories = '{self.folder}'\n"
            f"max_connections = 30\nfsync = {'on' if durable else 'off'}\nlog_min_messages = warning\n"
            f"dynamic_shared_memory_type = mmap\n{configuration}\n")
        (self.data / "pg_hba.conf").write_text(
            f"local all all trust\n{access}\nhost all all 127.0.0.1/32 scram-sha-256\n")
        self.start()
        self._psql("postgres", f"create role {self.user} login password '{password}'")
        self._psql("postgres", f"create database {self.database} owner {self.user}")

    def _words(self, database, statements):
        return ["psql", "-h", str(self.folder), "-p", str(self.port), "-U", "postgres", "-d", database, "-v", "ON_ERROR_STOP=1",
                "-XAtqc", statements]

    def _psql(self, database, statements):
        done = subprocess.run(self._words(database, statements), capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{statements}: {done.stderr}"
        return done.stdout.rstrip("\n")

    def sql(self, statements):
        """Runs statements as the superuser, past the network: columns with `|`, rows with newlines."""
        return self._psql(self.database, statements)

    def rows(self, query):
        return [line.split("|") for line in self.sql(query).splitlines()]

    def start(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            # The helpers of a server that was killed may hold its memory for a moment: then it ends at once and is asked again.
            if self.process is None or self.process.poll() is not None:
                log = (self.folder / "log").open("ab")
                self.process = subprocess.Popen([*self.prefix, _program("postgres"), "-D", str(self.data)], stdout=log, stderr=log)
                log.close()
            if subprocess.run(self._words("postgres", "select 1"), capture_output=True, timeout=20, check=False).returncode == 0:
                return self
            time.sleep(0.02)
        raise AssertionError(f"PostgreSQL did not start: {self.log()}")

    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def stop(self):
        """Ends its sessions ("fast") and waits for the end; start() goes on with the same port and data."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(30)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(30)

    def settings(self, **more):
        """Settings of a connection of type `postgresql`; its secret is `{"password": database.password}`."""
        return {"host": "127.0.0.1", "port": self.port, "database": self.database, "username": self.user, **more}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
