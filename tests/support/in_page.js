/**
 * What runs inside the browser: each function is sent there as text, so it uses nothing from outside of itself. Plain
 * JavaScript, since the types of a page are not those of Deno.
 * @module
 */

/**
 * Whether what has the focus matches, whether one sees that it has it, and what it is.
 * @param {string} wanted a selector
 * @returns {{ found: boolean, seen: boolean, name: string }}
 */
export function focusOn(wanted) {
  const at = document.activeElement;
  const { outlineStyle, outlineWidth } = getComputedStyle(at);
  return {
    found: at.matches(wanted),
    seen: at === document.body || (outlineStyle !== "none" && parseFloat(outlineWidth) >= 2),
    name: at.outerHTML.slice(0, 80),
  };
}

/**
 * What the tab and the page say at one moment.
 * @returns {[string, string]}
 */
export function titleAndHeading() {
  return [document.title, document.querySelector("h1").innerText];
}

/**
 * Texts whose contrast with what is behind them is below WCAG AA: 4.5, or 3 where they are large.
 * @returns {string[]}
 */
export function faintTexts() {
  const rgb = (color) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const light = (color) => {
    const [r, g, b] = rgb(color).slice(0, 3).map((c) =>
      c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4
    );
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if ((rgb(color)[3] ?? 1) > 0) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const text = node.textContent.trim();
    const element = node.parentElement;
    if (text === "" || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const [a, b] = [light(style.color), light(ground(element))].toSorted((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < (parseFloat(style.fontSize) >= 24 ? 3 : 4.5)) {
      faint.push(`${ratio.toFixed(2)}: ${text.slice(0, 40)}`);
    }
  }
  return faint;
}

/**
 * The animation that an element runs.
 * @returns {string}
 */
export function animationOf(element) {
  return getComputedStyle(element).animationName;
}

/**
 * Pixels that the page is wider than its window.
 * @returns {number}
 */
export function overflow() {
  return document.documentElement.scrollWidth - innerWidth;
}

/**
 * What shapes are filled with, and the colour of the page's text.
 * @returns {{ fill: string, text: string }[]}
 */
export function fillsBesideText(elements) {
  const text = getComputedStyle(document.body).color;
  return elements.map((element) => ({ fill: getComputedStyle(element).fill, text }));
}

/**
 * The lines of a chart, as its legend has them.
 * @param {Element} chart
 * @returns {{ line: string, color: string }[]}
 */
export function linesOf(chart) {
  return [...chart.querySelectorAll(".u-series")].slice(1).map((series) => ({
    line: series.querySelector(".u-label").textContent,
    color: getComputedStyle(series.querySelector(".u-marker")).borderTopColor,
  }));
}

/**
 * How many pixels of its canvas are of a colour.
 * @param {Element} chart
 * @param {string} color
 * @returns {number}
 */
export function pixelsOf(chart, color) {
  const canvas = chart.querySelector("canvas");
  // Between two drawings there is none.
  if (canvas === null) return NaN;
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const wanted = color.match(/\d+/g).slice(0, 3).map(Number);
  let pixels = 0;
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] > 128 && wanted.every((c, k) => Math.abs(data[i + k] - c) < 24)) pixels++;
  }
  return pixels;
}

/**
 * What a browser does with a page that is put behind another one, or taken in front again.
 * @param {boolean} hidden
 */
export function hide(hidden) {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event("visibilitychange"));
}

/**
 * Gives the page's charts so many points, a second each; copying waited at the first three for one thing, whose number
 * was another each time. Returns when it is said to have waited.
 * @param {{ points: number, name: string }} wanted
 * @returns {Promise<string>}
 */
export async function feedCharts({ points, name }) {
  const { note } = await import("/assets/charts.js");
  const real = Date.now;
  const began = real();
  try {
    for (let i = 0; i < points; i++) {
      Date.now = () => began + i * 1000;
      const progress = { rowsPerSecond: 1000, changesApplied: i, lagSeconds: 1 };
      note({ progress, paused: false, throttled: i < 3 ? { name, reason: `${name}: ${i}` } : null });
    }
  } finally {
    Date.now = real;
  }
  return document.getElementById("spells").textContent;
}
