// Draws the sidebar: the workspace, what answers in it, whom one is, channels and direct messages.
import { arrange, el } from "./dom.js";
import { icon } from "./icons.js";
import { avatar, badge, drawPeople } from "./people.js";

const $ = (id) => document.getElementById(id);

/** Draw the sidebar for the person one acts as. */
export function drawSidebar(view) {
  $("workspace-name").textContent = view.workspace.name;
  $("workspace-model").replaceChildren("Answers come from ", el("b", {}, view.workspace.model));
  drawPeople($("people"), view);
  const channels = view.workspace.channelsOf(view.acting);
  drawChannels($("channels"), channels.filter(({ kind }) => kind === "channel"), view);
  drawChannels($("direct"), channels.filter(({ kind }) => kind === "im"), view);
}

function drawChannels(container, channels, view) {
  const known = new Map([...container.children].map((node) => [node.dataset.channel, node]));
  const person = view.workspace.people.get(view.acting);
  const rows = channels.map((channel) => {
    const row = known.get(channel.id) ?? channelRow(channel, view);
    const { unread, badge: count } = view.unread.of(person, channel);
    row.classList.toggle("unread", unread);
    if (channel.id === view.channel) row.setAttribute("aria-current", "page");
    else row.removeAttribute("aria-current");
    row.lastElementChild.replaceChildren(...(count > 0 ? [badge(count)] : unread ? [unreadDot()] : []));
    return row;
  });
  arrange(container, rows);
}

const unreadDot = () => el("span", { class: "dot" }, el("span", { class: "visually-hidden" }, "unread"));

function channelRow(channel, { workspace, acting, openChannel }) {
  const other = workspace.people.get(channel.members.find((member) => member !== acting));
  return el(
    "button",
    {
      type: "button",
      class: "channel-row",
      data: { testid: `channel-${channel.id}`, channel: channel.id },
      on: { click: () => openChannel(channel.id) },
    },
    channel.kind === "im" ? avatar(other, "small") : icon("hash", 16),
    el("span", { class: "channel-name" }, workspace.titleOf(channel, acting)),
    other?.is_bot && channel.kind === "im" && el("span", { class: "app-tag" }, "APP"),
    el("span", { class: "channel-mark" }),
  );
}

/** Wire the button that goes through system, light and dark. */
export function wireThemeButton() {
  const button = $("theme");
  const draw = () => {
    const name = window.theme.current;
    button.replaceChildren(icon(name, 18), el("span", {}, `Theme: ${name}`));
  };
  button.addEventListener("click", () => {
    window.theme.next();
    draw();
  });
  draw();
}
