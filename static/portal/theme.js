// Before anything is painted: light or dark as chosen here earlier, the system's way otherwise.
// The choice is kept where the operator's admin keeps it too.
"use strict";

(() => {
  const NAMES = { auto: "as the system", light: "light", dark: "dark" };
  const system = window.matchMedia("(prefers-color-scheme: dark)");

  const kept = () => {
    try {
      const choice = localStorage.getItem("theme");
      return choice in NAMES ? choice : "auto";
    } catch {
      return "auto";
    }
  };

  // From the system's theme first to the other one, so that the first press always shows.
  const after = (choice) => {
    const order = system.matches ? ["auto", "light", "dark"] : ["auto", "dark", "light"];
    return order[(order.indexOf(choice) + 1) % order.length];
  };

  const announce = () => document.dispatchEvent(new Event("themechange"));

  const show = (choice) => {
    document.documentElement.dataset.theme = choice;
    for (const button of document.querySelectorAll("[data-theme-toggle]")) {
      button.hidden = false;
      button.title = `Theme: ${NAMES[choice]}`;
      button.setAttribute("aria-label", `Theme: ${NAMES[choice]}. Change to ${NAMES[after(choice)]}`);
    }
  };

  show(kept());
  system.addEventListener("change", () => {
    show(kept());
    announce();
  });
  document.addEventListener("DOMContentLoaded", () => show(kept()));
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-toggle]")) return;
    const choice = after(kept());
    try {
      localStorage.setItem("theme", choice);
    } catch {
      // Without a place to keep it, the choice holds for this page.
    }
    show(choice);
    announce();
  });
})();
