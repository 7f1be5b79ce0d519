// Draws every chart in the page's own colours, and again when the theme or the width class changes.
(() => {
  const specs = JSON.parse(document.getElementById("specs").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const narrow = matchMedia("(max-width: 600px)");
  const colors = Array.from({ length: 10 }, (_, i) => `--c${i}`);

  const theme = () => {
    const style = getComputedStyle(document.documentElement);
    const value = (name) => style.getPropertyValue(name).trim();
    const muted = value("--muted");
    return {
      background: "transparent",
      font: value("--font"),
      view: { stroke: null },
      mark: { color: value("--accent") },
      bar: { stroke: value("--surface"), strokeWidth: 1 },
      text: { color: value("--ink"), fontSize: 12 },
      axis: { labelColor: muted, titleColor: muted, gridColor: value("--line"), domain: false, ticks: false,
              labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal", labelPadding: 6 },
      axisY: { labelLimit: narrow.matches ? 150 : 320, labelColor: value("--ink") },
      scale: { bandPaddingInner: 0.25 },
      range: { category: colors.map(value) },
    };
  };

  const fail = (place) => () => {
    place.textContent = "This chart could not be drawn; the tables hold the same numbers.";
  };

  // `ast` has Vega interpret its expressions: the page's policy forbids eval.
  const draw = () => Object.entries(specs).forEach(([key, spec]) => {
    const place = document.getElementById(key);
    const tooltip = { theme: dark.matches ? "dark" : "light" };
    const options = { actions: false, ast: true, config: theme(), defaultStyle: false, renderer: "svg", tooltip };
    vegaEmbed(place, spec, options).catch(fail(place));
  });

  dark.addEventListener("change", draw);
  narrow.addEventListener("change", draw);
  draw();
})();
