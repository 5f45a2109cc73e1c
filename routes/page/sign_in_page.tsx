/**
 * Where the token is asked for.
 * @module
 */
import { Layout } from "./layout.tsx";

/** The page. `next`: the path behind it; `wrong`: what was typed before is not the token. */
export function SignInPage({ next, wrong }: { readonly next: string; readonly wrong: boolean }) {
  return (
    <Layout title="Sign in · Chainferry">
      <h1>Sign in</h1>
      {wrong ? <p class="notice bad" role="alert">That is not the token</p> : null}
      <form method="post" action="/sign-in" class="start">
        <input type="hidden" name="next" value={next} />
        <p>
          <label for="token">Token</label>
          <input id="token" name="token" type="password" required autocomplete="current-password" />
          <small class="hint">What the service was started with as FERRY_TOKEN</small>
        </p>
        <button type="submit">Sign in</button>
      </form>
    </Layout>
  );
}
