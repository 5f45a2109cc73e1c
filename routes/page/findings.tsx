/**
 * What preflight found.
 * @module
 */
import type { Finding } from "../../lib/progress/resource.ts";

/** A list, in the order given. */
export function Findings({ findings }: { readonly findings: readonly Finding[] }) {
  return (
    <ul class="findings">
      {findings.map((f) => (
        <li class={f.level}>
          <p>
            <strong>{f.level}</strong> <em>{f.subject}</em> <code>{f.code}</code>
          </p>
          <p>{f.detail}</p>
          <p class="hint">{f.hint}</p>
        </li>
      ))}
    </ul>
  );
}
