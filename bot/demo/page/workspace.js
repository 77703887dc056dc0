// Holds the workspace as the server last told it, and answers what a person sees of it.

export class Workspace {
  name = "";
  model = "";
  database = "";
  shop = "";
  bot = "";
  people = new Map();
  channels = new Map();
  calls = new Map();
  views = new Map();
  details = new Map();
  shortcuts = {};
  #messages = new Map();
  #statuses = new Map();
  #sessions = new Map();

  /** Take everything from a snapshot, forgetting what was known. */
  load(snapshot) {
    Object.assign(this, snapshot.workspace, { bot: snapshot.bot });
    this.people = new Map(snapshot.people.map((person, index) => [person.id, { ...person, index }]));
    this.channels = new Map(snapshot.channels.map((channel) => [channel.id, channel]));
    this.calls = new Map(snapshot.calls.map((call) => [call.id, call]));
    this.views = new Map(snapshot.views.map((shown) => [shown.id, shown]));
    this.details = new Map(snapshot.details.map((details) => [details.user, details]));
    this.shortcuts = snapshot.shortcuts;
    this.#messages = new Map();
    this.#statuses = new Map();
    this.#sessions = new Map();
    snapshot.sessions.forEach((session) => this.putSession(session));
    snapshot.messages.forEach((message) => this.putMessage(message));
    this.prompts = snapshot.prompts ?? {};
    snapshot.statuses.forEach((status) => this.putStatus(status));
  }

  putMessage(message) {
    const known = this.#messages.has(keyOf(message));
    this.#messages.set(keyOf(message), message);
    if (known) return;
    const inOrder = [...this.#messages.entries()].sort(([, a], [, b]) => compareTs(a.ts, b.ts));
    this.#messages = new Map(inOrder);
  }

  dropMessage({ channel, ts }) {
    this.#messages.delete(`${channel}|${ts}`);
  }

  putView(shown) {
    if (shown.closed) this.views.delete(shown.id);
    else this.views.set(shown.id, shown);
  }

  putDetails(details) {
    if (details.closed) this.details.delete(details.user);
    else this.details.set(details.user, details);
  }

  /** The Home tab of a person, or the topmost modal before them. */
  viewOf(person, kind) {
    return [...this.views.values()].filter((shown) => shown.user === person && shown.kind === kind).at(-1) ?? null;
  }

  putStatus(status) {
    this.#statuses.set(`${status.channel}|${status.thread_ts}`, status);
  }

  putSession(session) {
    this.#sessions.set(`${session.channel}|${session.thread_ts}`, session);
  }

  /** How a thread of a direct message stands, with the title that it began with. */
  session(channel, threadTs) {
    return this.#sessions.get(`${channel}|${threadTs}`);
  }

  putCall(call) {
    this.calls.set(call.id, call);
  }

  message(channel, ts) {
    return this.#messages.get(`${channel}|${ts}`);
  }

  /** The channels that the person is in, then the person's direct messages. */
  channelsOf(person) {
    const theirs = [...this.channels.values()].filter((channel) => channel.members.includes(person));
    return [...theirs.filter(({ kind }) => kind === "channel"), ...theirs.filter(({ kind }) => kind === "im")];
  }

  /** All that the person may see in a channel, in order. */
  seenIn(channel, person) {
    return [...this.#messages.values()].filter(
      (message) => message.channel === channel && (!message.ephemeral_for || message.ephemeral_for === person),
    );
  }

  roots(channel, person) {
    return this.seenIn(channel, person).filter(isRoot);
  }

  replies(channel, ts, person) {
    return this.seenIn(channel, person).filter((message) => message.thread_ts === ts && message.ts !== ts);
  }

  /** Those of them that stay for everybody there: what one person alone sees is no reply. */
  lastingReplies(channel, ts, person) {
    return this.replies(channel, ts, person).filter((message) => !message.ephemeral_for);
  }

  /** The bot's status in a thread in whole words, or "". */
  status(channel, threadTs) {
    const status = this.#statuses.get(`${channel}|${threadTs}`);
    return status?.status ? `${this.nameOf(status.user)} ${status.status}` : "";
  }

  lastTs() {
    return [...this.#messages.values()].at(-1)?.ts ?? "0";
  }

  nameOf(person) {
    return this.people.get(person)?.real_name ?? person ?? "";
  }

  /** What a channel is called: a direct message by its other person. */
  titleOf(channel, person) {
    if (channel.kind !== "im") return channel.name;
    return this.nameOf(channel.members.find((member) => member !== person) ?? this.bot);
  }
}

export const isRoot = (message) => !message.thread_ts || message.thread_ts === message.ts;

/** A ts as a number of microseconds, so that two of them compare exactly. */
export const compareTs = (a, b) => {
  const [x, y] = [a, b].map((ts) => Math.round(Number(ts) * 1e6));
  return x - y;
};

const keyOf = ({ channel, ts }) => `${channel}|${ts}`;
