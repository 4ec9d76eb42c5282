"""A mail server that keeps what it gets: Debian's aiosmtpd with STARTTLS, TLS and a login.

Usage: smtp_sink.py PORT FOLDER [--certificate FILE --key FILE] [--implicit] [--user NAME --password TEXT]
Each mail becomes FOLDER/N.eml; its first line is a JSON object with the envelope. "ready" is printed when it listens.
Recipients whose address begins with "busy", "nobody" or "full" are refused with 450, 550 and 552.
"""
import argparse
import asyncio
import json
import signal
import ssl
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult

REFUSED = {"busy": "450 4.2.1 Try again later", "nobody": "550 5.1.1 No such user", "full": "552 5.2.2 Mailbox full"}


class Handler:
    def __init__(self, folder):
        self.folder = folder
        self.count = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        for begin, reply in REFUSED.items():
            if address.startswith(begin):
                return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.count += 1
        told = {"from": envelope.mail_from, "to": envelope.rcpt_tos, "tls": session.ssl is not None,
                "login": session.authenticated, "host": session.host_name}
        path = self.folder / f"{self.count}.eml"
        path.with_suffix(".part").write_bytes(json.dumps(told).encode() + b"\n" + envelope.content)
        path.with_suffix(".part").rename(path)
        return "250 2.0.0 Kept"


async def main(options):
    context = None
    if options.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificate, options.key)

    def check(server, session, envelope, mechanism, data):
        good = data.login == options.user.encode() and data.password == options.password.encode()
        return AuthResult(success=good, auth_data=data) if good else AuthResult(success=False, handled=False)

    handler = Handler(Path(options.folder))
    login = {"authenticator": check, "auth_required": True, "auth_require_tls": context is not None and not options.implicit} if options.user else {}
    starttls = {} if options.implicit or context is None else {"tls_context": context, "require_starttls": True}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(handler, hostname="sink.example", loop=loop, **starttls, **login), "127.0.0.1", options.port,
                                      ssl=context if options.implicit else None)
    print("ready", flush=True)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
    server.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("folder")
    for name in ("certificate", "key", "user", "password"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--implicit", action="store_true")
    asyncio.run(main(parser.parse_args()))
