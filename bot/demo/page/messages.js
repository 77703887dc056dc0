// Draws message rows and keeps a feed of them scrolled where its reader wants it.
import { drawBlocks, sentPictures } from "./blocks.js";
import { clock, dateOf, dayLabel, fullDate, whenLabel } from "./dates.js";
import { arrange, el } from "./dom.js";
import { drawEntities } from "./entities.js";
import { icon } from "./icons.js";
import { mrkdwn } from "./mrkdwn.js";
import { avatar, badge } from "./people.js";

const GROUP_SECONDS = 300; // Slack puts messages of one person within five minutes under one name
const PINNED_PIXELS = 60;

/** A scrolled list of messages; rows that did not change are never touched. */
export class Feed {
  #rows = new Map();
  #place = null;
  #pinned = true;

  constructor(element) {
    this.element = element;
    element.addEventListener("scroll", () => {
      this.#pinned = element.scrollHeight - element.scrollTop - element.clientHeight < PINNED_PIXELS;
    });
    new ResizeObserver(() => this.#pin()).observe(element);
  }

  /**
   * Show messages. `place` names what is shown (another place starts afresh at the bottom), `before` are nodes above
   * them, `threadOf(message)` describes the thread below a root; `inThread` the first is a root, which the words
   * `countAfterRoot` part from its replies.
   */
  show({ place, messages, view, before = [], threadOf = null, countAfterRoot = "", inThread = false }) {
    const last = messages.at(-1);
    if (place !== this.#place) {
      this.#rows.clear();
      this.#pinned = true;
    } else if (last?.user === view.acting && !this.#rows.has(last.ts)) {
      this.#pinned = true; // one's own message is always brought into view
    }
    this.#place = place;
    arrange(this.element, [...before, ...this.#nodes(messages, view, threadOf, countAfterRoot, inThread)]);
    this.#pin();
  }

  #pin() {
    if (this.#pinned) this.element.scrollTop = this.element.scrollHeight;
  }

  #nodes(messages, view, threadOf, countAfterRoot, inThread) {
    const nodes = [];
    messages.forEach((message, index) => {
      const previous = messages[index - 1];
      const newDay = dayOf(message) !== (previous && dayOf(previous));
      if (!inThread && newDay) nodes.push(this.#kept(`day ${dayOf(message)}`, () => dayDivider(message)));
      const afterRoot = inThread && index === 1;
      const compact = Boolean(previous) && !newDay && !afterRoot && continues(previous, message, threadOf);
      nodes.push(this.#row(message, compact, view, threadOf));
      if (countAfterRoot && index === 0 && messages.length > 1) nodes.push(this.#counted(countAfterRoot));
    });
    return nodes;
  }

  #kept(key, make) {
    if (!this.#rows.has(key)) this.#rows.set(key, { node: make() });
    return this.#rows.get(key).node;
  }

  #counted(words) {
    const node = this.#kept("divider", () => el("div", { class: "reply-count" }, el("span", {})));
    node.firstChild.textContent = words;
    return node;
  }

  #row(message, compact, view, threadOf) {
    let row = this.#rows.get(message.ts);
    if (row?.message !== message || row.compact !== compact || row.acting !== view.acting) {
      const focused = row?.node.contains(document.activeElement) ? document.activeElement : null;
      const node = drawMessage(message, compact, view, Boolean(threadOf));
      row?.node.replaceWith(node);
      if (focused) keepFocus(node, focused);
      row = { message, compact, acting: view.acting, node };
      this.#rows.set(message.ts, row);
    }
    if (threadOf) updateReplyBar(row.node.querySelector(".reply-slot"), threadOf(message), view);
    return row.node;
  }
}

const dayOf = (message) => dateOf(message.ts).toDateString();

function continues(previous, message, threadOf) {
  if (previous.user !== message.user || previous.ephemeral_for || message.ephemeral_for) return false;
  if (threadOf?.(previous).replies.length > 0) return false;
  return Number(message.ts) - Number(previous.ts) < GROUP_SECONDS;
}

function dayDivider(message) {
  return el("div", { class: "day", role: "separator" }, el("span", {}, dayLabel(dateOf(message.ts))));
}

/** When a card is redrawn under the keyboard, keep to its button, or to the message when the button is gone. */
function keepFocus(node, focused) {
  const { actionId, blockId } = focused.dataset;
  const same = [...node.querySelectorAll("button")].find(
    (button) => actionId && button.dataset.actionId === actionId && button.dataset.blockId === blockId,
  );
  if (same) return same.focus();
  node.tabIndex = -1;
  return node.focus();
}

function drawMessage(message, compact, view, inChannel) {
  const person = view.workspace.people.get(message.user);
  const date = dateOf(message.ts);
  const time = el("time", { class: "time", datetime: date.toISOString(), title: fullDate(date) }, clock(date));
  const byline = el("div", { class: "byline" },
    el("span", { class: "name" }, person?.real_name ?? message.user),
    person?.is_bot && el("span", { class: "app-tag" }, "APP"),
    time,
  );
  const kinds = { compact, ephemeral: message.ephemeral_for, "with-blocks": message.blocks?.length > 0 };
  const classes = ["message", ...Object.keys(kinds).filter((kind) => kinds[kind])].join(" ");
  return el("article",
    {
      class: classes,
      "aria-label": `${person?.real_name ?? message.user}, ${clock(date)}`,
      data: { testid: "message", ts: message.ts, user: message.user },
    },
    message.ephemeral_for && el("div", { class: "ephemeral-note" }, icon("eye", 14), "Only visible to you"),
    el("div", { class: "gutter" }, compact ? time : avatar(person)),
    el("div", { class: "message-body" },
      !compact && byline,
      el("div", { class: "content" }, drawContent(message, view)),
      sentPictures(message.files),
      drawEntities(message, view),
      inChannel && el("div", { class: "reply-slot" }),
    ),
    !message.ephemeral_for && shortcutTools(message, view),
    inChannel && !message.ephemeral_for && replyTool(message, view),
  );
}

function drawContent(message, view) {
  const edited = message.edited && el("span", { class: "edited" }, "(edited)");
  const directory = view.directory();
  if (!message.blocks?.length) {
    const nodes = mrkdwn(message.text, directory);
    const last = nodes.at(-1);
    if (edited && last?.classList.contains("lines")) last.append(" ", edited);
    else if (edited) nodes.push(edited);
    return nodes;
  }
  return [drawBlocks(message.blocks, directory, view.pressing(message)), edited];
}

/** The shortcuts of the app in a message's menu. */
function shortcutTools(message, view) {
  return Object.entries(view.workspace.shortcuts).map(([callbackId, name]) => {
    const props = { type: "button", class: "reply-tool shortcut-tool", title: name, data: { testid: "shortcut" } };
    const tool = el("button", props, icon("info", 18), el("span", {}, name));
    tool.addEventListener("click", () => view.chooseShortcut(message, callbackId));
    return tool;
  });
}

function replyTool(message, view) {
  const props = { type: "button", class: "reply-tool", title: "Reply in thread" };
  const tool = el("button", props, icon("reply", 18), el("span", {}, "Reply in thread"));
  tool.addEventListener("click", () => view.openThread(message.ts));
  return tool;
}

/** Draw "2 replies, last reply …" below a root, with the bot's status while it works. */
function updateReplyBar(slot, { ts, replies, unread, status }, view) {
  const signature = [replies.map((reply) => reply.ts), unread, status].join("|");
  if (slot.dataset.signature === signature) return;
  slot.dataset.signature = signature;
  if (replies.length === 0 && !status) return slot.replaceChildren();
  const people = [...new Set(replies.map((reply) => reply.user))].slice(0, 4);
  const props = { type: "button", class: "reply-bar", on: { click: () => view.openThread(ts) } };
  const bar = slot.firstChild ?? el("button", props);
  bar.replaceChildren(
    ...people.map((id) => avatar(view.workspace.people.get(id), "small")),
    ...(replies.length > 0 ? [el("span", { class: "reply-link" }, counted(replies.length))] : []),
    ...(unread > 0 ? [badge(unread)] : []),
    status
      ? el("span", { class: "reply-status" }, dots(), status)
      : el("span", { class: "reply-when" }, `Last reply ${whenLabel(dateOf(replies.at(-1).ts))}`),
    icon("chevron", 16),
  );
  return slot.replaceChildren(bar);
}

export const counted = (replies) => `${replies} ${replies === 1 ? "reply" : "replies"}`;

/** Three quiet dots of somebody at work. */
export const dots = () => el("span", { class: "dots", "aria-hidden": "true" }, el("i"), el("i"), el("i"));
