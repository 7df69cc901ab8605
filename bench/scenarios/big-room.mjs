import { setTimeout as pause } from "node:timers/promises";

import { showTail, step, Stop } from "../../scripts/lib/terminal.mjs";
import { checkChunk, checkPage, upFrom } from "../lib/big-room/checks.mjs";
import { madeLog, READER, WORD_OF_NOBODY } from "../lib/big-room/log.mjs";
import { CHUNK, PAGE, questions } from "../lib/big-room/questions.mjs";
import { BigRoom, HERMIT, speakers } from "../lib/big-room/room.mjs";
import { printTable, rounded } from "../lib/table.mjs";

export const about = "a project with a long past: how long what its members ask for takes, and what it reads.";

export const defaults = { messages: 1_000_000, rounds: 5, warm: 50, searches: 3, seconds: 5, "pause-ms": 20 };

export const quick = { messages: 100_000, rounds: 1, warm: 20, searches: 1, seconds: 2 };

export async function run(options) {
  const log = madeLog(options.messages);
  const room = await BigRoom.start(log);
  const findings = { rows: [], lines: [] };
  try {
    await step(`  making ${rounded(options.messages)} messages`, options.messages / 25_000, async () => {
      const mib = (await room.make()) / 2 ** 20;
      findings.lines.push(`${rounded(log.messages)} messages, ${rounded(log.head - log.messages)} changes: ${rounded(mib)} MiB.`);
    });
    await step("  questions", options.rounds * 15, () => ask(room, findings, options));
    await step("  a search through everything", (options.searches * log.head) / 500_000, () => search(room, findings, options));
    await step("  the whole log", log.head / 25_000, () => resume(room, findings));
    await step("  talking meanwhile", options.seconds * 3, () => talk(room, findings, options));
    await step("  what is dear", 10, () => dear(room, findings));
  } catch (error) {
    showTail(room.worker.logs.join("\n"));
    throw new Stop(error.stack);
  } finally {
    await room.worker.stop();
  }
  const head = ["cold, ms", "warm, ms", "CPU, ms", "rows read", "KiB"];
  printTable("median / p99 until the answer is there, and what a warm one costs the server", head, findings.rows);
  console.log(`\n${findings.lines.map((line) => `  ${line}`).join("\n")}`);
}

function note({ rows }, what, { cold = [], warm = [], cost = {}, bytes = NaN }) {
  const { cpu = NaN, read = NaN } = cost;
  rows.push([what, both(cold), both(warm), rounded(cpu), rounded(read), rounded(bytes / 1024)]);
}

/** "1.2 / 3.4": median and p99, which of less than a hundred is the largest. */
function both(times) {
  if (times.length === 0) return "–";
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.ceil(share * sorted.length) - 1];
  return `${rounded(at(0.5))} / ${rounded(at(0.99))}`;
}

/** Each question once in a process that has just started, round after round, and then many times in one process. */
async function ask(room, findings, { rounds, warm: times }) {
  const all = Object.entries(questions(room.log)).map(([what, question]) => ({ what, question, cold: [], warm: [] }));
  for (let round = 0; round < rounds; round++) {
    for (const { what, question, cold } of all) {
      await room.worker.restart();
      const socket = what === "hello" ? undefined : await room.enter(READER);
      cold.push((await question(room, socket)).ms);
      await socket?.close();
    }
  }
  const socket = await room.enter(READER);
  for (const { what, question, cold, warm } of all) {
    await question(room, socket);
    let answer;
    const before = await room.spent();
    for (let n = 0; n < times; n++) {
      answer = await question(room, socket);
      warm.push(answer.ms);
    }
    const cost = answer.cost ?? (await room.costSince(before, times));
    note(findings, what, { cold, warm, cost, bytes: answer.bytes });
  }
  await socket.close();
}

/** A word that nobody ever said, from the newest message to the first. A step is as long as the room is busy at a time. */
async function search(room, findings, { searches }) {
  const socket = await room.enter(READER);
  const [totals, steps] = [[], []];
  const start = await room.spent();
  for (let n = 0; n < searches; n++) {
    const began = steps.length;
    for (let before = room.log.head + 1; before !== undefined; ) {
      const { event, ms } = await socket.ask({ type: "search", query: WORD_OF_NOBODY, before });
      if (event.messages.length > 0) throw new Error(`${WORD_OF_NOBODY} was found`);
      if (event.next_before >= before) throw new Error(`a search below ${before} goes on at ${event.next_before}`);
      before = event.next_before;
      steps.push(ms);
    }
    totals.push(steps.slice(began).reduce((sum, ms) => sum + ms, 0));
  }
  const cost = await room.costSince(start, steps.length);
  if (cost.read * steps.length < searches * room.log.messages) throw new Error("a search has left messages out");
  note(findings, "search, a step that finds nothing", { warm: steps, cost });
  findings.lines.push(
    `A word that occurs nowhere: ${steps.length / searches} steps, ${both(totals)} ms in all, ` +
      `the longest step ${rounded(Math.max(...steps))} ms.`,
  );
  await socket.close();
}

/** From the very first position to the head, chunk after chunk: without a hole, and with everything. */
async function resume(room, findings) {
  const { log } = room;
  const first = await room.enter(READER);
  await first.close();
  const before = await room.spent();
  const socket = await room.enter(READER, { since: 0, epoch: first.hello.epoch });
  const times = [socket.ms];
  let { bytes } = socket;
  let { seq, more } = checkChunk(socket.hello, 0, log);
  while (more) {
    const answer = await socket.ask({ type: "resume", after: seq });
    times.push(answer.ms);
    bytes += answer.bytes;
    ({ seq, more } = checkChunk(answer.event, seq, log));
  }
  if (seq !== log.head) throw new Error(`the log ends at ${seq}, not at ${log.head}`);
  const cost = await room.costSince(before, times.length);
  await socket.close();
  note(findings, "resume, each 300 from the first on", { warm: times, cost, bytes: bytes / times.length });
  const seconds = times.reduce((sum, ms) => sum + ms, 0) / 1000;
  findings.lines.push(
    `The whole log: ${rounded(log.head)} events, ${rounded(bytes / 2 ** 20)} MiB in ${rounded(times.length)} chunks; ` +
      `${rounded(seconds)} s until they were there, ${rounded(log.head / seconds)} events/s; ` +
      `the slowest chunk ${rounded(Math.max(...times))} ms.`,
  );
}

/** What somebody who talks feels of those who catch up and search. */
async function talk(room, findings, { seconds, "pause-ms": pauseMs }) {
  const { head } = room.log;
  const occupations = {
    "while nobody does anything": undefined,
    "while somebody resumes": async (socket, after = 0) => {
      await socket.askText({ type: "resume", after });
      return (after + CHUNK) % head;
    },
    "while somebody searches": async (socket, before = head) => {
      const { text } = await socket.askText({ type: "search", query: WORD_OF_NOBODY, before });
      return Number(/"next_before":(\d+)/.exec(text)?.[1] ?? head);
    },
  };
  const [speaker] = speakers;
  const socket = await room.enter(speaker);
  let last = head;
  for (const [when, occupation] of Object.entries(occupations)) {
    const other = await room.enter(READER);
    let over = false;
    const occupied = (async () => {
      for (let place; occupation && !over; ) place = await occupation(other, place);
    })();
    const times = [];
    for (const end = performance.now() + seconds * 1000; performance.now() < end; await pause(pauseMs)) {
      const content = `sent ${when}, after ${last}`;
      const { message, ms } = await socket.say(content);
      if (message.id !== ++last || message.content !== content) throw new Error(`${content}: ${JSON.stringify(message)}`);
      times.push(ms);
    }
    over = true;
    await occupied;
    await other.close();
    note(findings, `a message sent ${when}`, { warm: times });
  }
  await socket.close();
}

/** What hardly anybody does, and what takes long. */
async function dear(room, findings) {
  const { log } = room;
  const first = await room.enter(HERMIT);
  for (const user of speakers) await first.ask({ type: "block", user_id: user, on: true });
  await first.close();
  const entering = await room.spent();
  const { hello, ms, close } = await room.enter(HERMIT);
  if (hello.unread.count !== 0) throw new Error(`hello: unread ${JSON.stringify(hello.unread)}`);
  note(findings, "hello of one who has blocked everybody", { warm: [ms], cost: await room.costSince(entering) });
  await close();

  const pruning = await room.spent();
  const pruned = await room.prune(log.middle);
  note(findings, "pruning half of it", { warm: [pruned.ms], cost: await room.costSince(pruning) });
  const reader = await room.enter(READER);
  const { event } = await reader.ask({ type: "history", around: log.middle });
  checkPage(event.messages, upFrom(log.middle + 1, log, PAGE / 2), log);
  await reader.close();
}
