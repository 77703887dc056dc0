// Speaks with the demo's server: the live WebSocket, and the posts of what people do.

const RETRY_MILLISECONDS = [300, 700, 1500, 3000, 5000];

/** Keep a live connection for ever; every (re)connection begins with a new snapshot. */
export function connect({ onFrame, onLost }) {
  let failures = 0;
  const open = () => {
    const url = new URL("/demo/live", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    socket.addEventListener("message", ({ data }) => {
      failures = 0;
      onFrame(JSON.parse(data));
    });
    socket.addEventListener("close", () => {
      onLost();
      setTimeout(open, RETRY_MILLISECONDS[Math.min(failures++, RETRY_MILLISECONDS.length - 1)]);
    });
  };
  open();
}

export const postMessage = (message) => post("/demo/messages", message);
export const postAction = (action) => post("/demo/actions", action);
export const postShortcut = (shortcut) => post("/demo/shortcuts", shortcut);
export const postStop = (thread) => post("/demo/stop", thread);
export const openHome = (user, tab = "home") => post("/demo/home", { user, tab });
export const openDetails = (link) => post("/demo/details", link);
export const closeDetails = (user) => post("/demo/details", { user });
export const postViewAction = (action) => post("/demo/views/actions", action);
export const submitView = (filled) => post("/demo/views/submit", filled);
export const closeView = (view) => post("/demo/views/close", view);

/** Keep a picture with the demo; the answer holds it as Slack describes a file. */
export async function keepPicture(file) {
  try {
    const url = `/demo/pictures?name=${encodeURIComponent(file.name)}`;
    const response = await fetch(url, { method: "POST", headers: { "Content-Type": file.type }, body: file });
    return await response.json();
  } catch {
    return { ok: false, error: "The demo's server could not be reached." };
  }
}

/** Post JSON; the answer is always `{ok, …}`, with words in `error` when it is not ok. */
async function post(path, body) {
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    return await response.json();
  } catch {
    return { ok: false, error: "The demo's server could not be reached." };
  }
}
