// Draws every chart in the page's own colours, and again when the theme or the width class changes.
(() => {
  const { specs, axis, failed } = JSON.parse(document.getElementById("settings").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const narrow = matchMedia("(max-width: 600px)");
  const paper = matchMedia("print");
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
      line: { strokeWidth: 2.5 },
      text: { color: value("--ink"), fontSize: 12 },
      axis: { labelColor: muted, titleColor: muted, gridColor: value("--line"), domain: false, ticks: false,
              labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal", labelPadding: 6 },
      axisY: { labelLimit: narrow.matches ? 190 : 320, labelColor: value("--ink") },
      scale: { bandPaddingInner: 0.25 },
    };
  };

  // Specs name the colours of the page's palette.
  const painted = (spec) => JSON.parse(JSON.stringify(spec), (_, value) => (
    typeof value === "string" && /^--c\d$/.test(value)
      ? getComputedStyle(document.documentElement).getPropertyValue(value).trim() : value));

  // `ast` has Vega interpret its expressions: the page's policy forbids eval.
  const draw = () => Object.entries(specs).forEach(([key, spec]) => {
    const place = document.querySelector(`[data-chart="${key}"]`);
    const options = { actions: false, ast: true, config: theme(), defaultStyle: false, formatLocale: axis,
                      renderer: "svg", tooltip: { disableDefaultStyle: true } };
    vegaEmbed(place, painted(spec), options).catch(() => { place.textContent = failed; });
  });

  // A figure that a link leads to lies in no fold; paper has no folds at all.
  const unfold = () => document.querySelectorAll("details").forEach((each) => { each.open = true; });
  addEventListener("beforeprint", unfold);
  for (const query of [dark, narrow, paper]) query.addEventListener("change", draw);
  draw();
})();
