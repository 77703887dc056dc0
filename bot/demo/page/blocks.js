// Turns Block Kit into DOM nodes.
import { el } from "./dom.js";
import { input } from "./forms.js";
import { icon } from "./icons.js";
import { emoji, textNodes } from "./emoji.js";
import { markdown } from "./markdown.js";
import { link, mrkdwn, unescape } from "./mrkdwn.js";
import { richText } from "./rich_text.js";

const DRAW = { header, section, context, context_actions, divider, actions, image, table, data_table, task_card, plan, rich_text, markdown: markdownBlock, input };

/**
 * Draw a message's blocks. `directory` knows people, channels and who is looking; `pressing.confirm(question)` asks
 * first, `pressing.press(block, element)` sends a button press and answers null, or words that say what went wrong.
 */
export function drawBlocks(blocks, directory, pressing) {
  return blocks.map((block) => {
    const node = drawBlock(block, directory, pressing);
    node.classList.add("block");
    return node;
  });
}

function drawBlock(block, directory, pressing) {
  try {
    return DRAW[block.type](block, directory, pressing);
  } catch {
    // a block of a type or a shape that this page does not know must not cost the message
    return el("div", { class: "unsupported" }, `Unsupported block: ${block?.type ?? "without a type"}`);
  }
}

function header({ text }) {
  return el("div", { class: "header-block", role: "heading", "aria-level": "3" }, plainText(text));
}

function section(block, directory, pressing) {
  const main = el("div", { class: "section-main" }, block.text && el("div", {}, textObject(block.text, directory)));
  if (block.fields?.length) {
    const fields = block.fields.map((field) => el("div", { class: "field" }, textObject(field, directory)));
    main.append(el("div", { class: "fields" }, fields));
  }
  return el("div", { class: "section" }, main, block.accessory && accessory(block, directory, pressing));
}

function accessory(block, directory, pressing) {
  if (block.accessory.type === "image") return picture(block.accessory, "accessory-image");
  const warning = el("div", { class: "press-warning", role: "alert" });
  return el("div", { class: "accessory" }, element(block, block.accessory, pressing, warning), warning);
}

function context({ elements }, directory) {
  const words = (part) => el("span", { class: "context-text" }, textObject(part, directory));
  const draw = (part) => (part.type === "image" ? picture(part, "context-image") : words(part));
  return el("div", { class: "context" }, elements.map(draw));
}

function divider() {
  return el("hr", { class: "divider" });
}

function actions(block, directory, pressing) {
  const warning = el("div", { class: "press-warning", role: "alert" });
  const buttons = block.elements.map((part) => element(block, part, pressing, warning));
  return el("div", {}, el("div", { class: "actions" }, buttons), warning);
}

function context_actions(block, directory, pressing) {
  const both = ({ action_id, positive_button: yes, negative_button: no }) =>
    [yes, no].filter(Boolean).map((part) => ({ type: "button", action_id, ...part }));
  const node = actions({ ...block, elements: block.elements.flatMap(both) }, directory, pressing);
  node.classList.add("context-actions");
  return node;
}

function image(block) {
  const title = block.title && el("div", { class: "image-title" }, plainText(block.title));
  return el("figure", { class: "image-block" }, title, picture(block, "image-large"));
}

function rich_text(block, directory) {
  return el("div", {}, richText(block, directory));
}

function markdownBlock(block, directory) {
  return el("div", {}, markdown(block.text, directory));
}

function table({ rows, column_settings: columns = [] }, directory) {
  const draw = (cell, column, isHead) => {
    const { align = "left", is_wrapped: wrapped = false } = columns[column] ?? {};
    const content = cell.type === "rich_text" ? richText(cell, directory) : textNodes(String(cell.text ?? cell.value ?? ""));
    const props = { class: `align-${align}${wrapped ? " wrapped" : ""}`, scope: isHead ? "col" : null };
    return el(isHead ? "th" : "td", props, content);
  };
  const line = (row, index) => el("tr", {}, row.map((cell, column) => draw(cell, column, index === 0)));
  const [head, ...body] = rows.map(line);
  const frame = { class: "table-frame", tabindex: "0", role: "group", "aria-label": "Table" };
  return el("div", frame, el("table", { class: "table" }, el("thead", {}, head), el("tbody", {}, body)));
}

/** A table of which one page is shown at a time. */
function data_table({ rows: [head, ...body], caption, page_size: size = 5 }, directory) {
  const node = el("div", { class: "data-table" });
  const show = (page) => {
    const last = Math.ceil(body.length / size) - 1;
    const turn = (words, to) => {
      const button = el("button", { type: "button", class: "button", disabled: to < 0 || to > last }, words);
      button.addEventListener("click", () => show(to));
      return button;
    };
    const shown = table({ rows: [head, ...body.slice(page * size, (page + 1) * size)] }, directory);
    shown.setAttribute("aria-label", caption);
    const pages = el("div", { class: "pages" }, turn("Previous", page - 1), `Page ${page + 1} of ${last + 1}`, turn("Next", page + 1));
    node.replaceChildren(shown, ...(last > 0 ? [pages] : []));
  };
  show(0);
  return node;
}

const TASK_MARKS = { pending: "○", in_progress: "◔", complete: "✓", error: "✕" };
const TASK_WORDS = { pending: "to do", in_progress: "being done", complete: "done", error: "not done" };

function task_card({ title, status = "pending" }) {
  const mark = el("span", { class: "task-mark", "aria-hidden": "true" }, TASK_MARKS[status]);
  return el("div", { class: `task task-${status}` }, mark, unescape(title), el("span", { class: "visually-hidden" }, `, ${TASK_WORDS[status]}`));
}

function plan({ title, tasks = [] }) {
  return el("div", {}, el("b", {}, unescape(title)), tasks.map(task_card));
}

function textObject(text, directory) {
  return text.type === "mrkdwn" ? mrkdwn(text.text, directory) : el("div", { class: "lines" }, plainText(text));
}

export function plainText({ text, emoji: withEmoji = true }) {
  const parts = withEmoji ? text.split(/:([a-z0-9_+-]+):/) : [text];
  return parts.flatMap((part, index) => (index % 2 === 1 ? [emoji(part)] : textNodes(unescape(part))));
}

/** Draw what somebody has sent with a message. */
export const sentPictures = (files) =>
  files.map((file) => el("figure", { class: "image-block" }, picture({ slack_file: file, alt_text: file.name }, "image-large")));

function picture({ image_url, slack_file: file, alt_text: alt }, className) {
  const url = file?.id ? new URL(`/demo/pictures/${encodeURIComponent(file.id)}`, location.href).href : image_url;
  if (!/^https?:/i.test(url ?? "")) return el("span", { class: "image-missing" }, alt ?? "image");
  const node = el("img", { class: className, src: url, alt, title: alt, loading: "lazy", referrerpolicy: "no-referrer" });
  node.addEventListener("error", () => node.replaceWith(el("span", { class: "image-missing" }, alt)));
  return node;
}

function element(block, part, pressing, warning) {
  if (part.type === "static_select") return menu(block, part, pressing, warning);
  if (part.type !== "button") return el("span", { class: "unsupported" }, `Unsupported element: ${part.type}`);
  const style = part.style === "primary" || part.style === "danger" ? ` button-${part.style}` : "";
  const props = {
    class: `button${style}`,
    "aria-label": part.accessibility_label,
    data: { actionId: part.action_id ?? "", blockId: block.block_id ?? "" },
  };
  if (part.url) {
    const anchor = link(part.url, plainText(part.text));
    anchor.className = props.class;
    anchor.addEventListener("click", () => void pressing.press(block, part));
    return anchor;
  }
  const button = el("button", { type: "button", ...props }, el("span", { class: "button-text" }, plainText(part.text)));
  button.addEventListener("click", () => void pressButton(button, warning, block, part, pressing));
  return button;
}

/** A menu whose choice is sent as soon as it is made. */
function menu(block, part, pressing, warning) {
  const words = part.placeholder ? plainText(part.placeholder) : "Choose";
  const option = ({ text, description, value }) =>
    el("option", { value }, plainText(text), description && [" · ", plainText(description)]);
  const props = { class: "form-text menu", "aria-label": part.placeholder?.text ?? "Choose", data: { actionId: part.action_id } };
  const select = el("select", props, el("option", { value: "" }, words), part.options.map(option));
  select.addEventListener("change", async () => {
    if (!select.value) return;
    select.disabled = true;
    await pressButton(select, warning, block, { ...part, value: select.value }, pressing);
    select.disabled = false;
  });
  return select;
}

/** Show the button busy while presses are under way; a second press still goes out, as it would in Slack. */
async function pressButton(button, warning, block, part, { confirm, press }) {
  if (part.confirm && !(await confirm(part.confirm))) return;
  const count = (step) => {
    const open = Number(button.dataset.open ?? 0) + step;
    button.dataset.open = open;
    button.setAttribute("aria-busy", open > 0);
  };
  warning.replaceChildren();
  count(1);
  const problem = await press(block, part);
  count(-1);
  if (problem) warning.replaceChildren(icon("warning", 16), el("span", {}, problem));
}
