// A select of many rows becomes a combobox: what is typed is looked for; arrows, Enter or a press choose.
"use strict";

(() => {
  const WAIT_MS = 200;
  const NEXT = { ArrowDown: 1, ArrowUp: -1 };

  const make = (name, attributes) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };

  const relabel = (select, input) => {
    for (const name of ["aria-label", "aria-describedby", "aria-invalid"]) {
      if (select.hasAttribute(name)) input.setAttribute(name, select.getAttribute(name));
    }
    for (const label of document.querySelectorAll(`label[for="${CSS.escape(select.id)}"]`)) label.htmlFor = input.id;
  };

  const ask = async (select, term) => {
    const { choose, appLabel, modelName, fieldName } = select.dataset;
    const query = new URLSearchParams({ term, app_label: appLabel, model_name: modelName, field_name: fieldName });
    const answer = await fetch(`${choose}?${query}`, { headers: { Accept: "application/json" } });
    return answer.ok ? (await answer.json()).results : [];
  };

  const enhance = (select) => {
    if (select.dataset.enhanced || select.id.includes("__prefix__")) return;
    select.dataset.enhanced = "true";
    const listId = `${select.id}_list`;
    const input = make("input", {
      type: "text", id: `${select.id}_text`, role: "combobox", autocomplete: "off", spellcheck: "false",
      "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": listId, placeholder: "Type a name",
    });
    const list = make("ul", { id: listId, role: "listbox", "aria-label": "Found" });
    const said = make("span", { role: "status", class: "visually-hidden" });
    const box = make("div", { class: "chooser-box" });
    relabel(select, input);
    select.before(box);
    box.append(input, list, said, select);
    select.hidden = list.hidden = true;

    let waiting = 0;
    let asked = 0;
    const shown = () => select.selectedOptions[0]?.text.replace(/^-+$/, "") ?? "";
    const options = () => [...list.children];
    const active = () => list.querySelector('[aria-selected="true"]');
    const show = (none) => {
      said.className = none ? "none" : "visually-hidden";
    };
    const close = () => {
      show(false);
      list.hidden = true;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    };
    const activate = (option) => {
      active()?.setAttribute("aria-selected", "false");
      option.setAttribute("aria-selected", "true");
      option.scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", option.id);
    };
    const choose = (value, text) => {
      select.replaceChildren(new Option(text, value, true, true));
      input.value = text;
      close();
      select.dispatchEvent(new Event("change", { bubbles: true }));
    };
    const open = (found) => {
      list.replaceChildren(...found.map(({ id, text }, place) => {
        const option = make("li", { role: "option", id: `${listId}_${place}`, "data-value": id, "aria-selected": "false" });
        option.textContent = text;
        return option;
      }));
      list.hidden = found.length === 0;
      input.setAttribute("aria-expanded", String(found.length > 0));
      show(found.length === 0);
      said.textContent = found.length === 0 ? "No results" : `${found.length} found`;
    };
    const look = async () => {
      const turn = ++asked;
      const found = await ask(select, input.value.trim());
      if (turn === asked && document.activeElement === input) open(found);
    };

    input.value = shown();
    input.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(look, WAIT_MS);
    });
    input.addEventListener("keydown", (event) => {
      if (event.key in NEXT) {
        event.preventDefault();
        if (list.hidden) return look();
        const all = options();
        const place = all.indexOf(active()) + NEXT[event.key];
        activate(all[(place + all.length) % all.length]);
      } else if (event.key === "Enter" && !list.hidden && active()) {
        event.preventDefault();
        choose(active().dataset.value, active().textContent);
      } else if (event.key === "Escape" && (!list.hidden || said.className === "none")) {
        event.stopPropagation();
        close();
      }
    });
    list.addEventListener("mousedown", (event) => {
      event.preventDefault();
      const option = event.target.closest("[role=option]");
      if (option) choose(option.dataset.value, option.textContent);
    });
    input.addEventListener("blur", () => {
      if (input.value.trim() === "" && shown() !== "") choose("", "");
      input.value = shown();
      close();
    });
  };

  const enhanceAll = (root) => root.querySelectorAll("select.chooser").forEach(enhance);
  document.addEventListener("formset:added", (event) => enhanceAll(event.target));
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => enhanceAll(document));
  else enhanceAll(document);
})();
