"""The same log over HTTP, where WebSockets do not get through."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from typing import Any

from .link import Refused, Token
from .replica import Event, Id, Replica


class Poller:
    def __init__(self, url: str, project: Id, token: Token) -> None:
        self.base = f"{url}/api/projects/{project}/chat"
        self.log = Replica()
        self._token = token

    async def poll(self) -> None:
        """Everything that has happened since the last time."""
        while True:
            where = f"?since={self.log.seq}&epoch={self.log.epoch}" if self.log.epoch else ""
            for event in await self._call(f"/events/{where}"):
                self.log.take(event)
            if not self.log.wants_resume:
                return

    async def frame(self, **frame: Any) -> Event:
        """Sends one frame and returns what answers it."""
        return (await self._call("/frames/", frame))[0]

    async def _call(self, path: str, body: dict[str, Any] | None = None) -> list[Event]:
        headers = {"authorization": f"Bearer {await self._token()}", "content-type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        return await asyncio.to_thread(_answer, urllib.request.Request(self.base + path, data, headers))


def _answer(request: urllib.request.Request) -> list[Event]:
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:
            events: list[Event] = json.load(answer)
            return events
    except urllib.error.HTTPError as error:
        raise Refused(json.load(error)) from None
