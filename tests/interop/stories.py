"""What people do with a chat, played with the client of this folder against a running server."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from collections.abc import Awaitable
from typing import Any

from project_chat import Client, Closed, Refused
from project_chat.replica import Event
from stage import Story, World, plays, timeline, words

STORIES: dict[str, Story] = {}


def story(played: Story) -> Story:
    STORIES[played.__name__.replace("_", " ")] = played
    return played


async def refused(asked: Awaitable[Any]) -> str:
    """The code of the error that answers."""
    try:
        await asked
    except Refused as refusal:
        return refusal.code
    raise AssertionError("It was not refused.")


async def says_all(client: Client, contents: list[str], at_once: int = 50) -> None:
    for start in range(0, len(contents), at_once):
        await asyncio.gather(*(client.say(content) for content in contents[start : start + at_once]))


async def reads_from_the_start(world: World, name: str, like: Client) -> Client:
    """Somebody who applies the whole log, place by place, instead of taking a newer state of things."""
    reader = world.starts(name)
    reader.log.epoch = like.log.epoch
    await reader.until(lambda: reader.live and reader.log.seq == like.log.seq)
    return reader


@story
async def who_is_cut_off_again_and_again_has_the_timeline_of_who_was_not(world: World) -> None:
    steady, shaky = await world.joins("ann"), await world.joins("ben")
    dice = world.random

    async def lives(client: Client, name: str) -> None:
        mine: list[int] = []
        for turn in range(60):
            if dice.random() < 0.7 or not mine:
                mine.append(await client.say(f"{name} {turn}"))
            elif dice.random() < 0.4:
                await client.edit(dice.choice(mine), f"{name} {turn}, edited")
            elif dice.random() < 0.6:
                await reacts(client)
            else:
                await client.delete(mine.pop(dice.randrange(len(mine))))

    async def reacts(client: Client) -> None:
        try:
            await client.react(dice.choice(list(client.log.messages)), dice.choice("👍🎉"), dice.random() < 0.7)
        except Refused as refusal:
            assert refusal.code == "message_deleted"

    async def cuts() -> None:
        while True:
            connection, seq = shaky.opened, shaky.log.seq
            await shaky.until(lambda: shaky.live and shaky.log.seq >= seq + dice.randrange(1, 12))
            shaky.cut()
            await shaky.until(lambda: shaky.opened > connection)

    cutting = asyncio.create_task(cuts())
    await asyncio.gather(lives(steady, "ann"), lives(shaky, "ben"))
    cutting.cancel()
    await shaky.until(lambda: shaky.live and shaky.log.seq == steady.log.seq)
    assert shaky.opened > 5, shaky.opened
    assert shaky.log.resyncs == []
    assert timeline(shaky) == timeline(steady)
    late = await world.joins("cid")
    await late.whole_history()
    assert timeline(late) == timeline(steady)
    assert timeline(await reads_from_the_start(world, "mo", steady)) == timeline(steady)


@story
async def a_thousand_missed_messages_come_in_chunks_while_others_write(world: World) -> None:
    writer, away = await world.joins("ann"), await world.joins("ben")
    await writer.say("before")
    await away.until(lambda: away.log.seq == 1)
    await away.stop()
    await says_all(writer, [f"missed {n}" for n in range(1000)], at_once=100)
    resumes: list[int] = []

    class Counting(Client):
        def hear(self, event: Event) -> None:
            if event["type"] in ("hello", "resume"):
                resumes.append(len(event["events"]))
            super().hear(event)

    back = Counting(world.url, world.project, world.token("ben"))
    back.log = away.log
    world.adopts(back)
    back.start()
    await asyncio.gather(says_all(writer, [f"meanwhile {n}" for n in range(200)], at_once=10), back.say("I am back"))
    await writer.until(lambda: writer.log.seq == 1202)
    await back.until(lambda: back.live and back.log.seq == 1202)
    assert timeline(back) == timeline(writer)
    assert len(resumes) >= 4 and max(resumes) == back.log.limits["chunk"], resumes
    assert back.errors == [] and back.closes == []


@story
async def who_loses_frames_finds_the_holes_and_fills_them(world: World) -> None:
    lost: list[int] = []

    class Lossy(Client):
        def hear(self, event: Event) -> None:
            if event["type"] == "new.message" and event["seq"] % 7 == 0:
                lost.append(event["seq"])
            else:
                super().hear(event)

    writer = await world.joins("ann")
    lossy = await world.joins("ben", kind=Lossy)
    await says_all(writer, [f"{n}" for n in range(100)], at_once=3)
    await writer.say("the last")
    await lossy.until(lambda: lossy.log.seq == 101)
    assert lost == list(range(7, 100, 7)) and lossy.opened == 1
    assert timeline(lossy) == timeline(writer)


@story
async def what_is_sent_again_after_a_cut_is_there_once(world: World) -> None:
    relay = await world.relay()
    sender, other = await world.joins("ann", url=relay.url), await world.joins("ben")
    relay.deaf = True
    sending = asyncio.create_task(sender.say("only once", client_message_id="once"))
    await other.until(lambda: words(other) == ["only once"])
    assert not sending.done()
    relay.cut()
    relay.deaf = False
    assert await sending == 1
    assert await other.say("and then") == 2
    await sender.until(lambda: sender.log.seq == 2)
    assert timeline(sender) == timeline(other)
    assert await sender.say("only once", client_message_id="once") == 1
    assert await refused(sender.say("something else", client_message_id="once")) == "client_message_id_reused"
    await sender.edit(1, "edited")
    assert await sender.say("only once", client_message_id="once") == 1
    await sender.delete(1)
    assert await sender.say("whatever", client_message_id="once") == 1
    assert await other.say("another's own", client_message_id="once") == 5


@story
async def a_wire_that_has_gone_dead_is_noticed(world: World) -> None:
    relay = await world.relay()
    quick = {"heartbeat_s": 0.3, "silence_s": 0.2}
    one, other = await world.joins("ann", url=relay.url, **quick), await world.joins("ben", **quick)
    relay.deaf = True
    await other.say("unheard")
    await one.until(lambda: one.closes == [1006])
    relay.cut()
    relay.deaf = False
    await one.until(lambda: words(one) == ["unheard"])
    assert other.opened == 1, "a wire that is well is left alone"


@story
async def everything_that_happens_to_messages_is_seen_alike_by_all_and_by_who_comes_late(world: World) -> None:
    ann, ben, mo = await world.joins("ann"), await world.joins("ben"), await world.joins("mo")
    plan = await ann.say("The plan", data={"colour": "green"})
    reply = await ben.say("I like it", reply_to=plan)
    await ann.say("So do I, @ben", reply_to=reply, mentions=[world.id("ben")])
    mistake = await ben.say("Wrong room, @ann", mentions=[world.id("ann")])
    await asyncio.gather(*(one.react(plan, "👍") for one in (ann, ben, mo)), ben.react(plan, ":tada:"))
    await ann.react(plan, "👍", on=False)
    await ben.pin(plan)
    await mo.react(mistake, "😬")
    await mo.pin(mistake)
    await ann.edit(plan, "The plan for @mo", mentions=[world.id("mo")])
    assert await refused(ann.delete(mistake)) == "not_yours"
    await mo.delete(mistake)
    late = await world.joins("cid")
    for one in (ann, ben, mo, await reads_from_the_start(world, "cid", late)):
        await one.until(lambda: one.log.seq == late.log.seq)
        assert timeline(one) == timeline(late), (timeline(one), timeline(late))
        assert one.log.pins == late.log.pins == [plan]
    first = late.log.messages[plan]
    assert (first["content"], first["mentions"]) == ("The plan for @mo", [world.id("mo")])
    assert first["replies"] == {"count": 2, "last_id": 3} and first["pinned"] and first["data"] == {"colour": "green"}
    assert late.log.messages[mistake]["content"] == "" and late.log.messages[mistake]["deleted_by"] == world.id("mo")

    def mine(client: Client) -> dict[str, bool]:
        return {reaction["emoji"]: reaction["mine"] for reaction in client.log.messages[plan]["reactions"]}

    assert mine(ann) == {"👍": False, ":tada:": False}
    assert mine(ben) == {"👍": True, ":tada:": True}
    again = await world.joins("ben")
    assert mine(again) == mine(ben)
    thread = await late.thread(reply)
    assert thread["root"]["id"] == plan and [one["id"] for one in thread["messages"]] == [2, 3]
    assert [one["id"] for one in await mo.mentions()] == [plan]
    assert [one["id"] for one in await ben.mentions()] == [3]
    versions = (await mo.ask({"type": "edits", "id": plan}))["versions"]
    assert [version["content"] for version in versions] == ["The plan"]


@story
async def what_is_unread_is_counted_as_the_server_counts(world: World) -> None:
    ann, ben = await world.joins("ann"), await world.joins("ben")

    async def agree(count: int, mentions: int = 0) -> None:
        await ben.until(lambda: ben.log.seq == ann.log.seq and ben.log.unread["count"] == count)
        anew = await world.joins("ben")
        assert ben.log.unread == anew.log.unread, (ben.log.unread, anew.log.unread)
        assert ben.log.unread["mentions"] == mentions
        assert ben.log.you["last_read_message_id"] == anew.log.you["last_read_message_id"]
        await anew.stop()

    for n in range(4):
        await ann.say(f"{n}", mentions=[world.id("ben")] if n % 2 else [])
    await agree(4, 2)
    await ann.delete(1)
    await agree(3, 2)
    await ann.edit(2, "no longer to you", mentions=[])
    await agree(3, 1)
    await ben.read(3)
    await agree(1, 1)
    await ann.until(lambda: world.id("ben") in ann.log.read_by(3))
    await ben.mark_unread(2)
    await agree(3, 1)
    assert world.id("ben") in ann.log.read_by(3), "the mark that others see has stayed"
    await ben.say("an answer does not take that back")
    await ann.until(lambda: ann.log.seq == ben.log.seq)
    await agree(3, 1)
    await ben.read(ben.log.seq)
    await agree(0)
    await ann.say("again")
    await ann.say("and again")
    await agree(2)
    await ben.say("an answer has read what was there")
    await ann.until(lambda: ann.log.seq == ben.log.seq)
    await agree(0)
    assert world.id("ben") in ann.log.read_by(ann.log.seq)
    await ann.say("in private")
    await agree(1)
    await ben.read(ann.log.seq, private=True)
    await ben.until(lambda: ben.log.unread["count"] == 0)
    assert world.id("ben") not in ann.log.read_by(ann.log.seq)
    await ben.ask({"type": "block", "user_id": world.id("ann"), "on": True})
    await ann.say("to the wall, @ben", mentions=[world.id("ben")])
    await agree(0)


@story
async def people_see_who_is_here_and_who_types(world: World) -> None:
    ann = await world.joins("ann")
    ben = await world.joins("ben")
    await ann.until(lambda: ann.log.present == 2)
    assert ann.log.members[world.id("ben")]["status"] == "online"
    await ben.away(True)
    await ann.until(lambda: ann.log.members[world.id("ben")]["status"] == "away")
    await ben.type()
    await ann.until(lambda: ann.log.typing == [world.id("ben")])
    await ben.type(False)
    await ann.until(lambda: ann.log.typing == [])
    await ben.stop()
    await ann.until(lambda: ann.log.members[world.id("ben")]["status"] == "offline")
    assert ann.log.present == 1


@story
async def who_may_not_enter_is_closed_with_the_code_for_it(world: World) -> None:
    async def code(*tokens: str, **options: Any) -> int:
        return (await world.starts("ann", *tokens, **options).ended()).code

    assert await code("garbage") == 4500
    assert await code("forged") == 4500
    assert await code(project=404404) == 4504
    stranger = world.starts("stranger")
    assert (await stranger.ended()).code == 4507
    late = world.starts("ann", "expired", "expired", "good")
    await late.until(lambda: late.live)
    assert late.closes == [4001, 4001]


@story
async def who_is_sent_away_stays_away(world: World) -> None:
    mo, ben, cid = await world.joins("mo"), await world.joins("ben"), await world.joins("cid")
    await mo.ask({"type": "ban", "user_id": world.id("ben"), "seconds": 600})
    await mo.ask({"type": "remove", "user_id": world.id("cid")})
    for one in (ben, cid):
        assert (await one.ended()).code == 4503
        assert one.opened == 1
        try:
            await one.until(lambda: one.live)
            raise AssertionError("It came back.")
        except Closed as closed:
            assert closed.code == 4503
    assert (await world.starts("ben").ended()).code == 4503
    assert (await world.starts("cid").ended()).code == 4503
    await mo.until(lambda: {"ben", "cid"}.isdisjoint(member["username"] for member in mo.log.members.values()))


@story
async def a_viewer_reads_and_does_not_write(world: World) -> None:
    ann, vic = await world.joins("ann"), await world.joins("vic")
    await ann.say("for all to read")
    await vic.until(lambda: words(vic) == ["for all to read"])
    assert vic.log.you["role"] == "viewer"
    for asked in (vic.say("me too"), vic.react(1, "👍"), vic.pin(1)):
        assert await refused(asked) == "read_only"
    await vic.read(1)
    await ann.until(lambda: world.id("vic") in ann.log.read_by(1))


@story
async def a_socket_outlives_its_token_only_when_it_is_given_another_in_time(world: World) -> None:
    wise = await world.joins("ann", "short", "good", renew_before_s=2.0)
    careless = await world.joins("ben", "short", "good", renew_before_s=-60.0)
    await wise.until(lambda: wise.renewals == 1)
    await world.people["ben"].expires("short")
    await wise.say("still here")
    await careless.until(lambda: words(careless) == ["still here"])
    assert (careless.closes, careless.opened) == ([4001], 2), "the next token lets it in again"
    assert (wise.closes, wise.opened) == ([], 1)
    await wise.send({"type": "auth", "token": world.people["ben"].tokens["good"]})
    await wise.until(lambda: [error["code"] for error in wise.errors] == ["token_other_user"])
    assert wise.live


@story
async def words_are_found_in_Greek_and_in_Chinese(world: World) -> None:
    ann = await world.joins("ann")
    await ann.say("Καλημέρα κόσμε")
    await ann.say("我们明天在北京见面吧")
    await says_all(ann, [f"noise {n}" for n in range(150)])
    await ann.say("ΚΑΛΗΜΈΡΑ ΚΑΙ ΠΆΛΙ")
    await ann.say("北京的天气很好")

    async def found(query: str, **where: Any) -> list[int]:
        return [message["id"] async for message in ann.search(query, **where)]

    assert await found("καλημέρα") == [153, 1]
    assert await found("κόσμε καλη") == [1]
    assert await found("北京") == [154, 2]
    assert await found("明天 北京") == [2]
    assert await found("東京") == []
    assert await found("noise", limit=40) == list(range(152, 2, -1))
    assert await found("北京", sender=world.id("ben")) == []


@story
async def who_polls_sees_the_same_log(world: World) -> None:
    ann, poller = await world.joins("ann"), world.poller("ben")
    await poller.poll()
    assert poller.log.seq == 0
    await says_all(ann, [f"{n}" for n in range(700)], at_once=100)
    sent = {"type": "send_message", "content": "by post", "client_message_id": "p"}
    first, again = await poller.frame(**sent), await poller.frame(**sent)
    assert first["id"] == again["id"] == 701
    await poller.frame(type="react", message_id=1, emoji="👍", on=True)
    await ann.delete(2)
    await ann.edit(3, "three")
    await poller.poll()
    assert timeline(poller) == timeline(ann)
    assert poller.log.messages[1]["reactions"] == [{"emoji": "👍", "count": 1, "mine": True}]
    assert await refused(poller.frame(type="edit_message", id=3, content="mine now")) == "not_yours"
    await poller.poll()
    assert poller.log.seq == 704 and poller.log.resyncs == []


@story
async def an_inbox_shows_a_new_message(world: World) -> None:
    ann, ben = await world.joins("ann"), await world.joins("ben")
    inbox = world.inbox("ben")
    await inbox.until(lambda: inbox.opened)
    await ann.say("news")
    await inbox.until(lambda: inbox.entries.get(world.project, {}).get("last_message_text") == "news")
    assert inbox.entries[world.project]["unread_count"] == 1
    assert inbox.entries[world.project]["other_participant"]["id"] == world.id("ann")
    await ben.read(1)
    await inbox.until(lambda: inbox.entries[world.project]["unread_count"] == 0)
    inbox.cut()
    await inbox.until(lambda: inbox.opened == 2)
    await ann.say("more news")
    await inbox.until(lambda: inbox.entries[world.project]["last_message_text"] == "more news")
    mo = await world.joins("mo")
    await mo.ask({"type": "remove", "user_id": world.id("ben")})
    await inbox.until(lambda: world.project not in inbox.entries)


@story
async def who_was_away_when_the_log_was_pruned_begins_anew(world: World) -> None:
    ann, ben = await world.joins("ann"), await world.joins("ben")
    await ann.say("old")
    await ben.until(lambda: ben.log.seq == 1)
    await ben.stop()
    await says_all(ann, [f"{n}" for n in range(20)])
    request = urllib.request.Request(
        f"{world.url}/api/projects/{world.project}/chat/prune/",
        json.dumps({"up_to": 10}).encode(),
        {"authorization": f"Bearer {world.server_key}", "content-type": "application/json"},
    )
    await asyncio.to_thread(lambda: urllib.request.urlopen(request, timeout=10).close())
    ben.start()
    await ben.until(lambda: ben.live and ben.log.resyncs == ["pruned"])
    assert [number for number in ben.log.messages] == list(range(11, 22))
    await ann.say("on it goes")
    await ben.until(lambda: 22 in ben.log.messages)


@story
async def who_is_too_fast_waits_and_loses_nothing(world: World) -> None:
    ann, ben = await world.joins("ann"), await world.joins("ben")
    contents = [f"{n}" for n in range(ann.log.limits["message_burst"] + 10)]
    began = time.monotonic()
    await says_all(ann, contents, at_once=len(contents))
    assert time.monotonic() - began > 0.5
    assert any(error["code"] == "rate_limited" for error in ann.errors)
    await ben.until(lambda: ben.log.seq == len(contents))
    assert sorted(words(ben)) == sorted(contents)


@story
async def a_server_that_is_killed_loses_nothing_that_it_has_answered(world: World) -> None:
    ann, ben = await world.joins("ann"), await world.joins("ben")
    answered: list[int] = []

    async def writes(client: Client, name: str) -> None:
        for n in range(40):
            answered.append(await client.say(f"{name} {n}"))
            if len(answered) == 30:
                world.asks_for("restart")

    await asyncio.gather(writes(ann, "ann"), writes(ben, "ben"))
    assert ann.opened > 1 and ben.opened > 1
    await ann.until(lambda: ann.live and ann.log.seq == 80)
    await ben.until(lambda: ben.live and ben.log.seq == 80)
    assert timeline(ann) == timeline(ben)
    assert sorted(answered) == list(range(1, 81))


if __name__ == "__main__":
    asyncio.run(plays(STORIES))
