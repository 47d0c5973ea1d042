// What every page does: menus, copying, and keeping itself fresh.
"use strict";

(() => {
  const SOON_MS = 1500;
  const opened = new Set();
  const notice = () => document.getElementById("notice");

  // Menus close on Escape, and when something else is pressed or reached.

  const closeMenus = (except) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (menu !== except) menu.open = false;
    }
  };
  document.addEventListener("click", (event) => closeMenus(event.target.closest("details.menu")));
  document.addEventListener("focusin", (event) => closeMenus(event.target.closest("details.menu")));
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && event.target.closest("details.menu[open]");
    if (menu) menu.querySelector("summary").focus();
    if (event.key === "Escape") closeMenus();
  });

  // Copying needs a secure context; the text can be marked by hand without one.

  const offerCopying = () => {
    if (!navigator.clipboard) return;
    for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    const words = button.firstChild;
    words.data = "Copied";
    setTimeout(() => (words.data = "Copy"), SOON_MS);
  });

  // What a chart or a table shows can be taken along.

  const save = (blob, name) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), SOON_MS);
  };
  window.headroom = { save };

  const quoted = (text) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const read = (cell) => quoted(cell.dataset.value ?? cell.textContent.trim());
  const rows = (table) => [...table.rows].map((row) => [...row.cells].map(read).join(",")).join("\r\n") + "\r\n";
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-rows]");
    if (!button) return;
    const table = document.getElementById(button.dataset.rows);
    save(new Blob([rows(table)], { type: "text/csv;charset=utf-8" }), `${button.dataset.file}.csv`);
  });
  const offerTaking = () => {
    for (const button of document.querySelectorAll("[data-rows], [data-image]")) button.hidden = false;
  };

  // What is wider than its place fades out where it goes on; only then is a table a stop of the keyboard.

  const WIDE = ".table-scroll, .tabs, .switches .switch";
  const measure = (area) => {
    const room = area.scrollWidth - area.clientWidth;
    const fades = [area.scrollLeft > 1 && "before", room - area.scrollLeft > 1 && "after"].filter(Boolean);
    fades.length ? (area.dataset.fades = fades.join(" ")) : delete area.dataset.fades;
    if (!area.matches(".table-scroll")) return;
    if (room > 1) area.tabIndex = 0;
    else if (document.activeElement !== area) area.removeAttribute("tabindex");
  };
  const centre = (area, current) => {
    area.scrollLeft = current.offsetLeft - area.offsetLeft - (area.clientWidth - current.offsetWidth) / 2;
  };
  const sizes = new ResizeObserver((entries) => entries.forEach((entry) => measure(entry.target)));
  const nameOf = (area) => area.querySelector("table[id]")?.id ?? area.getAttribute("aria-label");
  let chosen = new Map();
  const watchWidths = () => {
    const before = chosen;
    chosen = new Map();
    sizes.disconnect();
    for (const area of document.querySelectorAll(WIDE)) {
      const current = area.querySelector(":scope > [aria-current]");
      if (current) {
        chosen.set(nameOf(area), current.textContent);
        // Whoever scrolled away from what is chosen stays there until another is.
        if (before.get(nameOf(area)) !== current.textContent) centre(area, current);
      }
      sizes.observe(area);
    }
  };
  document.addEventListener("scroll", (event) => {
    if (event.target.matches?.(WIDE)) measure(event.target);
  }, true);

  // Another organization is another page: its choice goes to a form of its own, past the filters around it.

  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-submits]")) return;
    event.stopPropagation();
    event.target.form.submit();
  }, true);

  // Days of one's own are sent only while they are asked for.

  document.addEventListener("change", (event) => {
    if (event.target.id !== "filter-range") return;
    for (const input of event.target.form.querySelectorAll(".custom input")) {
      input.disabled = event.target.value !== "custom";
    }
  }, true);

  // How far tables were scrolled and where the keyboard was outlast what is replaced; htmx sees to focus by id.

  let kept = { scrolled: new Map(), focus: null };
  const signOf = (control) => {
    if (control.matches("a[href]")) return control.getAttribute("href");
    if (control.matches("summary")) return control.textContent;
    return control.matches("button") ? [control.form?.getAttribute("action"), control.name, control.textContent].join(" ") : null;
  };
  const focusOf = (part) => {
    const active = document.activeElement;
    if (!active || active.id || !part.contains(active)) return null;
    const area = active.matches(WIDE) && nameOf(active);
    if (area) return () => [...document.querySelectorAll(WIDE)].find((one) => nameOf(one) === area);
    const sign = signOf(active);
    if (sign === null) return null;
    const same = () => [...document.querySelectorAll(`#live ${active.tagName}`)].filter((one) => signOf(one) === sign);
    const place = same().indexOf(active);
    return () => same()[place] ?? same()[0];
  };
  document.addEventListener("htmx:beforeSwap", (event) => {
    const areas = [...document.querySelectorAll(WIDE)];
    kept = {
      scrolled: new Map(areas.map((area) => [nameOf(area), area.scrollLeft])),
      focus: event.detail.shouldSwap ? focusOf(event.detail.target) : null,
    };
  });
  const restore = () => {
    for (const area of document.querySelectorAll(WIDE)) {
      const left = kept.scrolled.get(nameOf(area));
      if (left) area.scrollLeft = left;
    }
    if (document.activeElement === document.body) kept.focus?.()?.focus({ preventScroll: true });
    kept = { scrolled: new Map(), focus: null };
  };

  // A table that was opened stays open when its surroundings are replaced.

  document.addEventListener("toggle", (event) => {
    const id = event.target.matches?.("details.table-toggle") && event.target.id;
    if (id) event.target.open ? opened.add(id) : opened.delete(id);
  }, true);
  document.addEventListener("htmx:afterSwap", () => {
    for (const id of opened) {
      const details = document.getElementById(id);
      if (details) details.open = true;
    }
    offerCopying();
    offerTaking();
    restore();
    watchWidths();
  });

  // Fresh figures while somebody looks, but not under the pointer that is marking text, nor while they are asked.

  const refresh = () => {
    const isMarking = !document.getSelection().isCollapsed;
    const isChoosing = document.activeElement?.matches("#live :is(input, select, textarea)");
    const isAsked = document.querySelector("#live details.confirm[open]");
    if (document.visibilityState === "visible" && !isMarking && !isChoosing && !isAsked) document.body.dispatchEvent(new Event("refresh"));
  };
  const failed = (event) => {
    const status = event.detail.xhr?.status;
    notice().textContent = status
      ? `This page is not up to date: the server answered ${status}.`
      : "This page is not up to date: the server can't be reached.";
  };
  document.addEventListener("htmx:sendError", failed);
  document.addEventListener("htmx:responseError", failed);
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.shouldSwap) notice().textContent = "";
  });
  document.addEventListener("visibilitychange", refresh);
  const seconds = Number(document.body.dataset.refreshSeconds);
  if (seconds) setInterval(refresh, seconds * 1000);
  offerCopying();
  offerTaking();
  watchWidths();
  document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
})();
