/**
 * What may be asked of a ferry now, as forms: they work without a script, and by keyboard.
 * @module
 */
import type { FerryAction } from "../../lib/ferry/ferry_state.ts";
import type { FerryResource } from "../../lib/progress/resource.ts";

const NAMES: Readonly<Record<FerryAction, string>> = {
  pause: "Pause copying",
  resume: "Go on copying",
  cutover: "Cut over",
  cancel: "Cancel",
  verify: "Compare again",
  retry: "Try again",
};
/** The one that leads on comes first, the one that ends it last. */
const ORDER: readonly FerryAction[] = ["cutover", "retry", "resume", "pause", "verify", "cancel"];

/** They stand out; never two of them are allowed at once. */
const LEADS_ON: readonly FerryAction[] = ["cutover", "retry", "resume"];

/** Only what is allowed now, and changes something; what cannot be taken back asks for the ferry's name. */
export function Actions({ resource: r }: { readonly resource: FerryResource }) {
  if (r.actions.length === 0) return null;
  return (
    <section class="actions" aria-label="Actions" data-key={`actions ${r.actions.join(" ")}`}>
      {ORDER.filter((action) => r.actions.includes(action) && !(action === "pause" && r.paused)).map((
        action,
      ) =>
        action === "cancel"
          ? (
            <details class="cancel">
              <summary>Cancel this ferry…</summary>
              <ActionForm id={r.id} action={action} />
            </details>
          )
          : <ActionForm id={r.id} action={action} />
      )}
    </section>
  );
}

function ActionForm({ id, action }: { readonly id: string; readonly action: FerryAction }) {
  const named = action === "cutover" || action === "cancel";
  return (
    <form method="post" action={`/ferries/${encodeURIComponent(id)}/${action}`} class={action}>
      {named
        ? (
          <label>
            <span>
              Type <strong>{id}</strong> to {action === "cutover" ? "cut over" : "cancel"}
            </span>
            <input name="name" required pattern={patternOf(id)} autocomplete="off" spellcheck={false} />
          </label>
        )
        : null}
      <button
        type="submit"
        class={action === "cancel" ? "danger" : LEADS_ON.includes(action) ? "primary" : ""}
      >
        {NAMES[action]}
      </button>
    </form>
  );
}

/** A pattern that only this text fulfils. */
function patternOf(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}
