// Questions to the person at the page.

import { part } from "./dom.js";

/** Asks whether to do something that cannot be undone. @returns {Promise<boolean>} */
export function confirmed(question, verb) {
  const dialog = part("confirm");
  part("confirm-question").textContent = question;
  part("confirm-yes").textContent = verb;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((answered) => {
    dialog.onclose = () => answered(dialog.returnValue === "yes");
  });
}

/** Asks who takes over a chat. @param {(operator: string) => Promise<void>} transfer Fails with a sentence for the person. */
export function askForOperator(transfer) {
  const dialog = part("transfer");
  const form = part("transfer-form");
  const problem = part("transfer-problem");
  form.reset();
  problem.textContent = "";
  part("transfer-cancel").onclick = () => dialog.close();
  form.onsubmit = async (event) => {
    event.preventDefault();
    try {
      await transfer(form.elements.operator.value.trim());
      dialog.close();
    } catch (error) {
      problem.textContent = error.message;
    }
  };
  dialog.showModal();
}
