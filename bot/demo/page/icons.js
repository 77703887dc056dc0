// The line icons of the page's own controls.
import { svg } from "./dom.js";

const PATHS = {
  clip: "m16.5 9.2-6.4 6.4a4 4 0 0 1-5.7-5.7l6.4-6.4a2.7 2.7 0 0 1 3.8 3.8l-6.4 6.4a1.3 1.3 0 0 1-1.9-1.9l5.9-5.9",
  back: "M12 4 6 10l6 6",
  close: "m5 5 10 10M15 5 5 15",
  chevron: "m8 5 5 5-5 5",
  hash: "M7.5 3 6 17M14 3l-1.5 14M3.5 7.5h13M3 12.5h13",
  send: "M3.5 16.5 17 10 3.5 3.5l1.5 5 6 1.5-6 1.5z",
  at: "M13.3 10a3.3 3.3 0 1 1-6.6 0 3.3 3.3 0 0 1 6.6 0zm0 0v1a2 2 0 0 0 4 0v-1a7.3 7.3 0 1 0-3 5.9",
  eye: "M2 10s3-5.2 8-5.2 8 5.2 8 5.2-3 5.2-8 5.2S2 10 2 10zm10.3 0a2.3 2.3 0 1 1-4.6 0 2.3 2.3 0 0 1 4.6 0z",
  reply: "M4 4.5h12a1 1 0 0 1 1 1v7a1 1 0 0 1-1 1H9l-4 3.5v-3.5H4a1 1 0 0 1-1-1v-7a1 1 0 0 1 1-1zM6.5 8h7M6.5 10.5h4",
  warning: "M10 3 1.8 16.8h16.4zM10 8v4m0 2.2v.1",
  log: "M3 5h2m3 0h9M3 10h2m3 0h9M3 15h2m3 0h9",
  home: "M3 9.5 10 3.5l7 6V16a1 1 0 0 1-1 1h-3.5v-4.5h-5V17H4a1 1 0 0 1-1-1z",
  chat: "M4 4h12a1.5 1.5 0 0 1 1.5 1.5v6.5a1.5 1.5 0 0 1-1.5 1.5h-5.5L6 17v-3.5H4A1.5 1.5 0 0 1 2.5 12V5.5A1.5 1.5 0 0 1 4 4z",
  check: "m4 10.5 4 4 8-9",
  info: "M10 9v5m0-8v.1M17.5 10a7.5 7.5 0 1 1-15 0 7.5 7.5 0 0 1 15 0z",
  system: "M3 4.5h14v9H3zM7.5 17h5M10 13.5V17",
  light: "M13.3 10a3.3 3.3 0 1 1-6.6 0 3.3 3.3 0 0 1 6.6 0zM10 2v2m0 12v2M2 10h2m12 0h2M4.3 4.3l1.4 1.4m8.6 8.6 1.4 1.4M4.3 15.7l1.4-1.4m8.6-8.6 1.4-1.4",
  dark: "M16.5 12A7 7 0 0 1 8 3.5 7 7 0 1 0 16.5 12z",
  bot: "M3.5 10.5a6.5 6.5 0 0 1 13 0M3.5 10.5V14a1.5 1.5 0 0 0 1.5 1.5h1.5V10h-3zm13 0V14a1.5 1.5 0 0 1-1.5 1.5h-1.5V10h3zM15 15.5c0 1.2-1.5 2-4 2",
};

/** Draw the named icon, decorative unless labelled. */
export function icon(name, size = 20, label = null) {
  const shape = { d: PATHS[name], fill: "none", stroke: "currentColor", "stroke-width": "1.5" };
  return svg([["path", { ...shape, "stroke-linecap": "round", "stroke-linejoin": "round" }]], { size, label });
}
