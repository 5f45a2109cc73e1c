/**
 * How far a copy is, as a bar that says the same in words. Widths are attributes: the page allows no inline styles.
 * @module
 */
import type { FerryResource, TableProgress } from "../../lib/progress/resource.ts";
import { count, share, shareText } from "../../lib/progress/wording.ts";

/** Over all tables. */
export function Bar({ resource }: { readonly resource: FerryResource }) {
  return <Strip part={share(resource)} label={`${resource.id}, rows copied`} text={shareText(resource)} />;
}

/** Of one table. */
export function TableBar({ table }: { readonly table: TableProgress }) {
  const { rowsCopied, rowsEstimated, state, source } = table;
  const through = !["waiting", "copying"].includes(state);
  const part = through ? 1 : rowsEstimated ? Math.min(0.99, rowsCopied / rowsEstimated) : null;
  const of = rowsEstimated === null ? "" : ` of about ${count(rowsEstimated)}`;
  const text = through ? `${count(rowsCopied)} rows` : `${count(rowsCopied)}${of} rows`;
  return <Strip part={part} label={`${source}, rows copied`} text={text} mood={state} />;
}

function Strip({ part, label, text, mood }: {
  readonly part: number | null;
  readonly label: string;
  readonly text: string;
  readonly mood?: string;
}) {
  const value = part === null ? {} : { "aria-valuenow": String(Math.floor(part * 100)) };
  return (
    <svg
      class={`strip ${mood ?? ""}`}
      viewBox="0 0 100 4"
      preserveAspectRatio="none"
      role="progressbar"
      aria-valuemin="0"
      aria-valuemax="100"
      aria-valuetext={text}
      aria-label={label}
      {...value}
    >
      <rect class="whole" width="100" height="4" />
      <rect class="part" width={String((part ?? 0) * 100)} height="4" />
    </svg>
  );
}
