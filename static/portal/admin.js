// The operator's lists: the menus of filters stay inside the window, and close on Escape, and when something
// else is pressed.
"use strict";

(() => {
  const EDGE_PX = 8;

  const close = (except) => {
    for (const menu of document.querySelectorAll("details.filter-menu[open]")) {
      if (menu !== except) menu.open = false;
    }
  };
  const keepInside = (menu) => {
    menu.classList.remove("end");
    const { right } = menu.querySelector("ul").getBoundingClientRect();
    menu.classList.toggle("end", right > document.documentElement.clientWidth - EDGE_PX);
  };
  const onToggle = (event) => {
    if (event.target.matches?.("details.filter-menu[open]")) keepInside(event.target);
  };
  document.addEventListener("toggle", onToggle, { capture: true });
  document.addEventListener("click", (event) => close(event.target.closest("details.filter-menu")));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.target.closest("details.filter-menu[open]")?.querySelector("summary").focus();
    close();
  });
})();
