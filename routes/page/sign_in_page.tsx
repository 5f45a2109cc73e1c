/**
 * Where the token is asked for.
 * @module
 */
import { Layout } from "./layout.tsx";

/** The page. */
export function SignInPage({ wrong }: { readonly wrong: boolean }) {
  return (
    <Layout title="Sign in · Chainferry">
      <h1>Sign in</h1>
      {wrong ? <p class="notice bad" role="alert">That is not the token</p> : null}
      <form method="post" action="/sign-in" class="start">
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
