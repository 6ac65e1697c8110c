"use strict";
// Without this script the page still works: the language switch is CSS, the proofs unfold one by one.
(() => {
  const root = document.documentElement;
  const proofs = document.querySelectorAll("main details");
  const title = document.querySelector("title");
  for (const choice of document.querySelectorAll("input[name=lang]")) {
    choice.addEventListener("change", () => {
      root.lang = choice.value;
      title.textContent = title.dataset[choice.value];
    });
  }
  const unfold = document.getElementById("unfold");
  unfold.hidden = false;
  unfold.addEventListener("click", () => {
    const open = unfold.getAttribute("aria-pressed") !== "true";
    unfold.setAttribute("aria-pressed", String(open));
    for (const proof of proofs) proof.open = open;
  });
})();
