// Draws people: their avatars, and the switch that chooses whom one acts as.
import { arrange, el } from "./dom.js";
import { icon } from "./icons.js";

const COLOURS = 6; // classes avatar-0 … avatar-5 of the stylesheet

/** Draw a person's square avatar; it is decorative, the name always stands beside it. */
export function avatar(person, size = "medium") {
  const isBot = Boolean(person?.is_bot);
  const colour = isBot ? "avatar-bot" : `avatar-${(person?.index ?? 0) % COLOURS}`;
  const face = isBot ? icon("bot", { large: 34, medium: 22, small: 14 }[size]) : initial(person);
  return el("span", { class: `avatar avatar-${size} ${colour}`, "aria-hidden": "true" }, face);
}

const initial = (person) => (person?.real_name ?? "?").trim().charAt(0).toUpperCase();

/** Draw a count of new things with words for screen readers. */
export const badge = (count) =>
  el("span", { class: "badge" }, String(count), el("span", { class: "visually-hidden" }, " new"));

/** Draw the "You are" switch. */
export function drawPeople(container, { workspace, unread, acting, choose }) {
  const known = new Map([...container.children].map((node) => [node.dataset.person, node]));
  const people = [...workspace.people.values()].filter((person) => person.can_act);
  const buttons = people.map((person) => {
    const button = known.get(person.id) ?? personButton(person, choose);
    const isYou = person.id === acting;
    const count = isYou ? 0 : unread.badges(person);
    button.setAttribute("aria-pressed", isYou);
    button.lastElementChild.replaceChildren(...(isYou ? [icon("check", 16)] : count > 0 ? [badge(count)] : []));
    return button;
  });
  arrange(container, buttons);
}

function personButton(person, choose) {
  const title = [el("span", {}, person.title)];
  if (person.can_approve) title.push(el("span", { class: "may-approve" }, "may approve"));
  const words = [el("span", { class: "person-name" }, person.real_name), el("span", { class: "person-title" }, title)];
  return el(
    "button",
    {
      type: "button",
      class: "person",
      data: { testid: `person-${person.name}`, person: person.id },
      on: { click: () => choose(person.id) },
    },
    avatar(person),
    el("span", { class: "person-words" }, words),
    el("span", { class: "person-mark" }),
  );
}
