// Knows what each person has read, and so what is new to them and what deserves a badge.
import { compareTs, isRoot } from "./workspace.js";

export class Unread {
  #read = new Map();
  #baseline = null;

  constructor(workspace) {
    this.workspace = workspace;
  }

  /** Count as read, for everybody, all that was there when the page was opened. */
  start() {
    this.#baseline ??= this.workspace.lastTs();
  }

  /** Note that the person has seen a channel's root messages, or a thread when one is given. */
  markRead(person, channel, thread = null) {
    const messages = thread
      ? this.workspace.replies(channel, thread, person)
      : this.workspace.roots(channel, person);
    if (messages.length > 0) this.#read.set(placeOf(person, channel, thread), messages.at(-1).ts);
  }

  /** Return whether anything is new to the person in a channel, how many badges it earns, and how many in each thread. */
  of(person, channel) {
    const result = { unread: false, badge: 0, threads: new Map() };
    const seen = this.workspace.seenIn(channel.id, person.id);
    for (const message of seen) {
      if (!this.#isNew(person, message)) continue;
      if (!isRoot(message) && !this.#concerns(person, channel, message, seen)) continue;
      result.unread = true;
      if (this.#concerns(person, channel, message, seen)) result.badge += 1;
      if (!isRoot(message)) result.threads.set(message.thread_ts, (result.threads.get(message.thread_ts) ?? 0) + 1);
    }
    return result;
  }

  /** Count the badges of all the person's channels. */
  badges(person) {
    return this.workspace.channelsOf(person.id).reduce((sum, channel) => sum + this.of(person, channel).badge, 0);
  }

  #isNew(person, message) {
    if (message.user === person.id) return false;
    const thread = isRoot(message) ? null : message.thread_ts;
    const read = this.#read.get(placeOf(person.id, message.channel, thread)) ?? this.#baseline ?? "0";
    return compareTs(message.ts, read) > 0 && compareTs(message.ts, this.#baseline ?? "0") > 0;
  }

  /** A direct message, a mention, a thread one is in, or a decision that waits for an approver. */
  #concerns(person, channel, message, seen) {
    if (channel.kind === "im" || message.ephemeral_for === person.id || mentions(message, person.id)) return true;
    if (person.can_approve && hasButtons(message)) return true;
    if (isRoot(message)) return false;
    return seen.some(
      (other) =>
        (other.ts === message.thread_ts || other.thread_ts === message.thread_ts) &&
        (other.user === person.id || mentions(other, person.id)),
    );
  }
}

const placeOf = (person, channel, thread) => `${person}|${channel}|${thread ?? ""}`;

const mentions = (message, person) => `${message.text} ${JSON.stringify(message.blocks ?? [])}`.includes(person);

const hasButtons = ({ blocks }) =>
  (blocks ?? []).some(({ elements, accessory }) =>
    [...(Array.isArray(elements) ? elements : []), accessory].some((part) => part?.type === "button" && !part.url),
  );
