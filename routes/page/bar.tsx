/**
 * How far a ferry's copy is, as a bar that says the same in words. Widths are attributes: the page allows no inline styles.
 * @module
 */
import type { FerryResource } from "../../lib/progress/resource.ts";
import { share, shareText } from "../../lib/progress/wording.ts";

/** Over all tables. */
export function Bar({ resource }: { readonly resource: FerryResource }) {
  const part = share(resource);
  const value = part === null ? {} : { "aria-valuenow": String(Math.floor(part * 100)) };
  return (
    <svg
      class={`bar ${resource.state}`}
      viewBox="0 0 100 4"
      preserveAspectRatio="none"
      role="progressbar"
      aria-valuemin="0"
      aria-valuemax="100"
      aria-valuetext={`${shareText(resource)}${part === null ? "" : " copied"}`}
      aria-label={`${resource.id}, rows copied`}
      {...value}
    >
      <rect class="whole" width="100" height="4" />
      <rect class="part" width={String((part ?? 0) * 100)} height="4" />
    </svg>
  );
}
