// The phone page: each phone is drawn from the carrier's snapshots of it; nothing is kept here but
// which phones are open and what a person ignored or closed.
"use strict";

const CHIPS = ["Remind in 10 seconds about tea", "LIST", "HELP"];
const KEYS = [["1", "done"], ["2", "snooze"], ["3"], ["4"], ["5"], ["6"], ["7"], ["8"], ["9", "never"], ["*"], ["0"], ["#"]];
const FIRST_NUMBER = "+12025550123";
const PHONES_MAX = 6;
const UNITS = { s: 1, m: 60, h: 3600 };
const ENDED = { completed: "Call ended", busy: "Declined", "no-answer": "Not answered", failed: "The call failed", canceled: "Cancelled by Ringback" };
const GONE_AFTER_SECONDS = 90;

const one = (selector, root = document) => root.querySelector(selector);
const phones = new Map();
const opened = Date.now();
let about = { service_number: "", public_base: "", tier: "", run: ".ringback/run" };
let stream = null;

const pretty = (number) => number.replace(/^(\+1)(\d{3})(\d{3})(\d{4})$/, "$1 $2 $3 $4");
const clock = (text) => new Date(text).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const seconds = (from, to) => Math.max(0, Math.round((new Date(to) - new Date(from)) / 1000));
const span = (n) => (n < 60 ? `${n} s` : n < 3600 ? `${Math.floor(n / 60)}:${String(n % 60).padStart(2, "0")} min` : `${Math.floor(n / 3600)} h ${Math.floor((n % 3600) / 60)} min`);

function element(tag, name, text) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  return made;
}

function announce(text) {
  one("#announcer").textContent = text;
}

async function post(path, body) {
  try {
    const reply = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body || {}) });
    if (reply.ok) return null;
    return (await reply.json()).error || `error ${reply.status}`;
  } catch {
    return "the carrier does not answer";
  }
}

// --- sound -------------------------------------------------------------------------------------------
const sound = {
  on: true, context: null, tone: null,
  wake() {
    if (!this.context && window.AudioContext) this.context = new AudioContext();
    this.context?.resume();
  },
  ring(wanted) {
    const should = wanted && this.on && this.context?.state === "running";
    if (should === Boolean(this.tone)) return;
    if (!should) {
      this.tone.forEach((part) => part.stop());
      this.tone = null;
      return;
    }
    const gain = this.context.createGain();
    gain.connect(this.context.destination);
    gain.gain.value = 0;
    for (let second = 0; second < 600; second += 3) {
      for (const burst of [0, 0.6]) {
        const at = this.context.currentTime + second + burst;
        gain.gain.setTargetAtTime(0.09, at, 0.02);
        gain.gain.setTargetAtTime(0, at + 0.4, 0.03);
      }
    }
    this.tone = [440, 554.4].map((frequency) => {
      const part = this.context.createOscillator();
      part.frequency.value = frequency;
      part.connect(gain);
      part.start();
      return part;
    });
  },
  say(text) {
    if (!this.on || !window.speechSynthesis) return;
    window.speechSynthesis.speak(new SpeechSynthesisUtterance(text));
  },
  hush() {
    window.speechSynthesis?.cancel();
  },
};

// --- one phone ---------------------------------------------------------------------------------------
class Phone {
  constructor(number) {
    this.number = number;
    this.ignored = null;
    this.closed = null;
    this.talking = null;
    this.snapshot = { messages: [], calls: [] };
    this.root = one("#phone").content.cloneNode(true).firstElementChild;
    this.part = (selector) => one(selector, this.root);
    this.part(".number").value = pretty(number);
    this.part(".hint").textContent = about.service_number ? `Texts go to Ringback at ${pretty(about.service_number)}.` : "";
    this.build();
    this.listen();
    one("#phones").append(this.root);
    this.draw();
  }

  build() {
    for (const text of CHIPS) {
      const chip = element("button", "chip", text);
      chip.type = "button";
      chip.addEventListener("click", () => this.send(text));
      this.part(".chips").append(chip);
    }
    for (const [key, meaning] of KEYS) {
      const button = element("button", meaning ? "key known" : "key", key);
      button.type = "button";
      if (meaning) button.append(element("small", "", meaning));
      button.setAttribute("aria-label", { "*": "star", "#": "hash" }[key] || (meaning ? `${key}, ${meaning}` : key));
      button.addEventListener("click", () => this.press(key));
      this.part(".keys").append(button);
    }
  }

  listen() {
    const on = (selector, event, deed) => this.part(selector).addEventListener(event, deed);
    on(".number", "change", () => this.renumber());
    on(".remove", "click", () => remove(this));
    on(".compose", "submit", (event) => {
      event.preventDefault();
      this.send(this.part(".body").value, true);
    });
    on(".answer", "click", () => this.deed("answer"));
    on(".decline", "click", () => this.deed("decline"));
    on(".hangup", "click", () => this.deed("hangup"));
    on(".ignore", "click", () => {
      this.ignored = this.call?.sid;
      this.draw();
      this.part(".body").focus();
    });
    on(".close", "click", () => {
      this.closed = this.call?.sid;
      this.draw();
      this.part(".body").focus();
    });
    on(".copy", "click", (event) => copy(event.currentTarget, this.part(".copyable code").textContent));
    this.root.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this.part(".receipt").hidden) this.part(".close").click();
      const typing = event.target.tagName === "INPUT";
      if (!typing && this.talking && /^[0-9*#]$/.test(event.key) && !event.ctrlKey && !event.metaKey) this.press(event.key);
    });
  }

  get call() {
    return this.snapshot.calls.filter((call) => call.state !== "queued").at(-1);
  }

  wrong(text) {
    this.part(".wrong").hidden = !text;
    this.part(".wrong").textContent = text || "";
  }

  renumber() {
    const number = this.part(".number").value.replace(/[\s().-]/g, "");
    if (!/^\+[1-9]\d{6,14}$/.test(number)) return this.wrong("A number begins with + and its country, such as +1 202 555 0123.");
    if (number !== this.number && phones.has(number)) return this.wrong("That phone is here already.");
    this.wrong("");
    phones.delete(this.number);
    phones.set(number, this);
    this.number = number;
    this.part(".number").value = pretty(number);
    this.part(".messages").replaceChildren();
    this.update({ messages: [], calls: [] });
    watch();
  }

  async send(body, typed) {
    if (!body.trim()) return;
    this.closed = this.call?.sid;
    const problem = await post("/sim/sms", { from: this.number, body });
    this.wrong(problem);
    if (typed && !problem) this.part(".body").value = "";
  }

  async deed(what) {
    if (what === "answer") sound.wake();
    this.wrong(await post(`/sim/calls/${this.call.sid}/${what}`));
  }

  async press(key) {
    sound.hush();
    this.wrong(await post(`/sim/calls/${this.call.sid}/press`, { digits: key }));
  }

  update(snapshot) {
    this.snapshot = snapshot;
    this.draw();
  }

  draw() {
    this.drawMessages();
    this.drawCall();
    this.drawReceipt();
    this.tick();
    ringing();
  }

  drawMessages() {
    const list = this.part(".messages");
    const known = new Map([...list.children].map((item) => [item.dataset.sid, item]));
    for (const message of this.snapshot.messages) {
      let item = known.get(message.sid);
      if (!item) {
        item = element("li", `bubble ${message.direction}`);
        item.dataset.sid = message.sid;
        item.append(element("span", "unseen", message.direction === "in" ? "You: " : "Ringback: "), element("p", "", message.body), element("small"));
        list.append(item);
        list.scrollTop = list.scrollHeight;
      }
      known.delete(message.sid);
      const note = noteOn(message);
      const small = one("small", item);
      if (small.textContent !== note.text) small.textContent = note.text;
      item.classList.toggle("bad", note.bad);
    }
    known.forEach((item) => item.remove());
    this.part(".empty").hidden = this.snapshot.messages.length > 0;
  }

  drawCall() {
    const call = this.call;
    const state = call && { ringing: this.ignored === call.sid || call.direction === "in" ? "" : "ringing", "in-progress": "talking" }[call.state];
    const panel = this.part(".call");
    const before = panel.dataset.state || "";
    const held = this.root.contains(document.activeElement);
    panel.dataset.state = state || "";
    panel.hidden = !state;
    this.root.classList.toggle("ringing", state === "ringing");
    this.talking = state === "talking" ? call.sid : null;
    if (before !== (state || "")) this.turn(before, state || "", held);
    if (!state) return;
    this.part(".state").textContent = state === "ringing" ? "is calling" : "";
    const words = this.part(".words");
    if (words.dataset.sid !== call.sid) words.replaceChildren();
    words.dataset.sid = call.sid;
    for (const text of call.heard.slice(words.children.length)) {
      words.append(element("li", "", text));
      words.scrollTop = words.scrollHeight;
      sound.say(text);
    }
  }

  // The call came, was answered or ended: tell it, and move the focus with it where it was here.
  turn(before, state, held) {
    if (state === "ringing") announce(`${pretty(this.number)}: Ringback is calling.`);
    if (before === "talking") sound.hush();
    if (held && state) this.part(".call").focus({ preventScroll: true });
    if (held && !state && before) this.part(".body").focus({ preventScroll: true });
  }

  drawReceipt() {
    const call = this.call;
    const fresh = call && ENDED[call.state] && new Date(call.ended_at) > opened - 1000 && this.closed !== call.sid;
    const card = this.part(".receipt");
    card.hidden = !fresh;
    if (!fresh || card.dataset.sid === call.sid + call.state) return;
    card.dataset.sid = call.sid + call.state;
    const answered = Boolean(call.answered_at);
    const facts = [["Rang", call.ringing_at ? clock(call.ringing_at) : "not at all"]];
    facts.push(["Ended", `${answered ? "Answered" : ENDED[call.state]}${answered ? `, ${span(Math.max(1, seconds(call.answered_at, call.ended_at)))} long` : ""}`]);
    if (call.heard.length) facts.push(["You heard", call.heard.join(" ")]);
    if (call.pressed) facts.push(["You pressed", call.pressed.split("").map((key) => `${key}${(KEYS.find(([known]) => known === key) || [])[1] ? ` (${KEYS.find(([known]) => known === key)[1]})` : ""}`).join(", ")]);
    one("dl", card).replaceChildren(...facts.flatMap(([name, value]) => [element("dt", "", name), element("dd", "", value)]));
    const free = answered ? "" : "Not answered, so the call is free. Ringback tries again by its plan.";
    one(".charge", card).textContent = isNaive() ? "Charged, since it was sent: this tier does not ask whether anybody picked up." : free;
    one(".copyable", card).hidden = one(".trace", card).hidden = isNaive();
    if (answered && !isNaive()) charge(call.sid, one(".charge", card));
    one("code", card).textContent = `./manage.py statement ${this.number}`;
    one(".trace", card).href = traceOf(this.number);
    announce(`${pretty(this.number)}: ${ENDED[call.state]}.`);
  }

  // The countdown: made of the words of the text, since only Ringback knows when it is really due.
  tick() {
    const now = Date.now();
    const waiting = this.snapshot.messages.map(dueOf).filter(Boolean)
      .filter((due) => now - due.at < GONE_AFTER_SECONDS * 1000 && !this.snapshot.calls.some((call) => call.direction === "out" && new Date(call.at) >= due.at - 1500));
    const due = waiting.sort((a, b) => a.at - b.at)[0];
    const strip = this.part(".due");
    strip.hidden = !due;
    if (!due) return;
    const left = Math.ceil((due.at - now) / 1000);
    const more = waiting.length > 1 ? `, and ${waiting.length - 1} more` : "";
    this.part(".when").textContent = left > 0 ? `Rings in ${span(left)}${more}` : `Due ${span(-left)} ago: it still has to ring${more}`;
    strip.classList.toggle("late", left < -2);
    this.part(".dial").dataset.step = String(Math.max(0, Math.min(12, Math.round((12 * (due.at - now)) / (due.at - due.from)))));
  }
}

// What Ringback's ledger says of a call; asked again while it is not settled yet.
async function charge(sid, place, left = 10) {
  let said = null;
  try {
    said = (await (await fetch(`${about.public_base}/receipt?call=${encodeURIComponent(sid)}`)).json()).said;
  } catch { /* Ringback is away: ask again */ }
  if (said || left === 0) place.textContent = said || "Ringback does not answer just now; the ledger knows:";
  if (!said && left > 0) setTimeout(() => charge(sid, place, left - 1), 500);
}

function noteOn(message) {
  if (message.direction === "out") return { text: clock(message.at), bad: false };
  if (!message.taken) return { text: `${clock(message.at)} · sending`, bad: false };
  const { status, ms } = message.taken;
  if (status >= 200 && status < 300) return { text: `${clock(message.at)} · accepted in ${ms} ms`, bad: false };
  return { text: `${clock(message.at)} · ${status ? `refused (${status})` : "Ringback did not answer"}`, bad: true };
}

function dueOf(message) {
  const found = message.direction === "in" && /^\s*remind\b.*?\bin\s+(\d{1,5}|an?)\s*(s|m|h)(?:ec(?:ond)?s?|in(?:ute)?s?|(?:ou)?rs?)?\b/i.exec(message.body);
  if (!found || (message.taken && message.taken.status >= 400)) return null;
  const count = /^an?$/i.test(found[1]) ? 1 : Number(found[1]);
  const from = new Date(message.at).getTime();
  return { from, at: from + count * UNITS[found[2].toLowerCase()] * 1000 };
}

// --- the page ----------------------------------------------------------------------------------------
const isNaive = () => about.tier === "naive"; // it keeps no history, no books, and no promise
const traceOf = (number) => `${about.public_base}/trace/?number=${encodeURIComponent(number)}`;

function ringing() {
  sound.ring([...phones.values()].some((phone) => phone.root.classList.contains("ringing")));
}

function watch() {
  stream?.close();
  keep();
  stream = new EventSource("/sim/events?" + [...phones.keys()].map((number) => `number=${encodeURIComponent(number)}`).join("&"));
  stream.onopen = () => line("connected", true);
  stream.onerror = () => line("the carrier is away; trying again", false);
  stream.onmessage = (event) => {
    const snapshot = JSON.parse(event.data);
    phones.get(snapshot.number)?.update(snapshot);
  };
}

function line(text, good) {
  one("#line").textContent = text;
  document.body.classList.toggle("away", !good);
}

function keep() {
  try {
    localStorage.setItem("phones", JSON.stringify([...phones.keys()]));
  } catch { /* a browser that keeps nothing serves as well */ }
  document.body.classList.toggle("single", phones.size === 1);
  one("#add").disabled = phones.size >= PHONES_MAX;
}

function kept() {
  try {
    const numbers = JSON.parse(localStorage.getItem("phones"));
    if (Array.isArray(numbers) && numbers.length) return numbers.filter((number) => /^\+[1-9]\d{6,14}$/.test(number)).slice(0, PHONES_MAX);
  } catch { /* as above */ }
  return [];
}

function add() {
  let last = Number(FIRST_NUMBER.slice(-2));
  while (phones.has(`+120255501${String(last).padStart(2, "0")}`)) last = (last + 1) % 100;
  const number = `+120255501${String(last).padStart(2, "0")}`;
  const phone = new Phone(number);
  phones.set(number, phone);
  watch();
  one(".body", phone.root).focus();
}

function remove(phone) {
  phones.delete(phone.number);
  phone.root.remove();
  ringing();
  watch();
  one("#add").focus();
}

async function copy(button, text) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Select and copy";
  }
  announce(button.textContent);
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
}

function breaks() {
  const quoted = (path) => (/^[\w./-]+$/.test(path) ? path : `'${path.replace(/'/g, "'\\''")}'`);
  const kill = (name) => `kill -9 "$(cat ${quoted(`${about.run}/${name}.pid`)})"`;
  const list = [
    ["Kill the worker", kill("worker-1"), "The lease runs out, another takes the reminder over: it rings, a little later."],
    ["Kill the web", kill("web-1"), "For a moment texts are not accepted; the carrier's own list fills the gap."],
    ["Kill Redis", kill("redis"), "Redis is only the doorbell: the reminders are rows in Postgres."],
    ["Kill this carrier", kill("carrier"), "The page comes back by itself; an unknown outcome is looked up, never dialled blindly."],
    ["Then check every promise", "./manage.py audit", "It says which of P1 to P9 hold, and names each break."],
  ];
  const naive = [
    ["Kill the worker", kill("worker-1"), "It takes every waiting reminder along; Redis gives them out again after an hour."],
    ["Kill Redis", kill("redis"), "It holds the only due time of each reminder."],
    ["Kill the web", kill("web-1"), "A text that is refused meanwhile is gone: nobody looks for it."],
  ];
  if (isNaive()) one("#promise").textContent = "On this tier nothing sees to it that the phone rings.";
  for (const [name, command, effect] of isNaive() ? naive : list) {
    const item = element("li");
    const code = element("div", "copyable");
    const button = element("button", "copy", "Copy");
    button.type = "button";
    button.setAttribute("aria-label", `Copy: ${name}`);
    button.addEventListener("click", () => copy(button, command));
    code.append(element("code", "", command), button);
    item.append(element("h3", "", name), code, element("p", "", effect));
    one("#breaks").append(item);
  }
}

async function start() {
  try {
    about = await (await fetch("/sim/about")).json();
  } catch { /* the stream says that the carrier is away */ }
  one("#trace").href = `${about.public_base}/trace/`;
  one("#trace").hidden = isNaive();
  breaks();
  for (const number of kept().length ? kept() : [FIRST_NUMBER]) phones.set(number, new Phone(number));
  one("#add").addEventListener("click", add);
  one("#sound").addEventListener("click", (event) => {
    sound.on = !sound.on;
    event.currentTarget.setAttribute("aria-pressed", String(sound.on));
    event.currentTarget.textContent = sound.on ? "Sound on" : "Sound off";
    if (!sound.on) sound.hush();
    ringing();
  });
  for (const event of ["pointerdown", "keydown"]) document.addEventListener(event, () => { sound.wake(); ringing(); }, { passive: true });
  setInterval(() => phones.forEach((phone) => phone.tick()), 250);
  watch();
}

start();
