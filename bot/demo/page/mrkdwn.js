// Turns Slack's mrkdwn into DOM nodes.
import { fillDate } from "./dates.js";
import { el } from "./dom.js";
import { emoji, textNodes } from "./emoji.js";

const INLINE = new RegExp(
  [
    "`(?<code>[^`\\n]+)`",
    "<(?<angle>[^<>\\n]+)>",
    "(?<![\\p{L}\\p{N}*])\\*(?![\\s*])(?<bold>[^*\\n]+?)(?<!\\s)\\*(?![\\p{L}\\p{N}*])",
    "(?<![\\p{L}\\p{N}_])_(?![\\s_])(?<italic>[^_\\n]+?)(?<!\\s)_(?![\\p{L}\\p{N}_])",
    "(?<![\\p{L}\\p{N}~])~(?![\\s~])(?<strike>[^~\\n]+?)(?<!\\s)~(?![\\p{L}\\p{N}~])",
    ":(?<emoji>[a-z0-9_+-]+):",
  ].join("|"),
  "gu",
);

export const unescape = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

/** Draw mrkdwn; `directory` knows people, channels and who is looking. */
export function mrkdwn(text, directory) {
  return text.split(/```\n?([\s\S]+?)\n?```/).flatMap((part, index) => {
    if (index % 2 === 1) return [el("pre", { class: "pre", tabindex: "0" }, unescape(part))];
    return quotesAndLines(part, directory, index === 0);
  });
}

function quotesAndLines(text, directory, startsText) {
  const runs = [];
  let open = false; // ">>>" quotes everything that follows
  for (const line of text.split("\n")) {
    const [marker] = open ? [""] : (line.match(/^(?:&gt;|>){3}\s?|^(?:&gt;|>)\s?/) ?? [null]);
    const quoted = marker !== null;
    open ||= quoted && /^(?:&gt;|>){3}/.test(marker);
    const content = quoted ? line.slice(marker.length) : line;
    const last = runs.at(-1);
    if (last?.quoted === quoted) last.lines.push(content);
    else runs.push({ quoted, lines: [content] });
  }
  return runs
    .filter((run, index) => run.quoted || run.lines.join("").trim() !== "" || runs.length === 1)
    .map((run, index) => {
      const nodes = inline(trimNewlines(run.lines.join("\n")), directory, startsText && index === 0);
      return el(run.quoted ? "blockquote" : "div", { class: run.quoted ? "quote" : "lines" }, nodes);
    });
}

const trimNewlines = (text) => text.replace(/^\n|\n$/g, "");

function inline(text, directory, startsText = false) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    nodes.push(...textNodes(unescape(text.slice(end, match.index))));
    nodes.push(...drawMatch(match, directory, startsText && match.index === 0));
    end = match.index + match[0].length;
  }
  nodes.push(...textNodes(unescape(text.slice(end))));
  return nodes;
}

function drawMatch({ 0: source, groups }, directory, startsText) {
  if (groups.code) return [el("code", { class: "code" }, unescape(groups.code))];
  if (groups.bold) return [el("b", {}, inline(groups.bold, directory, startsText))];
  if (groups.italic) return [el("i", {}, inline(groups.italic, directory))];
  if (groups.strike) return [el("s", {}, inline(groups.strike, directory))];
  if (groups.emoji) return [emoji(groups.emoji)];
  return drawAngle(groups.angle, source, directory, startsText);
}

/** Draw what stands between `<` and `>`: a mention, a date or a link. */
function drawAngle(angle, source, directory, startsText) {
  const bar = angle.indexOf("|");
  const target = bar < 0 ? angle : angle.slice(0, bar);
  const label = bar < 0 ? null : angle.slice(bar + 1);
  if (target.startsWith("@")) return [userMention(target.slice(1), directory)];
  if (target.startsWith("#")) return [channelMention(target.slice(1), directory, label)];
  if (/^!(here|channel|everyone)$/.test(target)) return [pill(`@${target.slice(1)}`, true)];
  if (target.startsWith("!subteam^")) return [pill(unescape(label ?? `@${target.slice(9)}`))];
  if (target.startsWith("!date^")) return [slackDate(target.slice(6), label, startsText)];
  if (/^https?:/i.test(target)) return [link(unescape(target), textNodes(unescape(label ?? target)))];
  return textNodes(unescape(label ?? source));
}

function slackDate(date, fallback, startsText) {
  const [seconds, pattern, url] = date.split("^");
  if (!/^\d+$/.test(seconds) || !pattern) return document.createTextNode(unescape(fallback ?? ""));
  const words = unescape(fillDate(Number(seconds), pattern, startsText));
  const time = el("time", { datetime: new Date(seconds * 1000).toISOString() }, words);
  return url ? link(unescape(url), [time]) : time;
}

/** Draw the name of a person as a mention; the reader's own stands out. */
export function userMention(id, directory) {
  return pill(`@${directory.people.get(id)?.real_name ?? id}`, id === directory.acting);
}

export function channelMention(id, directory, label = null) {
  return pill(`#${directory.channels.get(id)?.name ?? label ?? id}`);
}

const pill = (words, isYou = false) => el("span", { class: isYou ? "mention mention-you" : "mention" }, words);

/** Draw a link; anything but http and https stays text. */
export function link(url, children) {
  let parsed = null;
  try {
    parsed = new URL(url);
  } catch {
    // not an address: its text is shown all the same
  }
  if (!["http:", "https:"].includes(parsed?.protocol)) return el("span", {}, children);
  const [, channel, seconds, micros] = parsed.pathname.match(/^\/archives\/(\w+)\/p(\d+)(\d{6})$/) ?? [];
  if (channel) {
    // A message of this workspace: the page itself shows its thread, to any person.
    const acting = location.hash.slice(1).split("/")[0];
    return el("a", { href: `#${acting}/${channel}/${seconds}.${micros}` }, children);
  }
  return el("a", { href: parsed.href, target: "_blank", rel: "noopener noreferrer" }, children);
}
