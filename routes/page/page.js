/**
 * Keeps a page as it is on the server: whenever the ferry tells something, what changes is fetched anew and put in
 * place. Without this script the page is a snapshot.
 */
const live = document.getElementById("live");
const events = document.getElementById("events");
const actions = document.getElementById("actions");
/** Milliseconds between two fetches, and without a word until the page says that it is old. */
const PACE = 1000;
const STALE = 5000;
const SHOWN = 100;

let heard = Date.now();
let wanted = false;
let fetching = false;

/** Fetches what changes. A second wish while one is under way is kept until the pace allows it. */
async function refresh() {
  wanted = true;
  if (fetching) return;
  fetching = true;
  try {
    while (wanted) {
      wanted = false;
      const answer = await fetch(live.dataset.live, { headers: { accept: "text/html" } });
      if (answer.ok) {
        put(await answer.text());
        heard = Date.now();
      }
      await new Promise((done) => setTimeout(done, PACE));
    }
  } catch {
    // The service is away: the page says so, and the event stream comes back by itself.
  } finally {
    fetching = false;
  }
}

function put(html) {
  live.innerHTML = html;
  const view = live.querySelector("[data-title]");
  if (view === null) return;
  document.title = view.dataset.title;
  // The buttons carry what somebody may be typing: they change only where what is allowed changes.
  if (actions !== null && actions.dataset.actions !== view.dataset.actions) renew();
}

async function renew() {
  const answer = await fetch(location.pathname, { headers: { accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("actions");
  actions.dataset.actions = fresh.dataset.actions;
  actions.replaceChildren(...fresh.childNodes);
}

/** Greys out what is old. */
function age() {
  const silent = Date.now() - heard;
  const old = silent > STALE && live.querySelector(".done, .cancelled") === null;
  live.classList.toggle("stale", old);
  live.dataset.heard = old ? `Last heard ${Math.round(silent / 1000)} s ago` : "";
}

function tell(message) {
  const { text } = JSON.parse(message.data);
  const item = document.createElement("li");
  const time = document.createElement("time");
  time.textContent = new Date().toLocaleTimeString();
  item.append(time, text);
  events.prepend(item);
  while (events.childElementCount > SHOWN) events.lastElementChild.remove();
}

/** Numbers of the last minutes, one column a chart's line. Rates of changes are made of their counts. */
const series = { time: [], copy: [], replay: [], lag: [], held: [] };
const POINTS = 1200;
let charts = null;
let applied = null;

function note({ progress, paused, throttled }) {
  const now = Date.now() / 1000;
  const before = series.time.at(-1);
  if (before !== undefined && now - before < 0.2) return;
  const changes = progress.changesApplied;
  const replayed = applied === null || before === undefined ? null : (changes - applied) / (now - before);
  applied = changes;
  series.time.push(now);
  series.copy.push(progress.rowsPerSecond);
  series.replay.push(replayed);
  series.lag.push(progress.lagSeconds);
  series.held.push(paused || throttled !== null);
  if (series.time.length > POINTS) { for (const line of Object.values(series)) line.shift(); }
  draw();
}

async function draw() {
  if (charts === null) {
    charts = [];
    const { default: Plot } = await import("/assets/uplot.js");
    // A canvas knows nothing of variables and schemes: an element is asked which color it would have.
    const probe = document.createElement("span");
    live.append(probe);
    const color = (name) => {
      probe.className = `color${name}`;
      return getComputedStyle(probe).color;
    };
    const axis = {
      stroke: color("--faint"),
      grid: { stroke: color("--line") },
      ticks: { stroke: color("--line") },
    };
    const chart = (id, lines) => {
      const place = document.getElementById(id);
      const plot = new Plot(
        {
          width: place.clientWidth,
          height: 160,
          cursor: { sync: { key: "ferry" } },
          legend: { live: true },
          axes: [axis, { ...axis, size: 70 }],
          series: [{}, ...lines.map(([label, name]) => ({ label, stroke: color(name), width: 2 }))],
          hooks: { drawClear: [bands] },
        },
        [[], ...lines.map(() => [])],
        place,
      );
      addEventListener("resize", () => plot.setSize({ width: place.clientWidth, height: 160 }));
      return plot;
    };
    charts = [
      chart("rates", [["rows/s copied", "--accent"], ["changes/s replayed", "--good"]]),
      chart("lags", [["seconds behind", "--wait"]]),
    ];
    document.getElementById("charts").hidden = false;
    for (const plot of charts) plot.setSize({ width: plot.root.parentElement.clientWidth, height: 160 });
  }
  if (charts.length === 0) return; // the library is still on its way
  charts[0].setData([series.time, series.copy, series.replay]);
  charts[1].setData([series.time, series.lag]);
}

/** Grey where copying waited. */
function bands(plot) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.fillStyle = "rgba(128, 128, 128, 0.2)";
  for (let i = 1; i < series.time.length; i++) {
    if (!series.held[i]) continue;
    const from = plot.valToPos(series.time[i - 1], "x", true);
    ctx.fillRect(from, bbox.top, plot.valToPos(series.time[i], "x", true) - from, bbox.height);
  }
  ctx.restore();
}

if (live !== null && live.dataset.events !== undefined) {
  // Comes back by itself with Last-Event-ID.
  const stream = new EventSource(`${live.dataset.events}?after=0`);
  const on = (type, then) =>
    stream.addEventListener(type, (message) => {
      heard = Date.now();
      then(message);
    });
  on("progress", (message) => {
    note(JSON.parse(message.data));
    refresh();
  });
  for (const type of ["state", "log"]) {
    on(type, (message) => {
      tell(message);
      refresh();
    });
  }
  for (const type of ["done", "failed", "cancelled"]) {
    on(type, (message) => {
      tell(message);
      stream.close();
      refresh();
    });
  }
  stream.addEventListener("open", refresh);
  setInterval(age, 1000);
} else if (live !== null) {
  setInterval(refresh, 2 * PACE);
  setInterval(age, 1000);
}
