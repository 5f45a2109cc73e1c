/**
 * Keeps a page as it is on the server: whenever the ferry tells something, what changes is fetched anew and put in
 * place. Without this script the page is a snapshot.
 */
import { clock, lose, note, stay } from "./charts.js";

const live = document.getElementById("live");
const list = document.getElementById("events");
const heardLine = document.getElementById("heard");
const awayLine = document.getElementById("away");
const undoneLine = document.getElementById("undone");
/** Milliseconds: between two fetches, without news until one is asked for, the same of a ferry that has ended. */
const PACE = 1000;
const QUIET = 2000;
const OVER = 10_000;
/** Milliseconds above those until the page says that it is old, and that one answer is waited for. */
const LATE = 3000;
const PATIENCE = 4000;
/** Milliseconds that something asked for may take: cancelling waits for what is in flight. */
const DEED = 30_000;
/** Milliseconds that it is said that something was not done, once the service is back. */
const TOLD = 10_000;
const SHOWN = 200;
const UNKNOWN = "The service that answers now does not know this ferry.";

let heard = Date.now();
/** The events, or `null` before they are asked for. */
let stream = null;
let wanted = false;
let fetching = false;
/** Whoever answers does not know the ferry: the next process knows only those whose servers it has names for. */
let unknown = false;
/** When it was told last that something was not done. */
let refused = 0;

const ended = () => live.querySelector("[data-ended]") !== null;
/** Milliseconds without news until the service is asked. */
const quiet = () => live.dataset.events !== undefined && ended() ? OVER : QUIET;

/** Fetches what changes. A second wish while one is under way is kept until the pace allows it. */
async function refresh() {
  wanted = true;
  if (fetching) return;
  fetching = true;
  try {
    while (wanted) {
      wanted = false;
      const answer = await fetch(live.dataset.live, {
        headers: { accept: "text/html" },
        redirect: "manual",
        signal: AbortSignal.timeout(PATIENCE),
      });
      // Whoever is not known any more is sent to where one signs in.
      if (answer.type === "opaqueredirect") return location.reload();
      unknown = answer.status === 404;
      if (answer.ok) {
        put(await answer.text());
        heard = Date.now();
        age();
      }
      await new Promise((done) => setTimeout(done, PACE));
    }
  } catch {
    // The service is away: the page says so, and is asked for again.
    unknown = false;
  } finally {
    fetching = false;
  }
}

function put(html) {
  const focused = live.contains(document.activeElement);
  const fresh = document.createElement("div");
  fresh.innerHTML = html;
  morph(live, fresh);
  const title = live.querySelector("[data-title]")?.dataset.title;
  if (title !== undefined) document.title = title;
  // The button that was pressed may be gone: whoever uses a keyboard goes on from the top.
  if (focused && !live.contains(document.activeElement)) {
    document.getElementById("main").focus({ preventScroll: true });
  }
}

/** Makes an element's children those of another one and keeps what is alike: what is typed, focused or moving stays. */
function morph(old, fresh) {
  let at = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    const match = alike(at, child) ? at : keyed(old, child);
    if (match === null) {
      old.insertBefore(child, at);
      continue;
    }
    if (match !== at) old.insertBefore(match, at);
    at = match.nextSibling;
    if (match.nodeType !== Node.ELEMENT_NODE) {
      if (match.nodeValue !== child.nodeValue) match.nodeValue = child.nodeValue;
    } else if (match.dataset.keep === undefined) {
      for (const { name } of [...match.attributes]) {
        if (!child.hasAttribute(name) && name !== "open") match.removeAttribute(name);
      }
      for (const { name, value } of child.attributes) {
        if (match.getAttribute(name) !== value) match.setAttribute(name, value);
      }
      morph(match, child);
    }
  }
  while (at !== null) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

const keyOf = (node) => node.nodeType === Node.ELEMENT_NODE ? node.dataset.key ?? node.id : "";
const alike = (a, b) => a !== null && a.nodeName === b.nodeName && keyOf(a) === keyOf(b);

/** A child that stands elsewhere, by its key. */
function keyed(old, child) {
  if (keyOf(child) === "") return null;
  return [...old.children].find((each) => alike(each, child)) ?? null;
}

/** Posts what a person asks for, so that what was drawn stays, and says why it was not done where it was not. */
async function post(event) {
  const form = event.target;
  event.preventDefault();
  refuse("");
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
      redirect: "manual",
      signal: AbortSignal.timeout(DEED),
    });
    if (answer.type !== "opaqueredirect") {
      refuse(
        await refusal(answer) ??
          `The answer is ${answer.status}. As far as this page knows, nothing was done.`,
      );
    }
    refresh();
  } catch {
    refuse("The service did not answer. As far as this page knows, nothing was done.");
  }
}

/** What the service says of what it did not do: a page of its own, or a problem. */
async function refusal(answer) {
  const text = await answer.text();
  if (!(answer.headers.get("content-type") ?? "").includes("json")) {
    return new DOMParser().parseFromString(text, "text/html").querySelector("[role=alert]:not([hidden])")
      ?.textContent;
  }
  const { detail } = problemOf(text);
  return detail && `${detail}. As far as this page knows, nothing was done.`;
}

/** A proxy may call JSON what is none. */
function problemOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

function refuse(text) {
  refused = Date.now();
  undoneLine.textContent = text;
  undoneLine.hidden = text === "";
  if (text !== "") undoneLine.scrollIntoView({ block: "nearest" });
}

/** Greys out what is old. The seconds count on for the eye; that the service is away is said once. */
function age() {
  const silent = Date.now() - heard;
  const old = silent > quiet() + LATE;
  live.classList.toggle("stale", old);
  if (!old && Date.now() - refused > TOLD) refuse("");
  heardLine.hidden = !old;
  const heardText = `Last heard ${Math.round(silent / 1000)} s ago. `;
  heardLine.textContent = heardText + (unknown ? UNKNOWN : "Trying to reach the service again.");
  const away = !old ? "" : unknown ? UNKNOWN : "The service does not answer. Trying to reach it again.";
  if (awayLine.textContent !== away) awayLine.textContent = away;
}

/** A time of day, with the date where that is not today's. */
function moment(date) {
  const today = date.toDateString() === new Date().toDateString();
  // In Swedish a date is written as in ISO 8601.
  return `${today ? "" : `${date.toLocaleDateString("sv")} `}${clock(date)}`;
}

/** The newest event stands first. */
function tell(message) {
  const { text, at } = JSON.parse(message.data);
  const item = document.createElement("li");
  item.dataset.id = message.lastEventId;
  item.className = message.type;
  const time = document.createElement("time");
  const date = at === undefined ? new Date() : new Date(at);
  time.dateTime = date.toISOString();
  time.textContent = moment(date);
  const words = document.createElement("span");
  words.textContent = text;
  item.append(time, words);
  list.prepend(item);
  while (list.childElementCount > SHOWN) list.lastElementChild.remove();
}

/**
 * Follows the events. The browser comes back by itself with Last-Event-ID, unless it was refused once. A page that nobody
 * sees holds no connection: a browser has six for a host, and every other page would wait for one.
 */
function follow() {
  let last = Number(list.dataset.after);
  const on = (type, then) =>
    stream.addEventListener(type, (message) => {
      heard = Date.now();
      last = Math.max(last, Number(message.lastEventId));
      then(message);
    });
  const open = () => {
    stream = new EventSource(`${live.dataset.events}?after=${last}`);
    on("progress", (message) => {
      note(JSON.parse(message.data));
      refresh();
    });
    for (const type of ["state", "log", "done", "failed", "cancelled"]) {
      on(type, (message) => {
        tell(message);
        const data = JSON.parse(message.data);
        if (data.progress !== undefined) note(data);
        // Behind the last one there is nothing to come back for.
        if (["done", "failed", "cancelled"].includes(type)) stream.close();
        refresh();
      });
    }
    stream.addEventListener("open", refresh);
    stream.addEventListener("error", lose);
  };
  const keep = () => {
    if (document.hidden) {
      stream?.close();
      lose();
    } else if (!ended() && (stream === null || stream.readyState === EventSource.CLOSED)) open();
  };
  keep();
  document.addEventListener("visibilitychange", keep);
  // A service that is being started again does not know the ferry at once, and a failed one may be tried again.
  setInterval(keep, QUIET);
}

if (live !== null) {
  if (list !== null) {
    for (const time of list.querySelectorAll("time")) time.textContent = moment(new Date(time.dateTime));
    follow();
    live.addEventListener("submit", post);
  }
  setInterval(() => {
    age();
    if (stream?.readyState === EventSource.OPEN && !live.classList.contains("stale")) stay();
    // Nothing new is no bad sign, as long as the service answers.
    if (Date.now() - heard > quiet()) refresh();
  }, PACE);
}
