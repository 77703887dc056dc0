// Draws Work Objects: what everybody reads below a link, and the details that one person has opened.
import { closeDetails, openDetails } from "./connection.js";
import { el } from "./dom.js";

const $ = (id) => document.getElementById(id);

/** Draw what is shown below the links of a message, each with a button that opens its details. */
export function drawEntities(message, view) {
  return (message.entities ?? []).map((entity) => {
    const { attributes } = entity.entity_payload;
    const open = el("button", { type: "button", class: "button" }, "Details");
    open.addEventListener("click", () =>
      void openDetails({ user: view.acting, channel: message.channel, message_ts: message.ts, url: entity.app_unfurl_url }));
    return el("section", { class: "entity", "aria-label": attributes.title.text, data: { testid: "entity" } },
      el("div", { class: "entity-title" }, attributes.title.text, el("span", { class: "entity-kind" }, attributes.display_type)),
      fields(entity),
      open,
    );
  });
}

/** Show the details that the person has before them, or none. */
export function drawDetails(view) {
  const details = view.workspace.details.get(view.acting);
  const dialog = $("details");
  if (!details) {
    if (dialog.open) dialog.close();
    return;
  }
  const { entity, error, answered } = details;
  $("details-title").textContent = error?.custom_title ?? entity.entity_payload.attributes.title.text;
  $("details-body").replaceChildren(body(entity, error, answered));
  if (!dialog.open) dialog.showModal();
}

function body(entity, error, answered) {
  if (!answered) return el("p", {}, "One moment…");
  return error ? el("p", {}, error.custom_message ?? error.status) : fields(entity);
}

/** Wire the button that closes the details, once. */
export function wireDetails(view) {
  const close = () => void closeDetails(view.acting);
  $("details-close").addEventListener("click", close);
  $("details").addEventListener("cancel", (event) => {
    event.preventDefault();
    close();
  });
}

function fields({ entity_payload: { custom_fields: all = [] } }) {
  const drawn = all.map((field) => el("div", { class: field.type === "array" ? "entity-field long" : "entity-field" },
    el("dt", {}, field.label), el("dd", {}, value(field))));
  return el("dl", { class: "entity-fields" }, drawn);
}

function value({ type, value: shown, tag_color: color, link }) {
  if (type === "array") return shown.map((one) => el("div", {}, String(one.value)));
  if (type === "slack#/types/date") {
    return new Date(`${shown}T12:00:00Z`).toLocaleDateString("en-US", { month: "short", day: "numeric", year: "numeric" });
  }
  if (color) return el("span", { class: `entity-tag entity-${color}` }, shown);
  if (link) return el("a", { href: link, target: "_blank", rel: "noopener noreferrer nofollow" }, shown);
  return String(shown);
}
