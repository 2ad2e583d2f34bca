// Draws the curves, in UTC as all of the page, and asks for newer figures every ten seconds. The page says everything
// without it.
"use strict";
(() => {
  const POLL_MS = 10000, HEIGHT = 260;
  // Okabe and Ito's colours, told apart by everybody; each line also has a dash of its own.
  const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00"];
  const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3], [5, 5], [1, 4]];
  // A kind of mark is told by its sign as well as by its colour.
  const SIGNS = { deploy: "▲", fault: "✕", failover: "⇄", alert: "!" };
  const MARKS = { deploy: "#0072b2", fault: "#7a7a7a", failover: "#009e73", alert: "#d55e00" };
  const DAY_SECONDS = 86400;
  const place = document.getElementById("curves");
  let told = JSON.parse(document.getElementById("page").textContent);
  let plot = null;

  const ink = () => getComputedStyle(document.documentElement).getPropertyValue("--soft").trim();

  const inUtc = (seconds) => new Date(seconds * 1000).toISOString();

  // 24 hours; the day where it begins, and where ticks are days.
  function tickLabels(_, ticks, __, ___, step) {
    return ticks.map((tick) => {
      const text = inUtc(tick);
      if (step >= DAY_SECONDS || tick % DAY_SECONDS === 0) return text.slice(5, 10);
      return step < 60 ? text.slice(11, 19) : text.slice(11, 16);
    });
  }

  function drawMarks(chart) {
    const context = chart.ctx, size = Math.round(13 * devicePixelRatio);
    context.save();
    context.font = `${size}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "top";
    for (const mark of told.marks) {
      const x = chart.valToPos(mark.at, "x", true);
      if (x < chart.bbox.left || x > chart.bbox.left + chart.bbox.width) continue;
      context.strokeStyle = context.fillStyle = MARKS[mark.kind];
      context.setLineDash([4, 4]);
      context.fillText(SIGNS[mark.kind], x, chart.bbox.top);
      context.beginPath();
      context.moveTo(x, chart.bbox.top + size + 2);
      context.lineTo(x, chart.bbox.top + chart.bbox.height);
      context.stroke();
    }
    context.restore();
  }

  function draw() {
    if (!told.curves) return;
    const data = [told.curves.at, ...told.slos.map((slo) => told.curves[slo.name])];
    const least = Math.min(99, ...data.slice(1).flat().filter((value) => value !== null));
    const axis = { stroke: ink(), grid: { stroke: "#8883", width: 1 } };
    if (plot) plot.destroy();
    plot = new uPlot({
      width: place.clientWidth, height: HEIGHT,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      scales: { y: { range: [Math.max(0, least - 1), 100.05] } },
      axes: [{ ...axis, values: tickLabels }, { ...axis, values: (_, ticks) => ticks.map((tick) => tick + " %"), size: 70 }],
      series: [{ label: "UTC", value: (_, at) => (at ? inUtc(at).slice(0, 16).replace("T", " ") : "–") }, ...told.slos.map((slo, place) => ({
        label: slo.title, stroke: COLOURS[place % 6], dash: DASHES[place % 6], width: 2, spanGaps: true,
        points: { show: told.curves.at.length < 200, size: 5 },
        value: (_, value) => (value === null || value === undefined ? "–" : value.toFixed(3) + " %"),
      }))],
      hooks: { draw: [drawMarks] },
    }, data, place);
  }

  async function renew() {
    try {
      const answer = await fetch(location.pathname + location.search, { headers: { "X-Part": "1" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const id of ["verdict", "looked", "alerts", "slos", "marks", "lateness"]) {
        const old = document.getElementById(id), now = fresh.getElementById(id);
        if (now && old.innerHTML !== now.innerHTML) old.innerHTML = now.innerHTML;
        if (now) old.hidden = now.hidden;
      }
      told = JSON.parse(fresh.getElementById("page").textContent);
      draw();
    } catch (error) {
      document.getElementById("looked").textContent = "The web does not answer; trying again.";
    }
  }

  draw();
  addEventListener("resize", draw);
  setInterval(renew, POLL_MS);
})();
