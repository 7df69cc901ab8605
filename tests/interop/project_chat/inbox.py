"""The socket that hears of every project of a user."""

from __future__ import annotations

from typing import Any

from .link import Link
from .replica import Event, Id


class Inbox(Link):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.entries: dict[Id, dict[str, Any]] = {}
        self.stale = False
        """Only `GET /api/chat/inbox/` can tell what there is now."""

    def path(self) -> str:
        return "/ws/chat/inbox/"

    def hear(self, event: Event) -> None:
        if event["type"] == "hello":
            self.entries = {entry["project_id"]: entry for entry in event["projects"]}
        elif event["type"] == "inbox":
            self.entries[event["project"]["project_id"]] = event["project"]
        elif event["type"] == "inbox.left":
            self.entries.pop(event["project_id"], None)
        elif event["type"] == "inbox.changed":
            self.stale = True
