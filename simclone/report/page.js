(function () {
  "use strict";
  var pictures = JSON.parse(document.getElementById("pictures").textContent);
  var options = { responsive: true, displaylogo: false, displayModeBar: false };
  var nodes = Array.prototype.slice.call(document.querySelectorAll("[data-picture]"));
  function colours() {
    var style = getComputedStyle(document.documentElement);
    var ink = style.getPropertyValue("--ink").trim();
    var paper = style.getPropertyValue("--paper").trim();
    return { "font.color": ink, "hoverlabel.bgcolor": paper, "hoverlabel.font.color": ink };
  }
  function draw(node) {
    var one = pictures[node.dataset.picture];
    if (!one || node.dataset.drawn) { return; }
    node.dataset.drawn = "yes";
    Plotly.newPlot(node, one.data, one.layout, options).then(function () {
      Plotly.relayout(node, colours());
      if (one.frames) { Plotly.addFrames(node, one.frames); }
    });
  }
  function all() { nodes.forEach(draw); }
  if ("IntersectionObserver" in window) {
    var watch = new IntersectionObserver(function (entries) {
      entries.forEach(function (entry) { if (entry.isIntersecting) { draw(entry.target); } });
    }, { rootMargin: "600px" });
    nodes.forEach(function (node) { watch.observe(node); });
  } else { all(); }
  window.addEventListener("beforeprint", function () {
    all();
    document.querySelectorAll("details").forEach(function (one) { one.open = true; });
  });
  var dark = window.matchMedia("(prefers-color-scheme: dark)");
  if (dark.addEventListener) {
    dark.addEventListener("change", function () {
      nodes.forEach(function (node) { if (node.dataset.drawn) { Plotly.relayout(node, colours()); } });
    });
  }
})();
