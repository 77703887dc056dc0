// Invites people to write: the beginning of a conversation, suggestions, and a reminder of the mention.
import { el } from "./dom.js";
import { icon } from "./icons.js";
import { avatar } from "./people.js";

export class Welcome {
  #start = {};

  /** `suggestions` are texts by the name of the person; in a channel the mention of the bot is put before them. */
  constructor(view, composer, suggestions) {
    this.view = view;
    this.composer = composer;
    this.texts = suggestions;
    composer.onChange = () => view.channel && this.drawHint();
  }

  /** What one can try here as the person one is. */
  get suggestions() {
    return this.#prompts.map(({ message }) => message);
  }

  /** The same with what is shown for each: in the direct message what the app suggests, by its titles, comes first. */
  get #prompts() {
    const ofOrders = this.view.workspace.shop === "sqlite"; // the sample ones
    const prompts = (this.#isDirect && this.view.workspace.prompts?.[this.view.channel]) || [];
    const sent = prompts.map(({ message }) => message.toLowerCase());
    const known = (ofOrders && this.texts[this.#person.name]) || this.texts.default;
    const texts = known.filter((text) => !sent.includes(text.toLowerCase()));
    const said = (text) => `${this.#mention} ${text.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase())}`;
    const more = texts.map((text) => (this.#isDirect ? text : said(text)));
    return [...prompts, ...more.map((text) => ({ title: text, message: text }))];
  }

  /** The beginning of the open conversation, with suggestions as long as nobody has written in it. */
  start(isEmpty) {
    const key = `${this.view.acting}|${this.view.channel}|${isEmpty}|${this.suggestions.join("|")}`;
    if (this.#start.key !== key) this.#start = { key, node: this.#drawStart(isEmpty) };
    return this.#start.node;
  }

  /** Above the composer: a reminder of the mention, or suggestions for somebody who has not written here yet. */
  drawHint() {
    const { hint, text } = this.composer;
    const kind = this.#kindOfHint(text);
    const key = `${kind}|${this.view.acting}|${this.view.channel}`;
    if (hint.dataset.key === key) return;
    hint.dataset.key = key;
    if (kind === "mention") hint.replaceChildren(this.#mentionHint());
    else hint.replaceChildren(...(kind === "chips" ? [this.#chips(this.#prompts.slice(0, 2))] : []));
  }

  #kindOfHint(text) {
    if (text.trim() !== "") return this.#isDirect || this.view.mentionsBot(text) ? "" : "mention";
    const roots = this.view.workspace.roots(this.view.channel, this.view.acting);
    const isNew = roots.length > 0 && !roots.some(({ user }) => user === this.view.acting);
    return isNew && !this.#person.can_approve ? "chips" : "";
  }

  #mentionHint() {
    const add = () => {
      this.composer.set(`${this.#mention} ${this.composer.text}`);
      this.composer.focus();
    };
    const button = el("button", { type: "button", class: "link-button", on: { click: add } }, `Add ${this.#mention}`);
    return el("p", {}, `In a channel ${this.#bot} answers only when it is mentioned. `, button);
  }

  #drawStart(isEmpty) {
    const { workspace, acting } = this.view;
    const title = workspace.titleOf(this.#channel, acting);
    const hash = el("span", { class: "welcome-hash" }, icon("hash", 30));
    const node = el("section", { class: "welcome", "aria-label": "Beginning of the conversation" },
      this.#isDirect ? avatar(workspace.people.get(workspace.bot), "large") : hash,
      el("h2", {}, this.#isDirect ? title : `Welcome to #${title}`),
      el("p", {}, this.#isDirect ? this.#directWords() : this.#channelWords()));
    if (isEmpty && this.#person.can_approve && !this.#isDirect) node.append(...this.#approverStart());
    else if (isEmpty) node.append(el("p", { class: "welcome-try" }, "Try one of these:"), this.#chips(this.#prompts));
    return node;
  }

  #directWords() {
    if (this.#person.can_approve) return `Only you and ${this.#bot} see this conversation. No mention is needed.`;
    return `Only you and ${this.#bot} see this conversation. Ask about an order or a refund; no mention is needed.`;
  }

  #channelWords() {
    const topic = this.#channel.topic.replace(/[.\s]*$/, "");
    if (this.view.mentionsBot(topic)) return `${topic}. It answers in a thread.`;
    return `${topic ? `${topic}. ` : ""}Mention ${this.#mention} and it answers in a thread.`;
  }

  #approverStart() {
    const customers = [...this.view.workspace.people.values()].filter((person) => person.can_act && !person.can_approve);
    const become = (person) => chip(`Be ${person.real_name}`, () => this.view.choose(person.id));
    return [
      el("p", {}, "You may approve refunds. When a customer asks for one, its card appears here with its buttons. ",
        "To ask for one, be a customer first:"),
      el("div", { class: "chips" }, customers.map(become)),
    ];
  }

  #chips(prompts) {
    const chips = prompts.map(({ title, message }) => chip(title, () => void this.composer.submit(message)));
    return el("div", { class: "chips", role: "group", "aria-label": "Suggestions" }, chips);
  }

  get #channel() {
    return this.view.workspace.channels.get(this.view.channel);
  }

  get #person() {
    return this.view.workspace.people.get(this.view.acting);
  }

  get #isDirect() {
    return this.#channel.kind === "im";
  }

  get #bot() {
    return this.view.workspace.nameOf(this.view.workspace.bot);
  }

  get #mention() {
    return `@${this.#bot}`;
  }
}

const chip = (text, press) => el("button", { type: "button", class: "chip", on: { click: press } }, text);
