/**
 * A snapshot as bars, for a person at a terminal: one for the whole and one for each table under way.
 * @module
 */
import process from "node:process";
import cliProgress from "cli-progress";
import type { FerryResource } from "../progress/resource.ts";
import { showSeconds, showShare } from "./status_block.ts";

/** Bars of tables at the same time; a terminal has only so many lines. */
const TABLES_SHOWN = 10;

/** The bars on stderr. */
export class ProgressBars {
  readonly #bars = new cliProgress.MultiBar({
    stream: process.stderr,
    format: "{name} [{bar}] {share} | {rows} rows | {facts}",
    hideCursor: true,
    clearOnComplete: true,
    forceRedraw: true,
  }, cliProgress.Presets.rect);
  readonly #whole = this.#bars.create(1, 0, { name: "", share: "", rows: 0, facts: "" });
  readonly #tables = new Map<string, cliProgress.SingleBar>();

  /** Draws the snapshot. */
  show(resource: FerryResource): void {
    const { progress } = resource;
    const facts = [
      ...(progress.rowsPerSecond === null ? [] : [`${Math.round(progress.rowsPerSecond)} rows/s`]),
      ...(progress.etaSeconds === null ? [] : [`eta ${showSeconds(progress.etaSeconds)}`]),
      ...(progress.lagSeconds === null ? [] : [`lag ${showSeconds(progress.lagSeconds)}`]),
      ...(resource.throttled === null ? [] : [resource.throttled.reason]),
    ];
    const name = (resource.paused ? `${resource.state}, paused` : resource.state).padEnd(24);
    update(this.#whole, name, progress, facts.join(" | "));
    for (const table of resource.tables) {
      const bar = this.#tables.get(table.source);
      const busy = table.state === "copying" || table.state === "indexing" || table.state === "verifying";
      if (busy && (bar || this.#tables.size < TABLES_SHOWN)) {
        const shown = bar ?? this.#bars.create(1, 0, { name: "", share: "", rows: 0, facts: "" });
        this.#tables.set(table.source, shown);
        update(shown, table.source.slice(0, 24).padEnd(24), table, table.state);
      } else if (bar) {
        this.#bars.remove(bar);
        this.#tables.delete(table.source);
      }
    }
  }

  /** Writes a line above the bars. */
  log(text: string): void {
    this.#bars.log(text);
  }

  /** Takes the bars away. */
  close(): void {
    this.#bars.stop();
  }
}

function update(
  bar: cliProgress.SingleBar,
  name: string,
  part: { readonly rowsCopied: number; readonly rowsEstimated: number | null },
  facts: string,
): void {
  // An estimate may be too low; a bar that is more than full would be drawn wrong.
  bar.setTotal(Math.max(part.rowsEstimated ?? 0, part.rowsCopied, 1));
  bar.update(part.rowsCopied, { name, share: showShare(part), rows: part.rowsCopied, facts });
}
