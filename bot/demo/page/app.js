// Wires the page: who acts, what is shown, and what the server says.
import { Composer } from "./composer.js";
import { askToConfirm } from "./confirm.js";
import { connect, openHome, postAction, postMessage, postShortcut, postStop } from "./connection.js";
import { drawDetails, wireDetails } from "./entities.js";
import { el } from "./dom.js";
import { icon } from "./icons.js";
import { Log } from "./log.js";
import { counted, dots, Feed } from "./messages.js";
import { avatar, badge } from "./people.js";
import { drawSidebar, wireThemeButton } from "./sidebar.js";
import { Unread } from "./unread.js";
import { drawHome, drawModal, wireModal } from "./views.js";
import { Welcome } from "./welcome.js";
import { Workspace } from "./workspace.js";

// What one can try, by the name of the person; in channels the mention of the bot is put before it.
const SUGGESTIONS = {
  ana: [
    "Where is my order ORD-10234?",
    "Where are ORD-10234 and ORD-10235?",
    "Where are all my orders?",
    "My teapot from ORD-10188 arrived broken, I want my money back",
    'Please exchange line 1 of ORD-10188 for "1.2 l, black" and take the difference from my gift card',
    "I want to return line 1 of ORD-10188, I changed my mind, and the money onto my gift card",
    "Please send ORD-10251 to Ana Ruiz, 15 Pioneer Road, Provo, UT 84601, US",
    "What can you do?",
  ],
  ben: [
    "Why is ORD-10229 late?",
    "I got the wrong item in ORD-10176, please refund $20",
    "Where is Ana's order ORD-10234?",
    "What can you do?",
  ],
  dora: ["Please delete my account", "Which orders do I have?", "What can you do?"],
  sam: ["What can you do?"],
  default: ["What can you do?", "Where is my order?", "I want a refund"],
};

const COMMANDS = [
  { command: "/order", hint: "1001", about: "Shows one of your orders, to you alone" },
  { command: "/orders", hint: "", about: "Lists your orders, to you alone" },
];

const $ = (id) => document.getElementById(id);
const workspace = new Workspace();
const unread = new Unread(workspace);
const log = new Log($("log"), $("log-subtitle"));
const channelFeed = new Feed($("channel-feed"));
const threadFeed = new Feed($("thread-feed"));
const here = { acting: null, channel: null, thread: null };
let tab = "messages"; // of the app's direct message; the other is "home"
let awaitedRoot = null; // {user, channel} of a root message on its way, whose thread opens when it arrives
let callsSeen = null;

const people = () => {
  const { members } = workspace.channels.get(here.channel);
  const others = [...workspace.people.values()].filter(({ id }) => members.includes(id) && id !== here.acting);
  return others.sort((a, b) => Number(b.is_bot) - Number(a.is_bot));
};
const channelComposer = new Composer($("channel-composer"), {
  testid: "composer",
  label: "Message",
  send: sendRoot,
  people,
  commands: COMMANDS,
});
const threadComposer = new Composer($("thread-composer"), {
  testid: "thread-composer",
  label: "Reply",
  send: (text, files) => send(text, files, here.thread),
  people,
});

/** What the drawing modules see of the page, and what they may ask of it. */
const view = {
  workspace,
  unread,
  get acting() { return here.acting; },
  get channel() { return here.channel; },
  directory: () => ({ people: workspace.people, channels: workspace.channels, acting: here.acting }),
  mentionsBot: (text) => text.toLowerCase().includes(`@${workspace.nameOf(workspace.bot).toLowerCase()}`),
  choose: (person) => go({ acting: person }),
  openChannel: (channel) => go({ channel, thread: null }, "channel"),
  chooseShortcut: ({ channel, ts: message_ts }, callback_id) =>
    void postShortcut({ user: here.acting, channel, message_ts, callback_id }),
  openThread: (thread) => {
    go({ thread }, "thread");
    focusComposer(threadComposer);
  },
  canOpen: ({ channel, thread_ts }) =>
    workspace.channels.get(channel)?.members.includes(here.acting) && Boolean(workspace.message(channel, thread_ts)),
  openCall: (call) => go({ channel: call.channel, thread: call.thread_ts }, "thread"),
  pressing: (message) => ({
    confirm: (question) => askToConfirm(question, view.directory()),
    press: async (block, part) => {
      const { channel, ts: message_ts } = message;
      const { action_id, value = null } = part;
      const { block_id = null } = block;
      const answer = await postAction({ user: here.acting, channel, message_ts, action_id, block_id, value });
      return answer.ok ? null : (answer.error ?? "This app did not respond in time.");
    },
  }),
};

const welcome = new Welcome(view, channelComposer, SUGGESTIONS);

// --- where one is -------------------------------------------------------------------------------------------------

/** Go somewhere; what does not exist for the person falls back to what does. */
function go(change, pane = null, { remember = true } = {}) {
  const before = { ...here };
  Object.assign(here, change);
  const channels = workspace.channelsOf(here.acting);
  if (!channels.some(({ id }) => id === here.channel)) {
    const kind = workspace.channels.get(here.channel)?.kind ?? "channel";
    here.channel = (channels.find((channel) => channel.kind === kind) ?? channels[0]).id;
  }
  if (here.channel !== before.channel && !change.thread) here.thread = null;
  if (isDirect() && (here.channel !== before.channel || change.channel)) void openHome(here.acting, tab);
  if (pane) showPane(pane);
  else if (!here.thread && document.body.dataset.pane === "thread") showPane("channel");
  const hash = `#${[workspace.people.get(here.acting).name, here.channel, here.thread].filter(Boolean).join("/")}`;
  if (hash !== location.hash) history[remember ? "pushState" : "replaceState"](null, "", hash);
  render();
}

/** Read the address: `#sam/C0SUPPORT` or `#sam/C0SUPPORT/1763806298.000100`. */
function goToHash() {
  const [name, channel, thread = null] = decodeURIComponent(location.hash.slice(1)).split("/");
  const actors = [...workspace.people.values()].filter((person) => person.can_act);
  const acting = actors.find((person) => person.name === name)?.id ?? here.acting ?? actors[0].id;
  const isTheirs = workspace.channels.get(channel)?.members.includes(acting);
  const exists = thread && isTheirs && workspace.message(channel, thread);
  go({ acting, channel, thread: exists ? thread : null }, exists ? "thread" : null, { remember: false });
}

function showPane(pane) {
  document.body.dataset.pane = pane;
  for (const tab of document.querySelectorAll(".tab")) {
    const isCurrent = tab.dataset.paneTarget === (pane === "thread" ? "channel" : pane);
    tab.toggleAttribute("aria-current", isCurrent);
  }
}

function closeThread() {
  go({ thread: null }, "channel");
  focusComposer(channelComposer);
}

// A finger does not want the keyboard to jump up; a mouse or a keyboard wants to type on.
function focusComposer(composer) {
  if (matchMedia("(hover: hover)").matches) composer.focus();
}

// --- what one writes ----------------------------------------------------------------------------------------------

async function send(text, files, thread_ts = null) {
  const { acting: user, channel } = here;
  const answer = await postMessage({ user, channel, text, thread_ts, files: files.map(({ id }) => id) });
  return answer.ok ? null : answer.error;
}

/** Send a root message; the thread in which the bot will answer opens by itself. */
async function sendRoot(text, files = []) {
  const isCommand = text.startsWith("/"); // which begins no thread
  if (!isCommand && (isDirect() || view.mentionsBot(text))) awaitedRoot = { user: here.acting, channel: here.channel };
  const problem = await send(text, files);
  if (problem) awaitedRoot = null;
  return problem;
}

function openAwaited({ user, channel, ts, thread_ts }) {
  if (thread_ts || user !== awaitedRoot?.user || channel !== awaitedRoot.channel) return;
  awaitedRoot = null;
  if (user === here.acting && channel === here.channel) view.openThread(ts);
}

const isDirect = () => workspace.channels.get(here.channel)?.kind === "im";

// --- drawing ------------------------------------------------------------------------------------------------------

let drawing = false;

/** Draw everything once, after what is happening now. */
function render() {
  if (drawing) return;
  drawing = true;
  queueMicrotask(() => {
    drawing = false;
    drawChannel();
    drawTabs();
    drawModal(view);
    drawDetails(view);
    drawThread();
    markRead();
    drawSidebar(view);
    drawLog();
    drawTitle();
  });
}

function drawChannel() {
  const channel = workspace.channels.get(here.channel);
  const messages = workspace.roots(here.channel, here.acting);
  const title = workspace.titleOf(channel, here.acting);
  $("channel-title").replaceChildren(...(isDirect() ? [title] : [icon("hash", 18), title]));
  $("channel-topic").textContent = isDirect() ? "Direct message with the app" : channel.topic;
  const hidden = (words) => el("span", { class: "visually-hidden" }, words);
  const you = workspace.people.get(here.acting);
  $("you").replaceChildren(avatar(you, "small"), hidden("You are "), you.real_name, hidden(", change"));
  const counts = unread.of(you, channel);
  const place = `${here.acting}|${here.channel}`;
  channelFeed.show({
    place, messages, view,
    before: [welcome.start(messages.length === 0)],
    threadOf: ({ ts }) => ({
      ts,
      replies: workspace.lastingReplies(here.channel, ts, here.acting),
      unread: ts === here.thread ? 0 : (counts.threads.get(ts) ?? 0),
      status: workspace.status(here.channel, ts),
    }),
  });
  const [example] = welcome.suggestions;
  const shortest = welcome.suggestions.reduce((a, b) => (b.length < a.length ? b : a));
  channelComposer.moveTo(place, {
    placeholder: `Message ${isDirect() ? title : `#${title}`}, for example: ${example}`,
    narrow: `Try: ${shortest}`,
    label: `Message ${title}`,
  });
  welcome.drawHint();
}

/** The app's direct message has two tabs: its Home, and the messages. */
function drawTabs() {
  const home = isDirect() && tab === "home";
  $("home-tabs").hidden = !isDirect();
  for (const button of document.querySelectorAll(".home-tab")) {
    button.setAttribute("aria-selected", String((button.dataset.tab === "home") === home));
  }
  $("home").hidden = !home;
  $("channel-feed").hidden = $("channel-composer").hidden = home;
  if (home) drawHome(view);
}

function chooseTab(chosen) {
  tab = chosen;
  void openHome(here.acting, tab);
  go({ thread: null }, "channel");
}

function drawThread() {
  const root = here.thread && workspace.message(here.channel, here.thread);
  $("thread-pane").hidden = !here.thread;
  document.body.classList.toggle("has-thread", Boolean(here.thread));
  if (!here.thread) return;
  const channel = workspace.channels.get(here.channel);
  const title = workspace.titleOf(channel, here.acting);
  const replies = workspace.replies(here.channel, here.thread, here.acting);
  const place = `${here.acting}|${here.channel}|${here.thread}`;
  const session = workspace.session(here.channel, here.thread);
  const waits = session?.state === "suspended" ? " · waits for a decision" : "";
  $("thread-title").textContent = session?.title || "Thread";
  $("thread-subtitle").textContent = `${isDirect() ? title : `#${title}`}${waits}`;
  const lasting = workspace.lastingReplies(here.channel, here.thread, here.acting);
  const countAfterRoot = lasting.length > 0 && counted(lasting.length);
  threadFeed.show({ place, messages: root ? [root, ...replies] : replies, view, countAfterRoot, inThread: true });
  const status = workspace.status(here.channel, here.thread);
  const line = $("thread-status");
  if (line.dataset.status !== status) line.replaceChildren(...(status ? [dots(), status, stopButton()] : []));
  line.dataset.status = status;
  threadComposer.moveTo(place, { placeholder: "Reply…", narrow: "Reply…", label: `Reply in the thread in ${title}` });
}

function stopButton() {
  const button = el("button", { type: "button", class: "button button-stop" }, "Stop");
  button.addEventListener("click", () => {
    button.disabled = true;
    void postStop({ user: here.acting, channel: here.channel, thread_ts: here.thread });
  });
  return button;
}

/** What stands before the reader's eyes is read. */
function markRead() {
  if (document.hidden) return;
  const isSeen = (id) => $(id).getClientRects().length > 0;
  if (isSeen("channel-pane")) unread.markRead(here.acting, here.channel);
  if (here.thread && isSeen("thread-pane")) unread.markRead(here.acting, here.channel, here.thread);
}

function drawLog() {
  log.draw(view);
  const isSeen = $("log-pane").getClientRects().length > 0;
  if (isSeen || callsSeen === null) callsSeen = workspace.calls.size;
  const fresh = Math.max(0, workspace.calls.size - callsSeen);
  $("log-toggle").setAttribute("aria-expanded", isSeen);
  $("log-toggle").replaceChildren(icon("log", 18), "Live log", ...(fresh ? [badge(fresh)] : []));
  const tab = document.querySelector(".tab[data-icon=log] .tab-mark");
  tab.replaceChildren(...(fresh ? [badge(fresh)] : []));
}

function drawTitle() {
  const person = workspace.people.get(here.acting);
  const count = unread.badges(person);
  const channel = workspace.channels.get(here.channel);
  const title = workspace.titleOf(channel, here.acting);
  $("page-title").textContent = `${isDirect() ? title : `#${title}`} · ${workspace.name}`;
  document.title = `${count ? `(${count}) ` : ""}${$("page-title").textContent}`;
  const others = [...workspace.people.values()].filter(({ can_act: canAct }) => canAct);
  const all = others.reduce((sum, other) => sum + unread.badges(other), 0);
  document.querySelector(".tab[data-icon=home] .tab-mark").replaceChildren(...(all ? [badge(all)] : []));
}

// --- what the server says -----------------------------------------------------------------------------------------

const FRAMES = {
  snapshot: (frame) => {
    workspace.load(frame);
    unread.start();
    $("banner").hidden = true;
    if (here.acting === null) goToHash();
    else go({ thread: workspace.message(here.channel, here.thread) ? here.thread : null }, null, { remember: false });
  },
  message: ({ message }) => {
    workspace.putMessage(message);
    openAwaited(message);
  },
  deleted: (frame) => workspace.dropMessage(frame),
  view: ({ view: shown }) => workspace.putView(shown),
  details: ({ details }) => workspace.putDetails(details),
  status: ({ status }) => workspace.putStatus(status),
  session: ({ session }) => workspace.putSession(session),
  call: ({ call }) => workspace.putCall(call),
  prompts: ({ prompts }) => void (workspace.prompts = prompts),
};

function onFrame(frame) {
  FRAMES[frame.type]?.(frame);
  render();
}

function onLost() {
  $("banner").textContent = "Connection to the demo lost. Reconnecting…";
  $("banner").hidden = false;
}

function toggleLog(show = document.body.classList.contains("log-closed")) {
  document.body.classList.toggle("log-closed", !show);
  render();
  $(show ? "log-close" : "log-toggle").focus();
}

function wire() {
  for (const button of document.querySelectorAll(".back")) button.append(icon("back"));
  for (const id of ["thread-close", "log-close"]) $(id).append(icon("close"));
  for (const tab of document.querySelectorAll(".tab")) {
    tab.prepend(icon(tab.dataset.icon, 22), el("span", { class: "tab-mark" }));
  }
  for (const button of document.querySelectorAll("[data-pane-target]")) {
    button.addEventListener("click", () => {
      const target = button.dataset.paneTarget;
      if (target === "channel") go({ thread: null }, "channel");
      else showPane(target);
      render();
    });
  }
  document.querySelector(".skip-link").addEventListener("click", (event) => {
    event.preventDefault(); // the address says who and where one is
    $("channel-feed").focus();
  });
  $("thread-close").addEventListener("click", closeThread);
  $("log-close").addEventListener("click", () => toggleLog(false));
  $("log-toggle").addEventListener("click", () => toggleLog());
  document.body.classList.toggle("log-closed", matchMedia("(max-width: 1100px)").matches);
  window.addEventListener("popstate", () => here.acting && goToHash());
  document.addEventListener("visibilitychange", () => here.acting && render());
  for (const button of document.querySelectorAll(".home-tab")) {
    button.addEventListener("click", () => chooseTab(button.dataset.tab));
  }
  wireModal();
  wireDetails(view);
  wireThemeButton();
  showPane("channel");
  connect({ onFrame, onLost });
}

wire();
