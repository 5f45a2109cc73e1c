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
