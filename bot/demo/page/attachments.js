// The pictures that one is about to send: chosen with a button, kept with the demo, shown until they are sent.
import { keepPicture } from "./connection.js";
import { el } from "./dom.js";
import { icon } from "./icons.js";

export class Attachments {
  #files = [];

  /** `onProblem(words)` is told what went wrong, `onChange()` that there are more or fewer. */
  constructor({ onProblem, onChange }) {
    this.onChange = onChange;
    const input = el("input", { type: "file", accept: "image/*", multiple: true, hidden: true, data: { testid: "attach" } });
    input.addEventListener("change", async () => {
      const kept = await Promise.all([...input.files].map(keepPicture));
      input.value = "";
      this.#files.push(...kept.filter(({ ok }) => ok).map(({ file }) => file));
      onProblem(kept.find(({ ok }) => !ok)?.error ?? "");
      this.#draw();
    });
    const open = el("button", { type: "button", class: "icon-button", "aria-label": "Attach a picture", title: "Attach a picture" }, icon("clip", 18));
    open.addEventListener("click", () => input.click());
    this.button = el("span", {}, open, input);
    this.list = el("div", { class: "attachments" });
  }

  /** Forget what was chosen, and return it. */
  take() {
    const files = this.#files;
    this.put([]);
    return files;
  }

  /** Have these chosen, as when they could not be sent. */
  put(files) {
    this.#files = [...files];
    this.#draw();
  }

  get count() {
    return this.#files.length;
  }

  #draw() {
    this.list.replaceChildren(...this.#files.map((file) => this.#chip(file)));
    this.onChange();
  }

  #chip(file) {
    const drop = el("button", { type: "button", class: "icon-button", "aria-label": `Remove ${file.name}` }, icon("close", 12));
    drop.addEventListener("click", () => this.put(this.#files.filter((one) => one !== file)));
    return el("span", { class: "attachment" }, el("img", { src: `/demo/pictures/${encodeURIComponent(file.id)}`, alt: file.name }), drop);
  }
}
