// Turns the standard Markdown of a `markdown` block into DOM nodes.
import { el } from "./dom.js";
import { emoji, textNodes } from "./emoji.js";
import { link, userMention } from "./mrkdwn.js";

const INLINE = new RegExp(
  [
    "`(?<code>[^`\\n]+)`",
    "!?\\[(?<label>[^\\]\\n]+)\\]\\((?<url>[^()\\s]+)\\)",
    "<(?:@(?<user>[A-Z0-9]+)|(?<address>https?://[^<>\\s]+))>",
    "\\*\\*(?=\\S)(?<bold>[^\\n]+?)(?<=\\S)\\*\\*",
    "~~(?=\\S)(?<strike>[^\\n]+?)(?<=\\S)~~",
    "(?<![\\p{L}\\p{N}*])\\*(?=\\S)(?<star>[^*\\n]+?)(?<=\\S)\\*",
    "(?<![\\p{L}\\p{N}_])_(?=\\S)(?<under>[^_\\n]+?)(?<=\\S)_(?![\\p{L}\\p{N}])",
    ":(?<emoji>[a-z0-9_+-]+):",
  ].join("|"),
  "gu",
);
const ITEM = /^\s*(?:[-*+]|(\d+)[.)])\s+(.*)$/;
const HEADING = /^(#{1,6})\s+(.*)$/;
const RULE = /^\s*(?:-{3,}|\*{3,}|_{3,})\s*$/;
const QUOTE = /^\s*>\s?(.*)$/;

/** Draw Markdown: headings, lists, quotes, fences, rules, tables and paragraphs. */
export function markdown(text, directory) {
  return text.split(/^```[^\n]*\n([\s\S]*?)\n?```\s*$/m).flatMap((part, index) => {
    if (index % 2 === 1) return [el("pre", { class: "pre", tabindex: "0" }, part)];
    return drawLines(part.split("\n"), directory);
  });
}

function drawLines(lines, directory) {
  const nodes = [];
  for (let at = 0; at < lines.length; ) {
    const kind = kindOf(lines[at]);
    const from = at++;
    while (kind !== "heading" && kind !== "rule" && at < lines.length && kindOf(lines[at]) === kind) at++;
    const node = DRAW[kind](lines.slice(from, at), directory);
    if (node) nodes.push(node);
  }
  return nodes;
}

function kindOf(line) {
  if (line.trim() === "") return "blank";
  if (HEADING.test(line)) return "heading";
  if (RULE.test(line)) return "rule";
  if (QUOTE.test(line)) return "quote";
  if (ITEM.test(line)) return line.match(ITEM)[1] ? "numbers" : "bullets";
  return line.trim().startsWith("|") ? "table" : "paragraph";
}

const DRAW = {
  blank: () => null,
  rule: () => el("hr", { class: "divider" }),
  heading: ([line], directory) => {
    const [, marks, words] = line.match(HEADING);
    const props = { class: "markdown-heading", role: "heading", "aria-level": Math.min(marks.length + 2, 6) };
    return el("div", props, inline(words, directory));
  },
  quote: (lines, directory) =>
    el("blockquote", { class: "quote" }, inline(lines.map((line) => line.match(QUOTE)[1]).join("\n"), directory)),
  bullets: (lines, directory) => el("ul", { class: "list" }, items(lines, directory)),
  numbers: (lines, directory) => el("ol", { class: "list", start: lines[0].match(ITEM)[1] }, items(lines, directory)),
  paragraph: (lines, directory) => el("div", { class: "lines" }, inline(lines.join("\n"), directory)),
  table: (lines, directory) => {
    const cells = (line) => line.trim().replace(/^\||\|$/g, "").split("|");
    const rows = lines.filter((line) => !/^[\s|:-]+$/.test(line)).map(cells);
    const draw = (row, index) =>
      el("tr", {}, row.map((cell) => el(index === 0 ? "th" : "td", {}, inline(cell.trim(), directory))));
    return el("div", { class: "table-frame" }, el("table", { class: "table" }, rows.map(draw)));
  },
};

const items = (lines, directory) => lines.map((line) => el("li", {}, inline(line.match(ITEM)[2], directory)));

function inline(text, directory) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    nodes.push(...textNodes(text.slice(end, match.index)), drawMatch(match.groups, directory));
    end = match.index + match[0].length;
  }
  return [...nodes, ...textNodes(text.slice(end))];
}

function drawMatch(groups, directory) {
  if (groups.code) return el("code", { class: "code" }, groups.code);
  if (groups.url) return link(groups.url, inline(groups.label, directory));
  if (groups.address) return link(groups.address, [groups.address]);
  if (groups.user) return userMention(groups.user, directory);
  if (groups.bold) return el("b", {}, inline(groups.bold, directory));
  if (groups.strike) return el("s", {}, inline(groups.strike, directory));
  if (groups.emoji) return emoji(groups.emoji);
  return el("i", {}, inline(groups.star ?? groups.under, directory));
}
