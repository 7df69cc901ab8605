"""Runs the application on a loopback port, in one process, until its standard input ends.

Environment: DATABASE (path of the SQLite file), PORT (0: any free one), SECRET_KEY, and JWT_ALGORITHM,
JWT_SIGNING_KEY, JWT_VERIFYING_KEY for tokens that are not HS256 with SECRET_KEY.

Standard output carries JSON lines: `{"event": "listening", "port"}` once, then an event for each call, and an answer
`{"number", "result"}` or `{"number", "error"}` for each order `{"number", "order", …}` read from standard input.
"""

import asyncio
import json
import os
import random
import socket
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "application.settings")

import django  # noqa: E402

django.setup()

import uvicorn  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.core.management import call_command  # noqa: E402

from application import control, sockets  # noqa: E402
from application.gate import gate  # noqa: E402


def application():
    http = gate.before(get_asgi_application())

    async def route(scope, receive, send):
        if scope["type"] == "websocket":
            await sockets.echo(scope, receive, send)
        elif scope["path"] == "/api/intake/":
            await sockets.intake(scope, receive, send)
        else:
            await http(scope, receive, send)

    return route


def listener(port):
    """A listening socket. A free port is taken below the range of outgoing connections: it is still free after a stop."""
    for candidate in [port] if port else random.sample(range(20000, 30000), 50):
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", candidate))
            return listening
        except OSError:
            listening.close()
    raise SystemExit(f"No free port (asked for {port}).")


def say(line):
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


async def obey(server):
    lines = asyncio.StreamReader(limit=1 << 24)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        order = json.loads(line)
        number = order.pop("number")
        try:
            say({"number": number, "result": await control.carry_out(**order)})
        except Exception as error:  # the test is told, whatever it was
            say({"number": number, "error": f"{type(error).__name__}: {error}"})
    os._exit(0)


async def main():
    listening = listener(int(os.environ.get("PORT", 0)))
    config = uvicorn.Config(
        application(), lifespan="off", access_log=False, log_level="error", ws_max_size=1 << 25, ws_ping_interval=None,
        server_header=False, forwarded_allow_ips="", proxy_headers=False,
    )
    server = uvicorn.Server(config)
    gate.tell = say
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:
        await asyncio.sleep(0.005)
    say({"event": "listening", "port": listening.getsockname()[1]})
    await asyncio.gather(serving, obey(server))


call_command("migrate", run_syncdb=True, verbosity=0)
asyncio.run(main())
