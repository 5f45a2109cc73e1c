/**
 * Two charts on one time axis, drawn in the browser of what the events tell: rows a second, and lag; with bands where
 * copying waited, and why.
 */

/** A time of day. */
export const clock = (date) => date.toLocaleTimeString([], { hour12: false });

/** Numbers since the page was opened, one column a chart's line. Rates of changes are made of their counts. */
const series = { time: [], copy: [], replay: [], lag: [] };
/** Times at which copying waited, each with what it waited for and the reason as told last; and the one that goes on. */
const spells = [];
let spell = null;
/** Points that are kept; when there are more, two become one: the older they are, the further apart they lie. */
const POINTS = 1200;
/** Milliseconds before the library is asked for again, when it could not be had. */
const AGAIN = 5000;
const HEIGHT = 150;
/** Seconds that a chart shows at least. */
const SPAN = 60;
/** Spells that are kept, and that are listed. */
const SPELLS = 200;
const LISTED = 5;
let charts = null;
let loading = 0;
let loadAt = 0;
let applied = null;

/** Takes up what an event tells. */
export function note({ progress, paused, throttled }) {
  const now = Date.now() / 1000;
  const before = series.time.at(-1);
  const cause = paused ? { name: "paused", reason: "paused" } : throttled;
  if (before !== undefined && now - before < 0.2 && cause?.name === spell?.name) return;
  hold(cause, now);
  const changes = progress.changesApplied;
  const replayed = applied === null || before === undefined ? null : (changes - applied) / (now - before);
  applied = changes;
  push(now, { copy: progress.rowsPerSecond, replay: replayed, lag: progress.lagSeconds });
  if (series.time.length > 1) draw();
}

/** Nothing is heard from here on: what was is not drawn on. */
export function lose() {
  if (applied === null) return;
  applied = null;
  const now = Date.now() / 1000;
  hold(null, now);
  push(now, { copy: null, replay: null, lag: null });
  if (charts !== null) draw();
}

/** Nothing new, of a ferry that is heard: what copying waits for goes on, and is not over with the last event. */
export function stay() {
  if (spell === null) return;
  spell.to = Date.now() / 1000;
  if (series.time.length > 1) draw();
}

function push(time, values) {
  series.time.push(time);
  for (const [name, value] of Object.entries(values)) series[name].push(value);
  if (series.time.length > POINTS) thin();
}

/** Of two numbers their mean; beside what is not known nothing is. */
function thin() {
  const half = (line, join) =>
    line.flatMap((value, i) => i % 2 === 1 ? [] : [i + 1 < line.length ? join(value, line[i + 1]) : value]);
  series.time = half(series.time, (a) => a);
  for (const name of ["copy", "replay", "lag"]) {
    series[name] = half(series[name], (a, b) => a === null || b === null ? null : (a + b) / 2);
  }
}

/** From now on copying waits for this, or for nothing. A reason's number moves all the time: its name makes the spell. */
function hold(cause, now) {
  if (spell !== null) spell.to = now;
  if (cause !== null && cause.name === spell?.name) {
    spell.reason = cause.reason;
    return;
  }
  spell = cause === null ? null : { name: cause.name, reason: cause.reason, from: now, to: now };
  if (spell === null) return;
  spells.push(spell);
  if (spells.length > SPELLS) spells.shift();
}

async function draw() {
  if (charts === null) {
    if (Date.now() < loadAt) return; // the library is still on its way, or is asked for again in a while
    loadAt = Infinity;
    try {
      // What could not be had once is not asked for again under the same name.
      const { default: Plot } = await import(`/assets/uplot.js${loading === 0 ? "" : `?${loading}`}`);
      charts = makeCharts(Plot);
      loadAt = 0;
    } catch {
      loading++;
      loadAt = Date.now() + AGAIN;
      return;
    }
  }
  charts[0].setData([series.time, series.copy, series.replay]);
  charts[1].setData([series.time, series.lag]);
  const items = spells.slice(-LISTED).map(({ reason, from, to }) => {
    const item = document.createElement("li");
    item.textContent = `${clock(new Date(from * 1000))} to ${clock(new Date(to * 1000))}: ${reason}`;
    return item;
  });
  document.getElementById("spells").replaceChildren(...items);
}

function makeCharts(Plot) {
  // A canvas knows nothing of variables and schemes: an element is asked which color it would have.
  const probe = document.createElement("span");
  document.body.append(probe);
  const color = (name) => {
    probe.className = `color${name}`;
    return getComputedStyle(probe).color;
  };
  const [band, ink] = [color("--band"), color("--faint")];
  const axis = {
    stroke: color("--faint"),
    grid: { stroke: color("--line") },
    ticks: { stroke: color("--line") },
  };
  document.getElementById("charts").hidden = false;
  const chart = (id, lines) => {
    const place = document.getElementById(id);
    return new Plot(
      {
        width: place.clientWidth,
        height: HEIGHT,
        cursor: { sync: { key: "ferry" } },
        scales: {
          // The library makes a day of a single moment.
          x: { range: axisRange },
          y: { range: (_plot, _min, max) => [0, Math.max(1, (max ?? 0) * 1.1)] },
        },
        axes: [
          { ...axis, values: (_plot, ticks) => ticks.map((t) => clock(new Date(t * 1000))), space: 80 },
          {
            ...axis,
            size: 70,
          },
        ],
        series: [
          { value: (_plot, t) => t === null ? "--" : clock(new Date(t * 1000)) },
          ...lines.map(([label, name, dash]) => ({
            label,
            stroke: color(name),
            width: 2,
            dash,
            points: { show: false },
          })),
        ],
        hooks: { drawClear: [(plot) => bands(plot, band, ink)] },
      },
      [[], ...lines.map(() => [])],
      place,
    );
  };
  const made = [
    chart("rates", [["rows/s copied", "--accent"], ["changes/s replayed", "--good", [6, 3]]]),
    chart("lags", [["seconds behind", "--wait"]]),
  ];
  probe.remove();
  return made;
}

/** From the first point to the last, or to where copying still waits. */
function axisRange() {
  const end = Math.max(series.time.at(-1), spell?.to ?? 0);
  return [Math.min(series.time[0], end - SPAN), end];
}

function fit() {
  for (const plot of charts ?? []) {
    plot.setSize({ width: plot.root.parentElement.clientWidth, height: HEIGHT });
  }
}

/** Grey where copying waited, with the reason where there is room for it. */
function bands(plot, band, ink) {
  const { ctx, bbox } = plot;
  ctx.save();
  for (const { reason, from, to } of spells) {
    const left = Math.max(bbox.left, plot.valToPos(from, "x", true));
    const width = plot.valToPos(to, "x", true) - left;
    ctx.fillStyle = band;
    ctx.fillRect(left, bbox.top, width, bbox.height);
    if (width < 40) continue;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, bbox.top, width, bbox.height);
    ctx.clip();
    ctx.fillStyle = ink;
    ctx.textBaseline = "top";
    ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.fillText(reason, left + 4, bbox.top + 4);
    ctx.restore();
  }
  ctx.restore();
}

addEventListener("resize", fit);
/** Whatever the colours depend on: they are asked for anew. */
for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) {
  matchMedia(query).addEventListener("change", () => {
    for (const plot of charts ?? []) plot.destroy();
    charts = null;
    if (series.time.length > 1) draw();
  });
}
