// Draws the live log: one row per tool call, newest first.
import { clockWithSeconds, duration, fullDate } from "./dates.js";
import { arrange, el } from "./dom.js";
import { icon } from "./icons.js";
import { avatar } from "./people.js";

const HIGHLIGHT_MILLISECONDS = 1600;

export class Log {
  #rows = new Map();
  #started = false;

  constructor(list, subtitle) {
    this.list = list;
    this.subtitle = subtitle;
  }

  /** Draw the calls; rows that are new or changed since the first drawing light up for a moment. */
  draw(view) {
    const { workspace } = view;
    this.subtitle.replaceChildren("Tool calls, read from SQLite (", el("code", {}, workspace.database), ")");
    this.subtitle.title = workspace.database;
    for (const id of this.#rows.keys()) if (!workspace.calls.has(id)) this.#rows.delete(id);
    const calls = [...workspace.calls.values()]
      .map((call, arrival) => ({ call, arrival }))
      .sort((a, b) => Date.parse(b.call.created_at) - Date.parse(a.call.created_at) || b.arrival - a.arrival);
    const nodes = calls.map(({ call }) => this.#row(call, view));
    arrange(this.list, nodes.length > 0 ? nodes : [this.#empty]);
    this.#started = true;
  }

  #empty = el("li", { class: "log-empty" },
    el("p", {}, "No tool call yet."),
    el("p", {}, "Ask about an order: every call that the model makes appears here as it happens, ",
      "with who asked, how long it took, and what came back."));

  #row(call, view) {
    const known = this.#rows.get(call.id);
    if (known?.call === call) return known.node;
    const row = known ?? newRow(call);
    row.call = call;
    Object.assign(row.node.dataset, { tool: call.tool, status: call.status });
    row.button.replaceChildren(...summary(call, view.workspace));
    row.details.replaceChildren(...details(call, view));
    if (this.#started) light(row.node);
    this.#rows.set(call.id, row);
    return row.node;
  }
}

function newRow(call) {
  const details = el("div", { class: "log-details", id: `call-${call.id}`, hidden: true });
  const props = { type: "button", class: "log-summary", "aria-expanded": "false", "aria-controls": details.id };
  const button = el("button", props);
  button.addEventListener("click", () => {
    details.hidden = !details.hidden;
    button.setAttribute("aria-expanded", !details.hidden);
  });
  const node = el("li", { class: "log-row", data: { testid: "log-row", callId: call.id } }, button, details);
  return { node, button, details };
}

function light(node) {
  node.classList.remove("lit");
  requestAnimationFrame(() => node.classList.add("lit"));
  setTimeout(() => node.classList.remove("lit"), HIGHLIGHT_MILLISECONDS);
}

function summary(call, workspace) {
  const asked = workspace.people.get(call.requester);
  const created = new Date(call.created_at);
  const facts = [
    asked && el("span", { class: "log-who" }, avatar(asked, "tiny"), asked.real_name),
    call.duration_ms !== null && el("span", { title: "how long it took" }, duration(call.duration_ms)),
    el("time", { datetime: call.created_at, title: fullDate(created) }, clockWithSeconds(created)),
  ];
  return [
    el("span", { class: "log-line" },
      el("span", { class: "log-chevron" }, icon("chevron", 14)),
      el("span", { class: "log-tool" }, call.tool),
      el("span", { class: `pill pill-${call.status}` }, call.status)),
    el("span", { class: "log-facts" }, facts.filter(Boolean)),
    el("span", { class: "log-arguments" }, shortArguments(call)),
    call.decided_by ? el("span", { class: "log-facts" }, `Decided by ${workspace.nameOf(call.decided_by)}`) : "",
  ];
}

function shortArguments({ arguments: validated, arguments_sent: sent }) {
  if (!validated) return [el("span", { class: "log-invalid" }, "not valid: "), String(sent ?? "")];
  return Object.entries(validated).map(([name, value]) =>
    el("span", { class: "log-argument" }, el("span", { class: "log-key" }, `${name} `), inWords(value)));
}

const inWords = (value) => (typeof value === "string" ? value : JSON.stringify(value));

function details(call, view) {
  const { workspace } = view;
  const facts = [
    ["Call", call.id],
    ["Asked by", call.requester && `${workspace.nameOf(call.requester)} (${call.requester})`],
    ["Decided by", call.decided_by && `${workspace.nameOf(call.decided_by)} (${call.decided_by})`],
    ["Proposed", clockWithSeconds(new Date(call.created_at))],
    ["Finished", call.finished_at && clockWithSeconds(new Date(call.finished_at))],
  ].filter(([, value]) => value);
  const openCall = el("button", { type: "button", class: "link-button" }, "Show in thread");
  openCall.addEventListener("click", () => view.openCall(call));
  return [
    el("dl", { class: "log-table" }, facts.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
    ...text("Arguments sent", call.arguments_sent),
    ...text("Error", call.error),
    ...text("Result", call.result),
    ...(call.thread_ts && view.canOpen(call) ? [openCall] : []),
  ];
}

function text(title, value) {
  if (value === null || value === undefined) return [];
  return [el("h3", {}, title), el("pre", { class: "pre", tabindex: "0", "aria-label": title }, pretty(value))];
}

function pretty(value) {
  if (typeof value !== "string") return JSON.stringify(value, null, 2);
  return value;
}
