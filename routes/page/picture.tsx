/**
 * The crossing as a picture: two shores, the ferry where the copy is, and the chain, which slackens as the target falls
 * behind. The same is said in words beside it.
 * @module
 */
import type { FerryResource } from "../../lib/progress/resource.ts";
import { serverName, share, shareText } from "../../lib/progress/wording.ts";

const [LEFT, RIGHT, WATER] = [70, 570, 96];
/** Seconds behind at which the chain hangs to the ground. */
const SLACK_SECONDS = 30;

/** The picture. */
export function Picture({ resource }: { readonly resource: FerryResource }) {
  const part = share(resource) ?? 0;
  const at = LEFT + (RIGHT - LEFT) * part;
  const lag = Math.min(1, (resource.progress.lagSeconds ?? 0) / SLACK_SECONDS);
  const depth = WATER + 6 + lag * 40;
  const trouble = resource.state === "failed" ? "stopped" : "";
  const way = `the way from ${serverName(resource.source)} to ${serverName(resource.target)}`;
  const text = share(resource) === null ? `On ${way}` : `${shareText(resource)} of ${way}`;
  return (
    <svg class={`crossing ${trouble}`} viewBox="0 0 640 150" role="img" aria-label={text}>
      <rect class="water" x="0" y={String(WATER)} width="640" height="54" />
      <path class="chain" d={`M ${LEFT - 20} ${WATER} Q ${(LEFT + at) / 2} ${depth} ${at} ${WATER}`} />
      <path class="chain" d={`M ${at} ${WATER} Q ${(RIGHT + at) / 2} ${depth} ${RIGHT + 20} ${WATER}`} />
      <path class="shore" d="M 0 80 L 50 84 L 62 150 L 0 150 Z" />
      <path class="shore" d="M 640 80 L 590 84 L 578 150 L 640 150 Z" />
      <g class="ship" transform={`translate(${at} ${WATER})`}>
        <path d="M -26 -8 L 26 -8 L 20 6 L -20 6 Z" />
        <rect x="-12" y="-22" width="24" height="12" />
      </g>
      <text x="8" y="70">{serverName(resource.source)}</text>
      <text x="632" y="70" text-anchor="end">{serverName(resource.target)}</text>
    </svg>
  );
}
