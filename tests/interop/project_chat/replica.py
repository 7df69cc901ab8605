"""What a client knows of a project: the log, applied by the five rules, and what is told beside it."""

from __future__ import annotations

import time
from typing import Any

Event = dict[str, Any]
Message = dict[str, Any]
Id = int | str

TYPING_S = 7.0
UNREAD_MAX = 999
NOTHING_UNREAD = {"count": 0, "first_id": None, "mentions": 0}


class Replica:
    """Knows nothing of sockets: `take` every event, in order, and send `resume` with `seq` while `wants_resume`."""

    def __init__(self) -> None:
        self.you: dict[str, Any] = {}
        self.project: dict[str, Any] = {}
        self.members: dict[Id, dict[str, Any]] = {}
        self.present = 0
        self.limits: dict[str, int] = {}
        self.unread: dict[str, Any] = dict(NOTHING_UNREAD)
        self.resyncs: list[str] = []
        self._typing: tuple[float, list[dict[str, Any]]] = (0.0, [])
        self.forget()

    def forget(self) -> None:
        self.epoch: str | None = None
        self.seq = 0
        self.head = 0
        self.more = False
        self.more_before = False
        self.messages: dict[int, Message] = {}
        self._aside: dict[int, Event] = {}
        self._counted_to = 0  # `unread` knows every message up to here already

    @property
    def wants_resume(self) -> bool:
        """Something is missing between what has been applied and what is there."""
        return self.more or bool(self._aside)

    @property
    def typing(self) -> list[Id]:
        since, users = self._typing
        return [user["id"] for user in users] if time.monotonic() - since < TYPING_S else []

    @property
    def pins(self) -> list[int]:
        return list(self.project["pins"])

    def read_by(self, message: int) -> set[Id]:
        return {member["id"] for member in self.members.values() if member["last_read_message_id"] >= message}

    def take(self, event: Event) -> None:
        kind = event["type"]
        if kind == "hello":
            self._greet(event)
        elif kind == "resume":
            self._chunk(event)
        elif kind == "resync":
            self.resyncs.append(event["reason"])
            self.forget()
        elif "seq" in event and kind != "ack":  # also one of a type that is not known: it has a place all the same
            self._place(event)
        elif kind == "unread":
            self.unread = dict(event["unread"])
            self._counted_to = max(self._counted_to, self.seq)
        elif kind == "read_receipt":
            for receipt in event["receipts"]:
                self._marks(receipt["user_id"], receipt["last_read_message_id"])
        elif kind == "typing":
            self._typing = (time.monotonic(), event["users"])
        elif kind == "presence":
            self.present = event["present"]
            for user in event.get("users", []):
                if user["id"] in self.members:
                    self.members[user["id"]].update(status=user["status"], last_seen=user["last_seen"])
        elif kind == "member":
            self.members[event["member"]["id"]] = dict(event["member"])
        elif kind == "member.left":
            self.members.pop(event["user_id"], None)
        elif kind == "you":
            self.you = dict(event["you"])
        elif kind == "project":
            self.project = dict(event["project"])

    def remember(self, messages: list[Message]) -> None:
        """Messages of a page, which shows them as they are now."""
        for message in messages:
            self.messages[message["id"]] = dict(message)

    def _greet(self, hello: Event) -> None:
        if "messages" in hello:
            self.forget()
            self.more_before = hello["more_before"]
            self.remember(hello["messages"])
            self.seq = hello["seq"]
        self.you = dict(hello["you"])
        self.project = dict(hello["project"])
        self.members = {member["id"]: dict(member) for member in hello["members"]}
        self.present = hello["present"]
        self.limits = hello["limits"]
        self.unread = dict(hello["unread"])
        self._typing = (time.monotonic(), hello["typing"])
        self._counted_to = hello["head"]
        self._chunk(hello)

    def _chunk(self, chunk: Event) -> None:
        self.epoch = chunk["epoch"]
        self.head = max(self.head, chunk["head"])
        self.more = chunk["more"]
        for event in chunk.get("events", []):
            self._place(event)

    def _place(self, event: Event) -> None:
        """Rules 1 and 2: what is there already is dropped, what lies beyond a hole is kept aside."""
        if event["seq"] > self.seq:
            self._aside[event["seq"]] = event
        while following := self._aside.pop(self.seq + 1, None):
            self.seq += 1
            self.head = max(self.head, self.seq)
            self._apply(following)

    def _apply(self, event: Event) -> None:
        kind = event["type"]
        if kind == "new.message":
            self._says(dict(event["message"]))
        elif kind == "pin":
            others = [pinned for pinned in self.pins if pinned != event["message_id"]]
            self.project["pins"] = others + [event["message_id"]] if event["on"] else others
        concerned: int = event.get("message_id") or event.get("id") or 0
        message = self.messages.get(concerned)
        if not message:
            return  # older than what this client has looked at
        if kind == "pin":
            message["pinned"] = event["on"]
        elif kind == "reaction":
            self._reacts(message, event)
        elif kind == "message.updated":
            before = self._weight(message)
            message.update(content=event["content"], mentions=event["mentions"], edited_at=event["edited_at"])
            self._reweighs(event, message, before)
        elif kind == "message.deleted":
            before = self._weight(message)
            for gone in ("reactions", "mentions", "data"):
                message.pop(gone, None)
            message.update(content="", deleted_at=event["deleted_at"], deleted_by=event["deleted_by"])
            self._reweighs(event, message, before)

    def _says(self, message: Message) -> None:
        number, sender = message["id"], message["sender"]["id"]
        self.messages[number] = message
        root = self.messages.get(message.get("thread", 0))
        if root and number > root.get("replies", {}).get("last_id", 0):
            root["replies"] = {"count": root.get("replies", {}).get("count", 0) + 1, "last_id": number}
        if number > self._counted_to:
            if sender == self.you["id"]:
                marked_unread = (self.unread["first_id"] or number) <= self.you["last_read_message_id"]
                if not marked_unread:
                    self.unread = dict(NOTHING_UNREAD)
            else:
                self.unread["first_id"] = self.unread["first_id"] or (number if self._weight(message)[0] else None)
                self._adds(self._weight(message))
        self._marks(sender, number)

    def _reacts(self, message: Message, event: Event) -> None:
        reactions = {reaction["emoji"]: reaction for reaction in message.get("reactions", [])}
        known = reactions.get(event["emoji"], {"mine": False})
        mine = event["on"] if event["user_id"] == self.you["id"] else known["mine"]
        reactions[event["emoji"]] = {"emoji": event["emoji"], "count": event["count"], "mine": mine}
        message["reactions"] = [reaction for reaction in reactions.values() if reaction["count"]]

    def _marks(self, user: Id, place: int) -> None:
        """Somebody has read up to a place; who says something has read what was there."""
        for one in (self.members.get(user), self.you if user == self.you.get("id") else None):
            if one:
                one["last_read_message_id"] = max(one["last_read_message_id"], place)

    def _weight(self, message: Message) -> tuple[int, int]:
        """What a message adds to the unread count and to the mentions, as long as it is unread."""
        sender = message["sender"]["id"]
        if message.get("deleted_at") or sender == self.you["id"] or sender in self.you["blocked"]:
            return 0, 0
        return 1, int(self.you["id"] in message.get("mentions", []))

    def _adds(self, weight: tuple[int, int]) -> None:
        self.unread["count"] = min(self.unread["count"] + weight[0], UNREAD_MAX)
        self.unread["mentions"] += weight[1]

    def _reweighs(self, event: Event, message: Message, before: tuple[int, int]) -> None:
        first = self.unread["first_id"]
        if first is None or message["id"] < first or event["seq"] <= self._counted_to:
            return
        after = self._weight(message)
        self._adds((after[0] - before[0], after[1] - before[1]))
        if message["id"] == first and not after[0]:
            later = (number for number, other in sorted(self.messages.items()) if number > first)
            self.unread["first_id"] = next((number for number in later if self._weight(self.messages[number])[0]), None)
