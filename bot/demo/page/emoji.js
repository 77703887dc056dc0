// Draws the common emoji as small pictures, so that none depends on an installed font.
import { svg } from "./dom.js";

const disc = (fill) => ["circle", { cx: 10, cy: 10, r: 8.5, fill }];
const tile = (fill) => ["rect", { x: 1.5, y: 1.5, width: 17, height: 17, rx: 3.5, fill }];
const stroke = (d, colour = "#fff", width = 2.2) =>
  ["path", { d, fill: "none", stroke: colour, "stroke-width": width, "stroke-linecap": "round", "stroke-linejoin": "round" }];
const fill = (d, colour) => ["path", { d, fill: colour }];

const EMOJI = {
  white_check_mark: ["✅", tile("#2eb67d"), stroke("m5.5 10.5 3 3 6-7")],
  x: ["❌", stroke("M4 4l12 12M16 4 4 16", "#e01e5a", 3)],
  warning: ["⚠️", fill("M10 2 1 17.5h18z", "#ecb22e"), stroke("M10 8v4.5m0 2.3v.1", "#4a3400", 1.9)],
  information_source: ["ℹ️", tile("#1d84c6"), stroke("M10 9.5v5M10 6v.1")],
  no_entry: ["⛔", disc("#e01e5a"), stroke("M6 10h8", "#fff", 2.8)],
  no_entry_sign: ["🚫", stroke("M4.5 4.5 15.5 15.5M17.5 10a7.5 7.5 0 1 1-15 0 7.5 7.5 0 0 1 15 0z", "#e01e5a", 2.4)],
  hourglass_flowing_sand: ["⏳", fill("M5 2.5h10v2.5c0 2.5-3.5 3.5-3.5 5s3.5 2.5 3.5 5v2.5H5V15c0-2.5 3.5-3.5 3.5-5S5 7.5 5 5z", "#ecb22e"), stroke("M4 2.5h12M4 17.5h12", "#a86f18", 1.8)],
  package: ["📦", fill("M2.5 6 10 2.5 17.5 6v8.5L10 18l-7.5-3.5z", "#c98b4b"), fill("M2.5 6 10 9.5 17.5 6 10 2.5z", "#e2b07a"), stroke("M10 9.5V18M6.2 4.2l7.5 3.6", "#8a5a2b", 1.2)],
  truck: ["🚚", fill("M1.5 5h10v9h-10z", "#1d84c6"), fill("M11.5 8h4l3 3v3h-7z", "#36a2df"), ["circle", { cx: 5.5, cy: 14.5, r: 2, fill: "#333" }], ["circle", { cx: 14.5, cy: 14.5, r: 2, fill: "#333" }]],
  moneybag: ["💰", fill("M7 2.5h6l-1.5 3C15.5 7 17 11 17 13.5c0 3-3 4.5-7 4.5s-7-1.5-7-4.5C3 11 4.5 7 8.5 5.5z", "#d9a441"), stroke("M11.8 9.5c-.6-.7-3.4-.8-3.4.8 0 1.7 3.4.8 3.4 2.6 0 1.6-3 1.5-3.7.6M10 8.2v1m0 5.4v1", "#5c3d00", 1.3)],
  money_with_wings: ["💸", fill("M2 6h16v9H2z", "#2eb67d"), ["circle", { cx: 10, cy: 10.5, r: 2.5, fill: "#d6f5e6" }]],
  credit_card: ["💳", fill("M2 4.5h16v11H2z", "#ecb22e"), fill("M2 7h16v2.5H2z", "#4a3400")],
  lock: ["🔒", fill("M4 9h12v8.5H4z", "#ecb22e"), stroke("M6.5 9V6.5a3.5 3.5 0 0 1 7 0V9", "#8d8d8d", 1.8)],
  wave: ["👋", fill("M5 9.5 3.8 6.2c-.4-1.2 1.3-1.7 1.7-.6L7 9 5.8 4.5c-.3-1.2 1.5-1.7 1.9-.5L9 8.3 8.6 4c-.1-1.2 1.7-1.4 1.9-.2l.8 4.7.7-3.3c.3-1.2 2-.8 1.8.4L13 11c1-.9 2.3-1.8 3.2-1 .6.6-.2 1.3-.8 2.2-1.3 2-2 5.3-5.4 5.3-3.6 0-4.4-4.5-5-8z", "#ecb22e")],
  eyes: ["👀", ["ellipse", { cx: 6, cy: 10, rx: 3.6, ry: 5, fill: "#fff", stroke: "#777" }], ["ellipse", { cx: 14, cy: 10, rx: 3.6, ry: 5, fill: "#fff", stroke: "#777" }], ["circle", { cx: 4.8, cy: 11, r: 1.8, fill: "#333" }], ["circle", { cx: 12.8, cy: 11, r: 1.8, fill: "#333" }]],
  tada: ["🎉", fill("M2 18 6.5 7l6.5 6.5z", "#ecb22e"), stroke("M11 8c0-2 1-3.5 0-5M13 10c2 0 3-1.5 5-1M12.5 7.5 16 4", "#e01e5a", 1.6)],
  "+1": ["👍", fill("M2.5 9h3.5v8.5H2.5zM7 9.5 10 3c1.7 0 2.3 1.3 1.8 3l-.5 2.3h4.5c1.4 0 2 1.2 1.6 2.3l-1.8 5.5c-.3 1-1 1.4-1.8 1.4H7z", "#ecb22e")],
  heart: ["❤️", fill("M10 17.5C4 13 2 10.3 2 7.3 2 3.5 7 2 10 5.5 13 2 18 3.5 18 7.3c0 3-2 5.7-8 10.2z", "#e01e5a")],
  slightly_smiling_face: ["🙂", disc("#ecb22e"), stroke("M7.2 7.8v.4m5.6-.4v.4M6.5 12c1.5 2.3 5.5 2.3 7 0", "#4a3400", 1.5)],
  large_green_circle: ["🟢", disc("#2eb67d")],
  large_yellow_circle: ["🟡", disc("#ecb22e")],
  red_circle: ["🔴", disc("#e01e5a")],
};
const ALIASES = { thumbsup: "+1", heavy_check_mark: "white_check_mark", smile: "slightly_smiling_face", hourglass: "hourglass_flowing_sand", info: "information_source" };
const BY_CHARACTER = new Map(Object.entries(EMOJI).map(([name, [character]]) => [character.replace("\uFE0F", ""), name]));
const CHARACTERS = new RegExp(`(${[...BY_CHARACTER.keys()].join("|")})\uFE0F?`, "u");

/** Draw the emoji of that name, or write `:name:` when there is no picture of it. */
export function emoji(name) {
  const known = EMOJI[ALIASES[name] ?? name];
  if (!known) return document.createTextNode(`:${name}:`);
  return svg(known.slice(1), { size: 18, label: name.replaceAll("_", " "), className: "emoji" });
}

/** Turn plain text into nodes, with the emoji characters in it drawn. */
export function textNodes(text) {
  return text
    .split(CHARACTERS)
    .filter((part) => part !== "")
    .map((part) => (BY_CHARACTER.has(part) ? emoji(BY_CHARACTER.get(part)) : document.createTextNode(part)));
}
