// Draws the fields of a modal, and reads what was filled in.
import { keepPicture } from "./connection.js";
import { el } from "./dom.js";

/** Draw an input block: its label, its field and its hint; `data-field` names what it fills in. */
export function input(block) {
  const { element, label, hint, optional } = block;
  const id = `field-${block.block_id}`;
  const words = [label.text, optional && el("span", { class: "field-optional" }, " (optional)")];
  const group = element.type === "checkboxes";
  const field = group ? checkboxes(element) : single(element, id);
  field.dataset.field = element.action_id;
  field.dataset.kind = element.type;
  return el(group ? "fieldset" : "div", { class: "form-field", data: { blockId: block.block_id } },
    group ? el("legend", { class: "form-label" }, words) : el("label", { class: "form-label", for: id }, words),
    field,
    hint && el("p", { class: "form-hint" }, hint.text),
    el("p", { class: "form-error", role: "alert" }),
  );
}

/** Which choices the app has made before. */
const chosenIn = ({ initial_option: one, initial_options: several = one ? [one] : [] }) => new Set(several.map(({ value }) => value));

function checkboxes(element) {
  const { options, action_id: name } = element;
  const chosen = chosenIn(element);
  const box = ({ text, value }) => {
    const props = { type: "checkbox", name, value, checked: chosen.has(value) };
    return el("label", { class: "form-option" }, el("input", props), text.text);
  };
  return el("div", {}, options.map(box));
}

function single(element, id) {
  if (element.type === "plain_text_input") {
    const props = { id, class: "form-text", maxlength: element.max_length, rows: element.multiline ? 4 : null };
    const field = el(element.multiline ? "textarea" : "input", props);
    field.value = element.initial_value ?? "";
    return field;
  }
  if (element.type === "file_input") {
    const accept = (element.filetypes ?? []).map((type) => `.${type}`).join(",");
    return el("input", { id, class: "form-text", type: "file", accept, multiple: (element.max_files ?? 10) > 1 });
  }
  const several = element.type === "multi_static_select";
  const first = several ? [] : [el("option", { value: "" }, element.placeholder?.text ?? "Choose")];
  const chosen = chosenIn(element);
  const options = element.options.map(({ text, value }) => el("option", { value, selected: chosen.has(value) }, text.text));
  return el("select", { id, class: "form-text", multiple: several }, first, options);
}

/** Read what was filled in, by the action_id of each field; files are kept with the demo first. */
export async function valuesIn(form) {
  const values = {};
  for (const field of form.querySelectorAll("[data-field]")) {
    const { field: name, kind } = field.dataset;
    if (kind === "checkboxes") values[name] = [...field.querySelectorAll("input:checked")].map(({ value }) => value);
    else if (kind === "file_input") {
      const kept = await Promise.all([...field.files].map(keepPicture));
      values[name] = kept.filter(({ ok }) => ok).map(({ file }) => file);
    } else if (kind === "multi_static_select") values[name] = [...field.selectedOptions].map(({ value }) => value);
    else values[name] = field.value;
  }
  return values;
}
