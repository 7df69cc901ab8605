"""
Where stories are played: a process that is told over standard input which story to play with whom, as one line of
JSON, and answers each in one line.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from project_chat import Client, Inbox, Poller
from project_chat.link import Link, expiry
from project_chat.replica import Id, Message

Story = Callable[["World"], Awaitable[None]]
SomeLink = TypeVar("SomeLink", bound=Link)
STORY_S = 60.0


class Person:
    def __init__(self, given: dict[str, Any]) -> None:
        self.id: Id = given["id"]
        self.tokens: dict[str, str] = given["tokens"]

    async def expires(self, kind: str) -> None:
        """Waits until this token is worth nothing any more."""
        await asyncio.sleep((expiry(self.tokens[kind]) or 0) - time.time() + 0.1)


class World:
    """A fresh project with people in it. What is opened in it is closed when the story is over."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.url: str = given["url"]
        self.project: Id = given["project"]
        self.server_key: str = given["server_key"]
        self.people = {name: Person(person) for name, person in given["people"].items()}
        self.random = random.Random(7)
        self._links: list[Link] = []
        self._relays: list[Relay] = []

    def id(self, name: str) -> Id:
        return self.people[name].id

    def token(self, name: str, *kinds: str) -> Callable[[], Awaitable[str]]:
        """Gives out these tokens of somebody, one after the other, and the last one from then on."""
        waiting = [self.people[name].tokens[kind] for kind in kinds or ("good",)]

        async def next_token() -> str:
            return waiting.pop(0) if len(waiting) > 1 else waiting[0]

        return next_token

    def starts(self, name: str, *tokens: str, url: str = "", project: Id = "", **options: Any) -> Client:
        """A client of somebody that comes back quickly after a cut, so that a story takes no longer than it must."""
        kind: type[Client] = options.pop("kind", Client)
        client = kind(url or self.url, project or self.project, self.token(name, *tokens), jitter=self._quickly)
        for option, value in options.items():
            setattr(client, option, value)
        self.adopts(client).start()
        return client

    async def joins(self, name: str, *tokens: str, **options: Any) -> Client:
        """The same, once it is live."""
        client = self.starts(name, *tokens, **options)
        await client.until(lambda: client.live)
        return client

    def inbox(self, name: str) -> Inbox:
        inbox = Inbox(self.url, self.token(name), jitter=self._quickly)
        self.adopts(inbox).start()
        return inbox

    def adopts(self, link: SomeLink) -> SomeLink:
        """It is stopped when the story is over."""
        self._links.append(link)
        return link

    def asks_for(self, event: str) -> None:
        """Something that only whoever started the server can do."""
        tell({"event": event})

    def poller(self, name: str) -> Poller:
        return Poller(self.url, self.project, self.token(name))

    async def relay(self) -> Relay:
        relay = Relay(self.url)
        self._relays.append(relay)
        await relay.open()
        return relay

    async def ends(self) -> None:
        for link in self._links:
            await link.stop()
        for relay in self._relays:
            relay.close()

    def _quickly(self, limit: float) -> float:
        return self.random.uniform(0, min(limit, 0.02))


class Relay:
    """A wire between clients and the server that can be cut, and on which the server's words can be lost."""

    def __init__(self, url: str) -> None:
        self._host, self._port = url.removeprefix("http://").split(":")
        self._writers: list[asyncio.StreamWriter] = []
        self.deaf = False
        """Nothing that the server says arrives any more."""

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._connects, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def close(self) -> None:
        self._server.close()
        self.cut()

    async def _connects(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._host, int(self._port))
        self._writers += [writer, back]
        await asyncio.gather(self._carries(reader, back, False), self._carries(there, writer, True))

    async def _carries(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, answers: bool) -> None:
        try:
            while data := await source.read(65536):
                if not (answers and self.deaf):
                    target.write(data)
                    await target.drain()
        except OSError:
            pass  # cut
        target.close()


def timeline(client: Client | Poller) -> list[Message]:
    """What somebody sees, with what is theirs alone left out."""
    return [_seen_by_all(message) for _, message in sorted(client.log.messages.items())]


def _seen_by_all(message: Message) -> Message:
    plain = {name: value for name, value in message.items() if value and name != "read_at"}
    if "reactions" in plain:
        plain["reactions"] = sorted((one["emoji"], one["count"]) for one in plain["reactions"])
    return plain


def words(client: Client | Poller) -> list[str]:
    return [message["content"] for message in timeline(client)]


async def plays(stories: dict[str, Story]) -> None:
    """Until standard input ends."""
    tell({"event": "listening"})
    while line := await asyncio.to_thread(sys.stdin.readline):
        order = json.loads(line)
        world = World(order)
        try:
            await asyncio.wait_for(stories[order["story"]](world), STORY_S)
            tell({"number": order["number"], "result": "told"})
        except Exception:
            tell({"number": order["number"], "error": traceback.format_exc()})
        finally:
            await world.ends()


def tell(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)
