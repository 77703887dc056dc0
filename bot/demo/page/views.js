// Draws the Home tab and the modal of the person one acts as.
import { drawBlocks } from "./blocks.js";
import { askToConfirm } from "./confirm.js";
import { closeView, postViewAction, submitView } from "./connection.js";
import { el } from "./dom.js";
import { valuesIn } from "./forms.js";

const $ = (id) => document.getElementById(id);
let drawnModal = null;
let drawnHome = null;

/** What pressing a button in a view does. */
const pressing = (shown, view) => ({
  confirm: (question) => askToConfirm(question, view.directory()),
  press: async (_block, { action_id, value = null }) => {
    const answer = await postViewAction({ user: shown.user, view_id: shown.id, action_id, value });
    return answer.ok ? null : answer.error;
  },
});

/** Draw the Home tab into its pane, if it has changed. */
export function drawHome(view) {
  const shown = view.workspace.viewOf(view.acting, "home");
  if (shown === drawnHome && shown) return;
  drawnHome = shown;
  const blocks = shown ? drawBlocks(shown.blocks, view.directory(), pressing(shown, view)) : ["One moment…"];
  $("home").replaceChildren(el("div", { class: "content home-content" }, blocks));
}

/** Show the topmost modal of the person, or none; what was typed into one that stays is kept. */
export function drawModal(view) {
  const shown = view.workspace.viewOf(view.acting, "modal");
  const dialog = $("modal");
  if (!shown) {
    drawnModal = null;
    if (dialog.open) dialog.close();
    return;
  }
  if (drawnModal?.id !== shown.id || drawnModal.blocks !== shown.blocks) fill(dialog, shown, view);
  for (const field of dialog.querySelectorAll(".form-field")) {
    const problem = shown.errors[field.dataset.blockId] ?? "";
    field.querySelector(".form-error").textContent = problem;
    field.classList.toggle("with-error", Boolean(problem));
  }
  $("modal-problem").textContent = shown.errors[""] ?? "";
  drawnModal = shown;
  if (!dialog.open) dialog.showModal();
}

function fill(dialog, shown, view) {
  $("modal-title").textContent = shown.title.text;
  $("modal-blocks").replaceChildren(...drawBlocks(shown.blocks, view.directory(), pressing(shown, view)));
  $("modal-submit").hidden = !shown.submit;
  $("modal-submit").textContent = shown.submit?.text ?? "";
  $("modal-close").textContent = shown.close?.text ?? "Close";
}

/** Wire the modal's own buttons, once. */
export function wireModal() {
  const dialog = $("modal");
  const close = () => drawnModal && void closeView({ user: drawnModal.user, view_id: drawnModal.id });
  $("modal-close").addEventListener("click", close);
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    close();
  });
  $("modal-form").addEventListener("input", ({ target }) => {
    const field = target.closest(".form-field");
    if (!field || !drawnModal) return;
    delete drawnModal.errors[field.dataset.blockId];
    field.querySelector(".form-error").textContent = "";
    field.classList.remove("with-error");
  });
  $("modal-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = $("modal-submit");
    button.setAttribute("aria-busy", "true");
    await submitView({ user: drawnModal.user, view_id: drawnModal.id, values: await valuesIn(event.target) });
    button.removeAttribute("aria-busy");
  });
}
