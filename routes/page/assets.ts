/**
 * What the pages load, all of it served by this process.
 * @module
 */
import plotCss from "uplot/dist/uPlot.min.css" with { type: "text" };
import plot from "uplot/dist/uPlot.esm.js" with { type: "text" };
import charts from "./charts.js" with { type: "text" };
import icon from "./icon.svg" with { type: "text" };
import script from "./page.js" with { type: "text" };
import base from "./styles/base.css" with { type: "text" };
import crossing from "./styles/crossing.css" with { type: "text" };
import form from "./styles/form.css" with { type: "text" };
import progress from "./styles/progress.css" with { type: "text" };

/** Paths with their types and texts. */
export const ASSETS: readonly (readonly [path: string, type: string, text: string])[] = [
  ["/assets/page.js", "text/javascript; charset=utf-8", script],
  ["/assets/charts.js", "text/javascript; charset=utf-8", charts],
  ["/assets/page.css", "text/css; charset=utf-8", [base, crossing, progress, form].join("\n")],
  ["/assets/uplot.js", "text/javascript; charset=utf-8", plot],
  ["/assets/uplot.css", "text/css; charset=utf-8", plotCss],
  ["/assets/icon.svg", "image/svg+xml", icon],
];
