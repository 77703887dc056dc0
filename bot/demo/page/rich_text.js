// Turns rich_text elements (of a rich_text block or a table cell) into DOM nodes.
import { fillDate } from "./dates.js";
import { el } from "./dom.js";
import { emoji, textNodes } from "./emoji.js";
import { channelMention, link, userMention } from "./mrkdwn.js";

/** Draw a rich_text block's elements. */
export const richText = (block, directory) => (block.elements ?? []).map((element) => container(element, directory));

function container(element, directory) {
  const parts = () => (element.elements ?? []).map((part) => styled(part, directory));
  switch (element.type) {
    case "rich_text_section":
      return el("div", { class: "lines" }, parts());
    case "rich_text_quote":
      return el("blockquote", { class: "quote" }, parts());
    case "rich_text_preformatted":
      return el("pre", { class: "pre", tabindex: "0" }, parts());
    case "rich_text_list":
      return list(element, directory);
    default:
      return styled(element, directory);
  }
}

function list({ style, indent = 0, offset = 0, elements = [] }, directory) {
  const ordered = style === "ordered";
  const props = { class: `list list-indent-${Math.min(indent, 4)}`, start: ordered && offset ? offset + 1 : null };
  return el(ordered ? "ol" : "ul", props, elements.map((item) => el("li", {}, container(item, directory))));
}

function styled(element, directory) {
  const { bold, italic, strike, underline, code } = element.style ?? {};
  let nodes = part(element, directory);
  if (code) nodes = [el("code", { class: "code" }, nodes)];
  if (strike) nodes = [el("s", {}, nodes)];
  if (underline) nodes = [el("u", {}, nodes)];
  if (italic) nodes = [el("i", {}, nodes)];
  if (bold) nodes = [el("b", {}, nodes)];
  return nodes;
}

function part(element, directory) {
  switch (element.type) {
    case "text":
      return textNodes(element.text ?? "");
    case "link":
      return [link(element.url ?? "", textNodes(element.text || element.url || ""))];
    case "user":
      return [userMention(element.user_id, directory)];
    case "channel":
      return [channelMention(element.channel_id, directory)];
    case "usergroup":
      return [el("span", { class: "mention" }, `@${element.usergroup_id}`)];
    case "broadcast":
      return [el("span", { class: "mention mention-you" }, `@${element.range}`)];
    case "emoji":
      return [emoji(element.name ?? "")];
    case "color":
      return [el("code", { class: "code" }, element.value ?? "")];
    case "date":
      return [el("time", {}, fillDate(element.timestamp, element.format ?? "{date_short}"))];
    default:
      return [el("span", { class: "unsupported" }, `unsupported element: ${element.type}`)];
  }
}
