/* Draws every chart: figures come as JSON without looks, this gives them the page's theme. */
"use strict";
(function () {
  const colour = (name) => {
    const probe = document.createElement("i");
    probe.style.color = "var(--" + name + ")";
    document.body.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
  };

  function traces(figure) {
    const by = Object.fromEntries(figure.traces.map((trace) => [trace.role, trace]));
    const line = (role, extra) => by[role] && ({
      type: "scatter", mode: "lines", name: by[role].name, x: by[role].x, y: by[role].y,
      connectgaps: false, hovertemplate: "%{y:.1f}", ...extra,
    });
    const drawn = [
      line("bid", { line: { color: colour("bid"), width: 1, shape: "hv" } }),
      line("ask", { line: { color: colour("ask"), width: 1, shape: "hv" } }),
      line("mid", { line: { color: colour("accent"), width: 2.2, shape: "hv" } }),
    ].filter(Boolean);
    if (by.volume) {
      drawn.unshift({
        type: "bar", name: "Volume", x: by.volume.x, y: by.volume.y, yaxis: "y2",
        marker: { color: colour("line-strong"), line: { width: 0 } }, hovertemplate: "%{y:,.0f}",
      });
    }
    return drawn;
  }

  function layout(figure) {
    const dim = colour("dim");
    const hasVolume = figure.traces.some((trace) => trace.role === "volume");
    const axis = { gridcolor: colour("line"), zeroline: false, linecolor: colour("line"), tickfont: { color: dim } };
    return {
      autosize: true, margin: { l: 44, r: 14, t: 8, b: 34 }, showlegend: true, hovermode: "x unified", bargap: 0.1,
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: colour("text") },
      legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", font: { color: dim } },
      hoverlabel: { bgcolor: colour("panel"), bordercolor: colour("line-strong"), font: { color: colour("text") } },
      xaxis: { ...axis, type: "date", anchor: hasVolume ? "y2" : "y", range: [figure.from, figure.to], hoverformat: "%d %b %H:%M UTC", nticks: 8 },
      yaxis: { ...axis, domain: [hasVolume ? 0.18 : 0, 1], ticksuffix: "¢", rangemode: "normal", fixedrange: true, nticks: 6 },
      yaxis2: { ...axis, domain: [0, 0.14], showgrid: false, showticklabels: false, fixedrange: true, rangemode: "tozero" },
      shapes: figure.gaps.map(([from, to]) => ({
        type: "rect", xref: "x", yref: "paper", x0: from, x1: to, y0: 0, y1: 1, layer: "below",
        fillcolor: colour("warn-soft"), opacity: 0.7, line: { width: 0 },
      })),
      annotations: figure.gaps.map(([from, to]) => ({
        x: from, xref: "x", y: 1, yref: "paper", xanchor: "left", yanchor: "top", showarrow: false,
        text: "not collected", font: { size: 11, color: colour("warn") },
      })),
    };
  }

  const utc = (text) => text.replace(/([+-]00:00|Z)$/, "");
  function inUtc(figure) {
    /* Plotly draws a time without a zone as it stands: all our times are UTC. */
    figure.from = utc(figure.from);
    figure.to = utc(figure.to);
    figure.gaps = figure.gaps.map(([from, to, why]) => [utc(from), utc(to), why]);
    figure.traces.forEach((trace) => (trace.x = trace.x.map(utc)));
    return figure;
  }

  function says(place, text) {
    if (window.Plotly) Plotly.purge(place);
    place.innerHTML = "";
    const line = document.createElement("p");
    line.className = "dim chart-says";
    line.textContent = text;
    place.append(line);
  }

  function draw(place) {
    const figure = place.figure;
    if (!figure) return;
    if (!figure.points) {
      says(place, "No prices are known for this span. They appear here once the market has been quoted.");
      return;
    }
    const note = place.querySelector(".chart-says");
    if (note) note.remove();
    Plotly.react(place, traces(figure), layout(figure), { responsive: true, displayModeBar: false, displaylogo: false });
  }

  async function load(place) {
    try {
      const response = await fetch(place.dataset.chart + "?hours=" + (place.dataset.hours || "24"));
      if (!response.ok) throw new Error(String(response.status));
      place.figure = inUtc(await response.json());
      draw(place);
      /* The venue is being asked for what is missing: look again soon, but not for ever. */
      if (place.figure.is_filling && (place.tries = (place.tries || 0) + 1) <= 5) setTimeout(() => load(place), 2000);
    } catch {
      if (!place.figure) says(place, "The chart could not be loaded. It is tried again in a minute.");
    }
  }

  const charts = Array.from(document.querySelectorAll("[data-chart]"));
  charts.forEach((place) => {
    load(place);
    setInterval(() => document.hidden || load(place), 60000);
  });
  document.addEventListener("theme", () => charts.forEach(draw));
  document.querySelectorAll("[data-span]").forEach((button) =>
    button.addEventListener("click", () => {
      const panel = button.closest(".panel");
      panel.querySelectorAll("[data-span]").forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
      const place = panel.querySelector("[data-chart]");
      place.dataset.hours = button.dataset.span;
      load(place);
    })
  );
})();
