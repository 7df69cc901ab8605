// The page for development: signs somebody in, lists their projects, shows the room that is open.

import { call, meet, nameOf, people, Problem, Room, toId } from "./room.js";

const CONTACTS_EVERY_MS = 30_000;
const GROUP_MS = 5 * 60_000;

const $ = (id) => document.getElementById(id);
const nodes = new Map();
let session;
let room;
let contacts = [];
let polling;
let rendering;
/** Messages that came below what is on the screen. */
let below = 0;
/** The newest message that was ever painted, and the key of the oldest one that is. */
let newestPainted = 0;
let oldestPainted;

function element(tag, properties, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

/** Makes `children` the children of `parent`, moving as little as possible: a reader's place and focus stay. */
function arrange(parent, children) {
  const focused = parent.contains(document.activeElement) && document.activeElement;
  children.forEach((child, i) => {
    if (parent.children[i] !== child) parent.insertBefore(child, parent.children[i] ?? null);
  });
  while (parent.children.length > children.length) parent.lastElementChild.remove();
  if (focused) focused.focus({ preventScroll: true });
}

function paintAvatar(node, id, name, picture) {
  const what = JSON.stringify([id, name, picture]);
  if (node.painted === what) return;
  node.painted = what;
  const hue = [...String(id)].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0) * 47) % 360, 7);
  node.style.setProperty("--hue", hue);
  const initials = String(name).trim().split(/\s+/).slice(0, 2).map((word) => [...word][0]);
  node.textContent = initials.join("").toUpperCase();
  if (/^https?:/.test(picture ?? "")) node.replaceChildren(element("img", { src: picture, alt: "" }));
}

const formatTime = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const formatDay = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const formatDate = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const isSameDay = (a, b) => a.toDateString() === b.toDateString();
function dayOf(date) {
  const yesterday = new Date();
  yesterday.setDate(yesterday.getDate() - 1);
  return isSameDay(date, new Date()) ? "Today" : isSameDay(date, yesterday) ? "Yesterday" : formatDay.format(date);
}

function listed(names) {
  const all = names.length > 3 ? [...names.slice(0, 2), `${names.length - 2} others`] : names;
  return all.length < 2 ? all.join("") : `${all.slice(0, -1).join(", ")} and ${all.at(-1)}`;
}

/** Whoever is known to have read this message, and nothing newer of ours: here stands "Seen by". */
function readersAt(index) {
  const { id } = room.items[index];
  const next = room.items.slice(index + 1).find((item) => item.mine && item.id)?.id ?? Infinity;
  const stopsHere = ([user, upTo]) => user !== session.id && upTo >= id && upTo < next;
  return [...room.marks].filter(stopsHere).map(([user]) => nameOf(user));
}

function render() {
  rendering ??= setTimeout(() => {
    rendering = undefined;
    if (room) renderRoom();
    renderContacts();
  });
}

function renderRoom() {
  const { state, text } = room.status;
  if ($("state").textContent !== text) $("state").textContent = text;
  $("state").dataset.state = state;
  $("reconnect").hidden = state === "open" || state === "connecting";
  $("message").disabled = state === "refused";
  $("title").textContent = titleOf(room.project);
  $("typing").textContent = typingText([...room.typists.keys()].map(nameOf));
  $("older").hidden = !room.hasOlder;
  const isEmpty = room.items.length === 0;
  $("nothing").hidden = !isEmpty;
  const waits = state === "connecting" ? "Loading…" : "";
  $("nothing").textContent = room.loaded ? "Nothing has been said here yet." : waits;

  const scroll = $("scroll");
  const fromEnd = scroll.scrollHeight - scroll.scrollTop;
  const wasAtEnd = isAtEnd();
  const isFirst = newestPainted === 0;
  const isOlder = room.items[0]?.key !== oldestPainted;
  // What had been said before is not announced.
  $("items").setAttribute("aria-live", isFirst || isOlder ? "off" : "polite");
  renderItems();
  const unseen = room.items.filter((item) => item.id > newestPainted);
  if (wasAtEnd || isFirst || unseen.some((item) => item.mine)) scrollToEnd();
  else if (isOlder) scroll.scrollTop = scroll.scrollHeight - fromEnd;
  if (!wasAtEnd && !isFirst) below += unseen.length;
  newestPainted = Math.max(newestPainted, room.newest?.id ?? 0);
  oldestPainted = room.items[0]?.key;
  renderEnd();
}

const isAtEnd = () => $("scroll").scrollHeight - $("scroll").scrollTop - $("scroll").clientHeight < 60;
const scrollToEnd = () => ($("scroll").scrollTop = $("scroll").scrollHeight);

/** At the end, in a window that can be seen, the newest message is read. */
function renderEnd() {
  if (!room) return;
  if (isAtEnd()) below = 0;
  $("down").hidden = below === 0;
  $("down").textContent = `${below} new ↓`;
  if (isAtEnd() && document.visibilityState === "visible") room.read();
}

function typingText(names) {
  return names.length === 0 ? "" : `${listed(names)} ${names.length === 1 ? "is" : "are"} typing…`;
}

function renderItems() {
  const children = [];
  const used = new Set();
  room.items.forEach((item, i) => {
    const [before, after] = [room.items[i - 1], room.items[i + 1]];
    if (!before || !isSameDay(before.at, item.at)) {
      const day = keyed(`day ${item.at.toDateString()}`, used, () => element("li", { className: "day" }));
      if (day.textContent !== dayOf(item.at)) day.textContent = dayOf(item.at);
      children.push(day);
    }
    const node = keyed(item.key, used, makeMessage);
    const readers = item.mine ? readersAt(i) : [];
    paintMessage(node, item, !isTogether(before, item), !isTogether(item, after), readers);
    children.push(node);
  });
  for (const key of nodes.keys()) if (!used.has(key)) nodes.delete(key);
  arrange($("items"), children);
}

function isTogether(a, b) {
  return !!a && !!b && a.sender === b.sender && b.at - a.at < GROUP_MS && isSameDay(a.at, b.at);
}

function keyed(key, used, make) {
  used.add(key);
  if (!nodes.has(key)) nodes.set(key, make());
  return nodes.get(key);
}

function makeMessage() {
  const parts = {
    avatar: element("span", { className: "avatar", ariaHidden: "true" }),
    who: element("p", { className: "who" }),
    text: element("p", { className: "text", dir: "auto" }),
    time: element("time", {}),
    meta: element("span", { className: "meta", ariaLive: "off" }),
    note: element("p", { className: "note" }),
  };
  parts.meta.append(parts.time);
  const bubble = element("div", { className: "bubble" }, parts.text, parts.meta);
  const body = element("div", { className: "body" }, parts.who, bubble, parts.note);
  return Object.assign(element("li", {}, parts.avatar, body), { parts });
}

function paintMessage(node, item, isFirst, isLast, readers) {
  const { parts } = node;
  const name = item.mine ? "You" : nameOf(item.sender);
  const picture = people.get(item.sender)?.picture;
  const what = JSON.stringify([item, name, picture, isFirst, isLast, readers]);
  if (node.painted === what) return;
  node.painted = what;
  node.dataset.id = item.id ?? "";
  node.className = `message${item.mine ? " mine" : ""}${isFirst ? " first" : ""}${isLast ? " last" : ""}`;
  paintAvatar(parts.avatar, item.sender, name, picture);
  parts.who.textContent = name;
  parts.text.textContent = item.content;
  parts.time.textContent = formatTime.format(item.at);
  parts.time.dateTime = item.at.toISOString();
  parts.time.title = item.at.toLocaleString();
  if (item.mine) paintTicks(parts, item, readers);
}

function paintTicks({ meta, time, note }, item, readers) {
  const state = item.problem ? "problem" : !item.id ? "sending" : item.readAt ? "seen" : "sent";
  const seen = readers.length > 0 ? `Seen by ${listed(readers)}` : "Seen";
  const ticks = $("ticks").content.firstElementChild.cloneNode(true);
  ticks.setAttribute("aria-label", { problem: "Not sent", sending: "Sending", sent: "Sent", seen }[state]);
  ticks.dataset.state = state;
  meta.replaceChildren(time, ticks);
  if (state === "problem") {
    const button = (textContent, onclick) =>
      element("button", { className: "plain", type: "button", textContent, onclick });
    const again = button("Try again", () => room.transmit(item));
    note.replaceChildren(`Not sent. ${item.problem} `, again, button("Discard", () => room.discard(item)));
  } else {
    note.textContent = state === "seen" && readers.length > 0 ? seen : "";
  }
}

const contactOf = (project) => contacts.find((contact) => contact.id === project);
const titleOf = (project) => contactOf(project)?.project_info.name ?? `Project ${project}`;

function renderContacts() {
  const unread = contacts.reduce((sum, contact) => sum + contact.unread_count, 0);
  const title = `${room ? titleOf(room.project) : "project-chat"} · ${session.name}`;
  document.title = unread > 0 ? `(${unread}) ${title}` : title;
  $("no-contacts").hidden = contacts.length > 0 || !$("contacts-problem").hidden;
  const known = new Map([...$("contacts").children].map((node) => [node.project, node]));
  const nodeOf = ({ id }) => known.get(id) ?? makeContact(id);
  arrange($("contacts"), contacts.map((contact) => paintContact(nodeOf(contact), contact)));
}

function makeContact(project) {
  const names = ["avatar", "name", "when", "preview", "unread"];
  const parts = Object.fromEntries(names.map((name) => [name, element("span", { className: name })]));
  parts.avatar.ariaHidden = "true";
  const button = element("button", { type: "button", onclick: () => go(project) }, ...Object.values(parts));
  return Object.assign(element("li", {}, button), { project, parts, button });
}

function paintContact(node, { project_info, contact_info, unread_count, last_message_preview, last_message_at }) {
  const { parts, button } = node;
  paintAvatar(parts.avatar, contact_info.id, contact_info.username, contact_info.profile_pic);
  const at = last_message_at && new Date(last_message_at);
  const texts = {
    name: project_info.name ?? `Project ${project_info.id}`,
    when: at ? (isSameDay(at, new Date()) ? formatTime : formatDate).format(at) : "",
    preview: last_message_preview,
    unread: unread_count > 0 ? String(unread_count) : "",
  };
  for (const [part, text] of Object.entries(texts)) parts[part].textContent = text;
  if (unread_count > 0) parts.unread.append(element("span", { className: "unseen", textContent: " unread" }));
  button.setAttribute("aria-current", String(room?.project === node.project));
  return node;
}

async function loadContacts() {
  const asked = session;
  try {
    const { answer } = await call(session, "api/chat/contacts/");
    if (asked !== session) return;
    contacts = answer;
    for (const { id, contact_info } of contacts) if (contact_info.id !== id) meet(contact_info);
    $("contacts-problem").hidden = true;
  } catch (problem) {
    if (asked !== session) return;
    $("contacts-problem").textContent = problem.message;
    $("contacts-problem").hidden = false;
  }
  render();
}

const pollContacts = () => session && document.visibilityState === "visible" && loadContacts();

/** What the open room tells is not waited for until the next poll. */
function roomChanged() {
  const contact = contactOf(room?.project);
  const { newest, loaded } = room ?? {};
  if (room?.hasStranger || (loaded && !contact && !room.isListed)) {
    Object.assign(room, { hasStranger: false, isListed: true });
    loadContacts();
  }
  if (newest && contact) {
    const isNews = newest.at > new Date(contact.last_message_at ?? 0);
    const isMissed = !isAtEnd() || document.visibilityState === "hidden";
    if (newest.mine || room.marks.get(session.id) >= newest.id) contact.unread_count = 0;
    else if (isNews && isMissed) contact.unread_count++;
    if (isNews) {
      Object.assign(contact, { last_message_preview: newest.content, last_message_at: newest.at.toISOString() });
      contacts.sort((a, b) => activity(b) - activity(a));
    }
  }
  render();
}

const activity = (contact) => new Date(contact.last_message_at ?? contact.created_at);

// --- Where we are ---

/** Opens what the address names; without a project, the list alone. */
function show() {
  const wanted = new URLSearchParams(location.search).get("project") ?? "";
  const project = wanted && toId(wanted);
  $("door").hidden = !!session;
  $("app").hidden = !session;
  if (!session || room?.project === project) return;
  room?.leave();
  room = undefined;
  nodes.clear();
  $("items").replaceChildren();
  below = newestPainted = 0;
  $("app").toggleAttribute("data-open", project !== "");
  $("message").value = "";
  if (project !== "") {
    room = new Room(project, session, roomChanged);
    if (matchMedia("(hover: hover)").matches) $("message").focus();
  } else {
    $("project").focus();
  }
  paintSecond(project);
  render();
}

function go(project) {
  const url = new URL(location.href);
  if (project === "") url.searchParams.delete("project");
  else url.searchParams.set("project", project);
  history.pushState(null, "", url);
  show();
}

/** A link to the same place as somebody else, in a window of their own. */
function paintSecond(project) {
  const [id, name] = session.id === 8 ? [7, "Ann"] : [8, "Ben"];
  $("second").textContent = `Open a window as ${name}`;
  $("second").href = `?${new URLSearchParams({ as: `${id}:${name}`, ...(project !== "" && { project }) })}`;
  $("second").hidden = session.server !== home;
}

const home = new URL("/", location.href).href;

/** By development sign-in, or with a token that the application issued. */
async function signIn({ id, name, token, server = home }) {
  if (token) {
    const claims = claimsOf(token);
    const user = toId(String(claims.user_id ?? claims.sub ?? ""));
    return enter({ server, token, id: user, name: claims.username ?? claims.name ?? `User ${user}` });
  }
  try {
    const { answer } = await call({ server }, "dev/token/", { user_id: toId(id), username: name || null });
    enter({ server, token: answer.access, id: toId(id), name: name || `User ${id}` });
  } catch (problem) {
    if (problem.code !== "not_found") throw problem;
    throw new Problem("Development sign-in is off here (it needs a JWT_SECRET that begins with dev-). Use a token.");
  }
}

/** Not checked, only read: whether it is good is for the server to say. */
function claimsOf(token) {
  try {
    const base64 = token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes)) ?? {};
  } catch {
    throw new Problem("This is not an access token: it should look like eyJ….eyJ….….");
  }
}

function enter(signedIn) {
  session = signedIn;
  sessionStorage.setItem("session", JSON.stringify(session));
  meet({ id: session.id, username: session.name });
  $("my-name").textContent = session.name;
  paintAvatar($("my-avatar"), session.id, session.name);
  clearInterval(polling);
  polling = setInterval(pollContacts, CONTACTS_EVERY_MS);
  loadContacts();
  show();
}

function signOut() {
  room?.leave();
  sessionStorage.removeItem("session");
  location.replace(location.pathname);
}

function signInProblem(problem) {
  $("sign-in-problem").textContent = problem.message;
  $("sign-in-problem").hidden = false;
}

$("sign-in").onsubmit = async (event) => {
  event.preventDefault();
  const value = (id) => $(id).value.trim();
  try {
    const server = value("server") ? new URL(value("server").replace(/\/*$/, "/")).href : home;
    await signIn({ id: value("user-id"), name: value("user-name"), token: value("token"), server });
  } catch (problem) {
    signInProblem(problem);
  }
};
$("token").oninput = () => ($("user-id").required = !$("token").value.trim());
$("sign-out").onclick = signOut;
$("open").onsubmit = (event) => {
  event.preventDefault();
  const project = $("project").value.trim();
  $("project").value = "";
  if (project) go(toId(project));
};
$("back").onclick = () => go("");
$("reconnect").onclick = () => room.reconnect();
$("older").onclick = async () => {
  $("older").disabled = true;
  await room.loadOlder().catch((problem) => ($("state").textContent = problem.message));
  $("older").disabled = false;
};
$("scroll").onscroll = renderEnd;
$("down").onclick = scrollToEnd;
$("message").oninput = () => room.types($("message").value);
$("message").onkeydown = (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $("compose").requestSubmit();
};
$("compose").onsubmit = (event) => {
  event.preventDefault();
  const content = $("message").value.trim();
  if (content) room.send(content);
  $("message").value = "";
  $("message").focus();
};
addEventListener("popstate", show);
addEventListener("focus", pollContacts);
document.addEventListener("visibilitychange", () => (pollContacts(), renderEnd()));
addEventListener("online", () => room?.status.state === "waiting" && room.reconnect());

const stored = JSON.parse(sessionStorage.getItem("session") ?? "null");
const [, asId, asName] = /^([^:]+):?(.*)$/.exec(new URLSearchParams(location.search).get("as") ?? "") ?? [];
if (asId && !(stored?.id === toId(asId) && stored.name === (asName || `User ${asId}`))) {
  $("user-id").value = asId;
  $("user-name").value = asName;
  signIn({ id: asId, name: asName }).catch((problem) => (show(), signInProblem(problem)));
} else if (stored) {
  enter(stored);
} else {
  show();
}
