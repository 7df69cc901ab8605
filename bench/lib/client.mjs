import WebSocket from "ws";

const PROTOCOL = "project-chat.v1";
const PATIENCE_MS = 60_000;

/**
 * A v1 socket that asks one thing at a time and tells how long the answer took; it keeps nothing. The clock is read
 * before the answer is parsed.
 *
 * ```js
 * const socket = await connect(worker, project, token);   // { hello, ms, … }
 * const { event, ms, bytes } = await socket.ask({ type: "history" });
 * ```
 */
export async function connect(worker, project, token, since) {
  const query = new URLSearchParams({ token, ...since });
  const began = performance.now();
  const socket = new WebSocket(`ws://127.0.0.1:${worker.port}/ws/chat/project/${project}/?${query}`, [PROTOCOL]);
  let waiting;
  let asked = 0;

  /** The next frame that holds `mark`: parsing every frame would slow down whoever else is measured meanwhile. */
  const next = (mark, began) => {
    let timer;
    return new Promise((done, fail) => {
      timer = setTimeout(() => fail(new Error(`No answer to ${mark} in ${PATIENCE_MS} ms`)), PATIENCE_MS);
      waiting = { mark, done, fail, began };
    }).finally(() => clearTimeout(timer));
  };
  socket.on("message", (data) => {
    const at = performance.now();
    const text = String(data);
    if (!waiting || !text.includes(waiting.mark)) return;
    const { done, began } = waiting;
    waiting = undefined;
    done({ text, ms: at - began, bytes: data.length });
  });
  const broken = (why) => waiting?.fail(new Error(why));
  socket.on("error", (error) => broken(error.message));
  socket.on("close", (code, reason) => broken(`closed with ${code} ${reason}`));

  /** Sends a frame; the frame that answers it as text. */
  const askText = (frame) => {
    const ref = `r${++asked}`;
    const text = JSON.stringify({ ...frame, ref });
    const answer = next(`"${ref}"`, performance.now());
    socket.send(text);
    return answer;
  };
  const ask = async (frame) => {
    const { text, ...figures } = await askText(frame);
    const event = JSON.parse(text).find((event) => event.ref === `r${asked}`);
    if (event.type === "error") throw new Error(`${frame.type}: ${event.code}: ${event.detail}`);
    return { event, ...figures };
  };
  /** Sends a message, and waits until it comes back: stored, and with its place in the log. */
  const say = (content) => {
    const id = `said-${crypto.randomUUID()}`;
    const answer = next(`"${id}"`, performance.now());
    socket.send(JSON.stringify({ type: "send_message", content, client_message_id: id }));
    return answer.then(({ text, ms }) => {
      const event = JSON.parse(text).find(({ message }) => message?.client_message_id === id);
      if (event?.type !== "new.message") throw new Error(`A message was answered with ${text.slice(0, 200)}`);
      return { message: event.message, ms };
    });
  };
  const close = () => new Promise((done) => (socket.once("close", done), socket.close()));

  const { text, ms, bytes } = await next('"hello"', began);
  return { hello: JSON.parse(text).find(({ type }) => type === "hello"), ms, bytes, ask, askText, say, close };
}
