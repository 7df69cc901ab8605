"""Stands before the application: tells the test of each call, and holds back or spoils answers as the test says."""

import asyncio
import time

from django.urls import Resolver404, resolve


class Gate:
    def __init__(self):
        self.tell = lambda event: None
        self._held = {}
        self._spoilt = {}

    def hold(self, name):
        self._held.setdefault(name, asyncio.Event())

    def release(self, name):
        if event := self._held.pop(name, None):
            event.set()

    def spoil(self, name, status):
        self._spoilt[name] = status

    def mend(self, name):
        self._spoilt.pop(name, None)

    async def passes(self, name):
        if event := self._held.get(name):
            await event.wait()

    def before(self, application):
        """`application`, with this gate in front of its HTTP calls."""

        async def gated(scope, receive, send):
            name = name_of(scope["path"])
            self.tell(call(name, scope))

            async def send_and_tell(message):
                if message["type"] == "http.response.start":
                    self.tell({"event": "answered", "view": name, "status": message["status"]})
                await send(message)

            await self.passes(name)
            if status := self._spoilt.get(name):
                await spoilt(status, send_and_tell)
            else:
                await application(scope, receive, send_and_tell)

        return gated


def name_of(path):
    try:
        return resolve(path).url_name
    except Resolver404:
        return "unknown"


def call(name, scope):
    query = scope["query_string"].decode("latin-1")
    return {
        "event": "call",
        "view": name,
        "at": round(time.time() * 1000),
        "method": scope.get("method", "GET"),
        "target": scope["raw_path"].decode("latin-1") + (f"?{query}" if query else ""),
        "headers": [[key.decode(), value.decode("latin-1")] for key, value in scope["headers"]],
    }


async def spoilt(status, send):
    headers = [(b"content-type", b"text/html"), (b"content-length", b"5")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"<oops"})


gate = Gate()
