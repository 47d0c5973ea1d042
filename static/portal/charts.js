// Draws each [data-chart] from the Vega-Lite specification in the element it names, in the page's colours.
"use strict";

(() => {
  const views = new WeakMap();

  const colours = (element) => {
    const style = getComputedStyle(element);
    const colour = (name) => style.getPropertyValue(`--chart-${name}`);
    const font = style.fontFamily;
    const mark = colour("mark");
    const axis = {
      domainColor: colour("grid"), gridColor: colour("grid"), tickColor: colour("grid"),
      labelColor: colour("text"), labelFont: font, labelFontSize: 12, labelPadding: 6, ticks: false,
    };
    return {
      background: "transparent", view: { stroke: null }, padding: { left: 0, right: 2, top: 6, bottom: 6 }, font, axis, axisY: { domain: false },
      bar: { color: mark, cornerRadiusEnd: 2, binSpacing: 0 },
      area: { color: mark, fillOpacity: 0.18 }, line: { color: mark, strokeWidth: 2 },
      point: { color: mark, fill: mark, opacity: 0.6, size: 30 },
      style: {
        average: { color: colour("line"), strokeWidth: 1.5, strokeDash: [4, 3] },
        moment: { color: colour("text"), strokeWidth: 1.5 },
        "moment-name": { color: colour("text"), fill: colour("text"), font, fontSize: 12, fontWeight: 600 },
      },
      legend: { labelColor: colour("text"), labelFont: font, labelFontSize: 12, symbolSize: 90, symbolStrokeWidth: 0, offset: 6 },
      range: {
        category: [1, 2, 3, 4, 5, 6, 7, 8].map((number) => colour(number)),
        heatmap: [colour("faint"), mark], ramp: [colour("faint"), mark],
      },
    };
  };

  // Drawn out of sight and then put in the place of the old one, so that nothing flickers.
  const draw = async (element) => {
    const text = document.getElementById(element.dataset.chart).textContent;
    const config = colours(element);
    const wanted = text + JSON.stringify(config);
    if (element.drawn === wanted) return;
    element.drawn = wanted;
    const drawing = document.createElement("div");
    drawing.className = "drawing coming";
    element.append(drawing);
    const result = await window.vegaEmbed(drawing, JSON.parse(text), {
      mode: "vega-lite", renderer: "svg", ast: true, actions: false, config,
      defaultStyle: false, tooltip: { disableDefaultStyle: true },
    });
    views.set(drawing, result);
    if (element.drawn !== wanted) return discard(drawing);
    for (const old of [...element.children]) if (old !== drawing) discard(old);
    drawing.classList.remove("coming");
  };

  const discard = (drawing) => {
    views.get(drawing)?.finalize();
    drawing.remove();
  };

  // The picture is as the page shows it, on the page's own ground.
  const picture = async (id) => {
    const drawing = document.querySelector(`#${CSS.escape(id)} .drawing:not(.coming)`);
    const { view } = views.get(drawing);
    view.background(getComputedStyle(drawing.closest(".panel") ?? document.body).backgroundColor);
    const canvas = await view.toCanvas(2);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-image]");
    if (button) window.headroom.save(await picture(button.dataset.image), `${button.dataset.file}.png`);
  });

  const drawAll = () => {
    for (const element of document.querySelectorAll("[data-chart]")) draw(element);
  };
  document.addEventListener("htmx:afterSwap", drawAll);
  document.addEventListener("themechange", drawAll);
  drawAll();
})();
