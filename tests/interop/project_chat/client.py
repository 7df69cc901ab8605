"""One project's socket: the log, and frames that are sent until they are answered."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from .link import Closed, Link, Refused, Token, full_jitter
from .replica import Event, Id, Message, Replica

WORTH_WAITING = {"rate_limited", "slow_mode"}


@dataclass
class Pending:
    """A frame that has not been answered: it goes out again on every new connection."""

    frame: dict[str, Any]
    answer: asyncio.Future[Event] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Client(Link):
    def __init__(self, url: str, project: Id, token: Token, jitter: Callable[[float], float] = full_jitter) -> None:
        super().__init__(url, token, jitter)
        self.project = project
        self.log = Replica()
        self._pending: dict[str, Pending] = {}
        self._refs = 0
        self._greeted = False
        self._resumed_from: int | None = None
        self._confirmed = 0

    @property
    def live(self) -> bool:
        """Connected, and everything up to the newest place applied."""
        return self._socket is not None and self._greeted and not self.log.wants_resume

    # What a user does. Each returns when the server has answered, over however many connections that takes.

    async def say(self, content: str, client_message_id: str | None = None, **fields: Any) -> int:
        """Sends a message and returns its id."""
        name = client_message_id or uuid.uuid4().hex
        frame = {"type": "send_message", "client_message_id": name, "content": content, **fields}
        answer = await self.ask(frame)
        return int(answer["seq"])

    async def edit(self, message: int, content: str, mentions: list[Id] | None = None) -> None:
        more = {} if mentions is None else {"mentions": mentions}
        await self.ask({"type": "edit_message", "id": message, "content": content, **more})

    async def delete(self, message: int) -> None:
        await self.ask({"type": "delete_message", "id": message})

    async def react(self, message: int, emoji: str, on: bool = True) -> None:
        await self.ask({"type": "react", "message_id": message, "emoji": emoji, "on": on})

    async def pin(self, message: int, on: bool = True) -> None:
        await self.ask({"type": "pin", "message_id": message, "on": on})

    async def read(self, message: int, private: bool = False) -> None:
        await self.ask({"type": "read", "last_read_message_id": message, "private": private})

    async def mark_unread(self, message: int) -> None:
        await self.ask({"type": "mark_unread", "message_id": message})

    async def type(self, is_typing: bool = True) -> None:
        await self.send({"type": "typing", "is_typing": is_typing})

    async def away(self, away: bool) -> None:
        await self.send({"type": "presence", "away": away})

    async def history(self, **where: Any) -> list[Message]:
        page = await self.ask({"type": "history", **where})
        messages: list[Message] = page["messages"]
        self.log.remember(messages)
        if "before" in where:
            self.log.more_before = page["more_before"]
        return messages

    async def whole_history(self) -> None:
        """Everything that is older than what this client has."""
        while self.log.more_before:
            await self.history(before=min(self.log.messages), limit=100)

    async def thread(self, message: int, **where: Any) -> Event:
        return await self.ask({"type": "thread", "id": message, **where})

    async def mentions(self, **where: Any) -> list[Message]:
        messages: list[Message] = (await self.ask({"type": "mentions", **where}))["messages"]
        return messages

    async def search(self, query: str, **where: Any) -> AsyncIterator[Message]:
        """Everything that is found, newest first, in as many steps as it takes."""
        while True:
            page = await self.ask({"type": "search", "query": query, **where})
            for message in page["messages"]:
                yield message
            if "next_before" not in page:
                return
            where["before"] = page["next_before"]

    async def ask(self, frame: dict[str, Any]) -> Event:
        """Sends a frame, again after every cut, until it is answered. An error raises `Refused`."""
        self._refs += 1
        ref = str(self._refs)
        pending = self._pending[ref] = Pending({**frame, "ref": ref})
        try:
            if self._greeted:
                await self.send(pending.frame)
            return await pending.answer
        finally:
            self._pending.pop(ref, None)

    # What a server says.

    def path(self) -> str:
        self._greeted, self._resumed_from = False, None
        where = f"?since={self.log.seq}&epoch={self.log.epoch}" if self.log.epoch else ""
        return f"/ws/chat/project/{self.project}/{where}"

    def forget(self) -> None:
        self.log.forget()

    def over(self, closed: Closed) -> None:
        for pending in self._pending.values():
            pending.answer.set_exception(closed)

    def hear(self, event: Event) -> None:
        kind = event["type"]
        if kind in ("hello", "resume"):
            self._resumed_from = None
        self.log.take(event)
        for told in [event, *event.get("events", [])]:
            if told["type"] == "new.message":
                self._stored(told)
        if kind == "ack":
            self._settle(event.get("ref"), event)
        elif kind == "error" and event["code"] in WORTH_WAITING and event.get("ref") in self._pending:
            again = self._pending[event["ref"]]
            asyncio.get_running_loop().call_later(event["retry_after_ms"] / 1000, self._send_again, again)
        elif "ref" in event and not self._awaits_message(event):
            self._settle(event["ref"], event)

    async def after_events(self) -> None:
        if self.log.epoch and not self._greeted:
            self._greeted = True
            self._confirmed = self.log.seq
            for pending in list(self._pending.values()):
                await self.send(pending.frame)
        if self.log.wants_resume and self._resumed_from is None:
            self._resumed_from = self.log.seq
            await self.send({"type": "resume", "after": self.log.seq})
        if self.log.seq - self._confirmed >= self.log.limits.get("seen_every", 500):
            self._confirmed = self.log.seq
            await self.send({"type": "seen", "seq": self.log.seq})

    def _stored(self, event: Event) -> None:
        """Its own message in the log, live or after a cut, is the acknowledgement."""
        message = event["message"]
        if message["sender"]["id"] != self.log.you["id"]:
            return
        for ref, pending in list(self._pending.items()):
            if pending.frame["type"] == "send_message" and pending.frame["client_message_id"] == message["client_message_id"]:
                self._settle(ref, event)

    def _awaits_message(self, event: Event) -> bool:
        """`ok` for a message says less than the message itself, which has come before it."""
        pending = self._pending.get(event["ref"])
        return event["type"] == "ok" and pending is not None and pending.frame["type"] == "send_message"

    def _settle(self, ref: str | None, event: Event) -> None:
        pending = self._pending.pop(ref or "", None)
        if not pending or pending.answer.done():
            return
        if event["type"] == "error":
            pending.answer.set_exception(Refused(event))
        else:
            pending.answer.set_result(event)

    def _send_again(self, pending: Pending) -> None:
        if not pending.answer.done() and self._greeted:
            asyncio.ensure_future(self.send(pending.frame))
