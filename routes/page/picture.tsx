/**
 * The crossing as a picture: two shores, the ferry where the copy is, rows in flight towards it, and the chain, which
 * slackens as the target falls behind. The same is said in words.
 * @module
 */
import type { FerryResource } from "../../lib/progress/resource.ts";
import { counted, seconds, serverName, share, shareText } from "../../lib/progress/wording.ts";

const [LEFT, RIGHT, WATER] = [70, 570, 40];
/** Seconds behind at which the chain hangs to the ground. */
const SLACK_SECONDS = 30;
/** Dots at a hundred rows a second, and with each tenfold more. */
const DOTS = 4;

/** The picture. */
export function Picture({ resource: r }: { readonly resource: FerryResource }) {
  const part = share(r) ?? 0;
  const at = Math.round(LEFT + (RIGHT - LEFT) * part);
  const lag = Math.min(1, (r.progress.lagSeconds ?? 0) / SLACK_SECONDS);
  const depth = Math.round(WATER + 6 + lag * 40);
  const rate = r.progress.rowsPerSecond ?? 0;
  const dots = rate === 0 ? 0 : Math.max(2, Math.round(DOTS * (Math.log10(rate) - 1)));
  return (
    <figure class="picture">
      <figcaption>
        <span>{serverName(r.source)}</span>
        <span>{serverName(r.target)}</span>
      </figcaption>
      <svg
        class={`crossing ${r.state}`}
        viewBox="0 0 640 84"
        role="img"
        aria-label={inWords(r)}
      >
        <rect class="water" x="0" y={String(WATER)} width="640" height="44" />
        <path class="chain" d={`M ${LEFT - 20} ${WATER} Q ${(LEFT + at) / 2} ${depth} ${at} ${WATER}`} />
        <path class="chain" d={`M ${at} ${WATER} Q ${(RIGHT + at) / 2} ${depth} ${RIGHT + 20} ${WATER}`} />
        {dots === 0 ? null : (
          <path
            class="flight"
            d={`M ${LEFT - 16} ${WATER - 10} Q ${(LEFT + at) / 2} ${WATER - 22} ${at - 16} ${WATER - 12}`}
            pathLength={String(dots * 10)}
          />
        )}
        <path class="shore" d="M 0 24 L 50 28 L 62 84 L 0 84 Z" />
        <path class="shore" d="M 640 24 L 590 28 L 578 84 L 640 84 Z" />
        <g class="ship" transform={`translate(${at} ${WATER})`}>
          <path d="M -26 -8 L 26 -8 L 20 7 L -20 7 Z" />
          <path d="M -12 -10 V -22 H 8 V -10 Z M -2 -24 V -31 H 4 V -24 Z" />
        </g>
      </svg>
    </figure>
  );
}

function inWords(r: FerryResource): string {
  const way = `the way from ${serverName(r.source)} to ${serverName(r.target)}`;
  const { rowsPerSecond, lagSeconds } = r.progress;
  return [
    share(r) === null ? `On ${way}` : `${shareText(r)} of ${way}`,
    ...(rowsPerSecond === null ? [] : [`${counted(rowsPerSecond, "row")} a second in flight`]),
    ...(lagSeconds === null ? [] : [`the target ${seconds(lagSeconds)} behind`]),
  ].join(", ");
}
