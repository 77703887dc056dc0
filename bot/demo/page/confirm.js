// Asks a button's `confirm` question in a modal dialog.
import { mrkdwn } from "./mrkdwn.js";

const dialog = document.getElementById("confirm");
const ok = document.getElementById("confirm-ok");
const deny = document.getElementById("confirm-deny");

/** Ask, and answer whether the person confirmed; Escape is a no. */
export function askToConfirm(question, directory) {
  document.getElementById("confirm-title").textContent = question.title?.text ?? "Are you sure?";
  const text = question.text?.type === "mrkdwn" ? mrkdwn(question.text.text, directory) : [question.text?.text ?? ""];
  document.getElementById("confirm-text").replaceChildren(...text);
  ok.textContent = question.confirm?.text ?? "Yes";
  ok.className = `button button-${question.style === "danger" ? "danger" : "primary"}`;
  deny.textContent = question.deny?.text ?? "No";
  dialog.returnValue = "";
  dialog.showModal();
  ok.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "confirmed"), { once: true });
  });
}

ok.addEventListener("click", () => dialog.close("confirmed"));
deny.addEventListener("click", () => dialog.close(""));
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close("");
});
