// The box one writes in: drafts, Enter to send, pictures, and a listbox of people after "@" and of commands after "/".
import { Attachments } from "./attachments.js";
import { el } from "./dom.js";
import { icon } from "./icons.js";
import { avatar } from "./people.js";

const MENTION = /(^|[\s(])@([\p{L}]*(?: [\p{L}]*)?)$/u;
const COMMAND = /^\/\w*$/;
const NARROW_PIXELS = 560;

export class Composer {
  #drafts = new Map();
  #place = null;
  #options = [];
  #selected = 0;
  #placeholders = {};

  /**
   * `send(text, files)` answers null or words that say what went wrong; `people()` are those whom "@" offers, and
   * `commands` what "/" does.
   */
  constructor(container, { testid, label, send, people, commands = [] }) {
    this.send = send;
    this.people = people;
    this.commands = commands;
    this.attached = new Attachments({
      onProblem: (words) => this.#tell(words),
      onChange: () => this.#changed(),
    });
    const listId = `${testid}-people`;
    this.field = el("textarea", {
      class: "composer-field",
      rows: 1,
      data: { testid },
      "aria-label": label,
      "aria-autocomplete": "list",
      "aria-controls": listId,
      autocomplete: "off",
      enterkeyhint: "send",
    });
    const listProps = { id: listId, class: "mention-list", role: "listbox", "aria-label": "What can be filled in" };
    this.list = el("ul", { ...listProps, hidden: true });
    this.problem = el("p", { class: "composer-problem", role: "alert" });
    this.hint = el("div", { class: "composer-hint" });
    this.button = el("button", { type: "submit", class: "send", "aria-label": "Send", title: "Send" }, icon("send", 18));
    const mention = el("button", { type: "button", class: "icon-button", "aria-label": "Mention someone" }, icon("at", 18));
    mention.addEventListener("click", () => this.#startMention());
    const key = (name) => el("b", {}, name);
    const keys = el("span", { class: "composer-keys" }, key("Enter"), " to send, ", key("Shift + Enter"), " for a new line");
    const tools = el("div", { class: "composer-tools" }, this.attached.button, mention, keys, this.button);
    const box = el("div", { class: "composer-box" }, this.field, this.attached.list, tools);
    this.form = el("form", { class: "composer" }, this.list, box, this.problem);
    container.append(this.hint, this.form);
    this.#wire();
  }

  /** Move to another conversation; what was typed here waits for the return. */
  moveTo(place, { placeholder, narrow, label }) {
    this.#placeholders = { placeholder, narrow };
    this.#fitPlaceholder();
    this.field.setAttribute("aria-label", label);
    if (place === this.#place) return;
    this.#drafts.set(this.#place, this.field.value);
    this.#place = place;
    this.problem.replaceChildren();
    this.attached.put([]);
    this.set(this.#drafts.get(place) ?? "");
  }

  get text() {
    return this.field.value;
  }

  set(text) {
    this.field.value = text;
    this.#changed();
  }

  focus() {
    this.field.focus({ preventScroll: true });
  }

  /** Send a text, giving it back to the field if that fails. */
  async submit(text = this.text) {
    if (text.trim() === "" && this.attached.count === 0) return;
    const place = this.#place;
    const files = this.attached.take();
    this.set("");
    this.problem.replaceChildren();
    const problem = await this.send(text.trim(), files);
    if (!problem) return;
    if (place !== this.#place) this.#drafts.set(place, text);
    else if (this.text === "") {
      this.set(text);
      this.attached.put(files);
    }
    this.#tell(`Not sent. ${problem}`);
  }

  #tell(words) {
    this.problem.replaceChildren(...(words ? [icon("warning", 16), words] : []));
  }

  #wire() {
    this.field.addEventListener("input", () => this.#changed());
    this.field.addEventListener("click", () => this.#offer());
    this.field.addEventListener("blur", () => this.#close());
    this.field.addEventListener("keydown", (event) => this.#key(event));
    new ResizeObserver(() => this.#fitPlaceholder()).observe(this.field);
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.submit();
    });
  }

  #fitPlaceholder() {
    const { placeholder, narrow } = this.#placeholders;
    this.field.placeholder = this.field.clientWidth < NARROW_PIXELS ? narrow : placeholder;
  }

  #key(event) {
    if (event.isComposing) return;
    if (!this.list.hidden && this.#listKey(event.key)) {
      event.preventDefault();
      event.stopPropagation();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      void this.submit();
    }
  }

  #listKey(key) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[key];
    if (step) this.#select((this.#selected + step + this.#options.length) % this.#options.length);
    else if (key === "Enter" || key === "Tab") this.#choose(this.#options[this.#selected]);
    else if (key === "Escape") this.#close();
    else return false;
    return true;
  }

  #changed() {
    this.field.style.height = "auto";
    this.field.style.height = `${this.field.scrollHeight}px`;
    this.button.classList.toggle("ready", this.text.trim() !== "" || this.attached.count > 0);
    this.#offer();
    this.onChange?.();
  }

  #startMention() {
    const { value, selectionStart: at } = this.field;
    const gap = at > 0 && !/\s$/.test(value.slice(0, at)) ? " " : "";
    this.field.focus();
    this.field.setRangeText(`${gap}@`, at, at, "end");
    this.#changed();
  }

  #offer() {
    const before = this.field.value.slice(0, this.field.selectionStart);
    if (document.activeElement !== this.field) return this.#close();
    if (COMMAND.test(before)) {
      const found = this.commands.filter(({ command }) => command.startsWith(before));
      return this.#show(found.some(({ command }) => command === before) ? [] : found);
    }
    const typed = before.match(MENTION)?.[2].toLowerCase();
    if (typed === undefined) return this.#close();
    // the start of the name or of any word in it, as one types it
    const found = this.people().filter(({ real_name: name }) => ` ${name.toLowerCase()} `.includes(` ${typed}`));
    return this.#show(found.length === 1 && found[0].real_name.toLowerCase() === typed ? [] : found);
  }

  #show(options) {
    this.#options = options;
    if (options.length === 0) return this.#close();
    this.list.replaceChildren(...options.map((one, index) => this.#option(one, index)));
    this.list.hidden = false;
    return this.#select(0);
  }

  #option(one, index) {
    const pick = (event) => {
      event.preventDefault(); // the field keeps the focus
      this.#choose(one);
    };
    const drawn = one.command
      ? [el("b", {}, `${one.command} ${one.hint}`.trim()), el("span", {}, one.about)]
      : [avatar(one, "small"), el("b", {}, one.real_name), el("span", {}, one.is_bot ? "App" : one.title)];
    return el("li", { id: `${this.list.id}-${index}`, role: "option", class: "mention-option", on: { mousedown: pick } }, drawn);
  }

  #select(index) {
    this.#selected = index;
    [...this.list.children].forEach((node, at) => node.setAttribute("aria-selected", at === index));
    this.field.setAttribute("aria-activedescendant", this.list.children[index].id);
  }

  #choose(one) {
    const { value, selectionStart: at } = this.field;
    const from = one.command ? 0 : value.slice(0, at).lastIndexOf("@");
    this.field.setRangeText(one.command ? `${one.command}${one.hint && " "}` : `@${one.real_name} `, from, at, "end");
    this.#close();
    this.#changed();
  }

  #close() {
    this.list.hidden = true;
    this.field.removeAttribute("aria-activedescendant");
  }
}
