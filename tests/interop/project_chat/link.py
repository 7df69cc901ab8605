"""A WebSocket that comes back: token, heartbeat, close codes and full jitter, for a project's socket and the inbox."""

from __future__ import annotations

import asyncio
import base64
import json
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.frames import Frame, Opcode

from .replica import Event

PROTOCOL = "project-chat.v1"
HEARTBEAT_S, SILENCE_S = 25.0, 10.0
FIRST_WAIT_S, LONGEST_WAIT_S, STEADY_S = 0.5, 20.0, 5.0
RESYNC, FLOODED = 4002, 4029
TERMINAL = range(4500, 5000)

Token = Callable[[], Awaitable[str]]


class Closed(Exception):
    """The server has said that coming back is of no use."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code, self.reason = code, reason


class Refused(Exception):
    """The answer to a frame is an error."""

    def __init__(self, error: Event) -> None:
        super().__init__(f"{error['code']}: {error['detail']}")
        self.code: str = error["code"]


def full_jitter(limit: float) -> float:
    return random.uniform(0, limit)


class HangsUp(ClientConnection):
    """Hangs up when the server has closed, and does not wait for it to do so: what a close frame says counts at once."""

    def process_event(self, event: Any) -> None:
        super().process_event(event)
        if isinstance(event, Frame) and event.opcode is Opcode.CLOSE:
            self.transport.close()


OPTIONS: dict[str, Any] = {"create_connection": HangsUp, "ping_interval": None, "max_size": None, "proxy": None}


class Link:
    """Connects when it is started and stays so until it is stopped, or until a terminal close code."""

    heartbeat_s, silence_s, renew_before_s = HEARTBEAT_S, SILENCE_S, 30.0

    def __init__(self, url: str, token: Token, jitter: Callable[[float], float] = full_jitter) -> None:
        self.url = url.replace("http", "ws", 1)
        self.closes: list[int] = []
        self.errors: list[Event] = []
        self.opened = 0
        self.renewals = 0
        self._token = token
        self._jitter = jitter
        self._window_s = FIRST_WAIT_S
        self._socket: ClientConnection | None = None
        self._changed = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None
        self._heard = 0.0

    # For a subclass.

    def path(self) -> str:
        raise NotImplementedError

    def hear(self, event: Event) -> None:
        raise NotImplementedError

    async def after_events(self) -> None:
        """All events of a frame have been heard."""

    def forget(self) -> None:
        """The next connection begins anew."""

    def over(self, closed: Closed) -> None:
        """Nothing more will be heard."""

    # For its user.

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(lambda _: asyncio.ensure_future(self._tell()))

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def cut(self) -> None:
        """The network is gone, without a word to anybody."""
        if self._socket:
            self._socket.transport.abort()

    async def until(self, condition: Callable[[], Any], timeout: float = 15.0) -> None:
        """Waits until a condition holds; it is looked at after every frame. Fails with `Closed` when none will come."""

        async def holds() -> None:
            async with self._changed:
                while not condition():
                    if self._task and self._task.done():
                        self._task.result()
                    await self._changed.wait()

        await asyncio.wait_for(holds(), timeout)

    async def ended(self) -> Closed:
        """Waits until the server has sent this client away for good."""
        assert self._task
        try:
            await asyncio.wait_for(self._task, 15.0)
        except Closed as closed:
            return closed
        raise AssertionError("It was stopped.")

    async def send(self, frame: dict[str, Any]) -> None:
        """Sends if there is a connection. Nothing is promised."""
        if self._socket:
            try:
                await self._socket.send(json.dumps(frame, ensure_ascii=False))
            except ConnectionClosed:
                pass  # the reader notices too, and comes back

    # The connection.

    async def _run(self) -> None:
        failures = 0
        while True:
            began = time.monotonic()
            code, reason = await self._connection()
            self.closes.append(code)
            if code in TERMINAL:
                self.over(Closed(code, reason))
                raise Closed(code, reason)
            if code == RESYNC:
                self.forget()
            if time.monotonic() - began >= STEADY_S:
                failures = 0
            await self._tell()
            longest = min(FIRST_WAIT_S * 2**failures, LONGEST_WAIT_S) if failures else self._window_s
            await asyncio.sleep(max(self._jitter(longest), self._told_to_wait_s(code)))
            failures += 1

    async def _connection(self) -> tuple[int, str]:
        """One connection, to its end: the close code and the reason."""
        token = await self._token()
        protocols: Any = [PROTOCOL, f"bearer.{token}"]
        chores: list[asyncio.Task[None]] = []
        try:
            async with connect(self.url + self.path(), subprotocols=protocols, **OPTIONS) as socket:
                self._socket, self._heard = socket, time.monotonic()
                self.opened += 1
                chores = [asyncio.create_task(self._beats(socket)), asyncio.create_task(self._renews(token))]
                while True:
                    text = await socket.recv()
                    self._heard = time.monotonic()
                    if text != "pong":
                        await self._frame(json.loads(text))
        except ConnectionClosed as closed:
            return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")
        except (OSError, InvalidHandshake, asyncio.TimeoutError) as error:
            return 1006, str(error)
        finally:
            self._socket = None
            for chore in chores:
                chore.cancel()

    async def _frame(self, events: list[Event]) -> None:
        for event in events:
            if event["type"] == "hello":
                self._window_s = event.get("reconnect_window_ms", FIRST_WAIT_S * 1000) / 1000
            elif event["type"] == "error":
                self.errors.append(event)
            elif event["type"] == "auth.ok":
                self.renewals += 1
            self.hear(event)
        await self.after_events()
        await self._tell()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _beats(self, socket: ClientConnection) -> None:
        while True:
            await asyncio.sleep(self.heartbeat_s - self.silence_s)
            asked = time.monotonic()
            await socket.send("ping")
            await asyncio.sleep(self.silence_s)
            if self._heard < asked:
                socket.transport.abort()

    async def _renews(self, token: str) -> None:
        while expires := expiry(token):
            await asyncio.sleep(max(expires - time.time() - self.renew_before_s, 0.5))
            token = await self._token()
            await self.send({"type": "auth", "token": token})

    def _told_to_wait_s(self, code: int) -> float:
        told = self.errors[-1].get("retry_after_ms", 0) if code == FLOODED and self.errors else 0
        return told / 1000


def expiry(token: str) -> float | None:
    """When a JSON Web Token expires, in seconds since 1970."""
    try:
        body = token.split(".")[1]
        return float(json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))["exp"])
    except (IndexError, KeyError, TypeError, ValueError):
        return None
