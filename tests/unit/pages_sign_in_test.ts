/**
 * Who may use the pages, and where signing in leads.
 * @module
 */
import assert from "node:assert/strict";
import { setUp } from "./pages_setup.ts";

Deno.test("with a token people sign in, and other sites' forms are refused", async () => {
  const { get, post } = setUp("letmein");
  const away = await get("/");
  assert.deepEqual([away.status, away.headers.get("location")], [303, "/sign-in"]);
  assert.equal((await get("/", { accept: "application/json" })).status, 401);
  for (const path of ["/v1/ferries", "/v1/ferries/a/events", "/metrics", "/openapi.json"]) {
    const refused = await get(path);
    assert.deepEqual(
      [path, refused.status],
      [path, 401],
      "a machine is not led to a page, whatever it accepts",
    );
    assert.match(refused.headers.get("www-authenticate")!, /Bearer/);
  }
  assert.equal((await get("/sign-in")).status, 200);
  assert.equal((await get("/assets/page.css")).status, 200);
  assert.equal((await post("/sign-in", { token: "wrong" })).status, 401);
  const entered = await post("/sign-in", { token: "letmein" });
  const cookie = entered.headers.get("set-cookie")!;
  assert.match(cookie, /HttpOnly/);
  assert.match(cookie, /SameSite=Strict/);
  const known = { cookie: cookie.split(";")[0] };
  assert.equal((await get("/", known)).status, 200);
  assert.equal((await get("/", { cookie: "chainferry_token=guess" })).status, 303);
  const foreign = await post("/ferries/a/pause", {}, { ...known, origin: "http://evil.example" });
  assert.equal(foreign.status, 403);
});

Deno.test("signing in leads to where one was going, and nowhere else", async () => {
  const { get, post } = setUp("letmein");
  const next = (html: string) => /name="next" value="([^"]*)"/.exec(html)?.[1];
  const asked = async (path: string) => {
    const away = await get(path);
    return next(await (await get(away.headers.get("location")!)).text());
  };
  assert.equal(await asked("/"), "/");
  assert.equal(await asked("/ferries/a%20b?x=1&y=2"), "/ferries/a%20b?x=1&amp;y=2");
  assert.equal(await asked("/live"), "/");
  assert.equal(await asked("/ferries/a/live"), "/ferries/a", "the page, and not a part of it");
  assert.equal(await asked("/ferries/live"), "/ferries/live");
  const wrong = await post("/sign-in", { token: "wrong", next: "/ferries/a" });
  assert.equal(next(await wrong.text()), "/ferries/a", "after a wrong token, too");
  const led = async (next: string) =>
    (await post("/sign-in", { token: "letmein", next })).headers.get("location");
  assert.equal(await led("/ferries/a?x=1"), "/ferries/a?x=1");
  for (
    const elsewhere of [
      "//evil.example",
      "/\\evil.example",
      "/\t/evil.example",
      "/ferries//evil.example",
      "/a\\b",
      "https://evil.example",
      "evil.example",
      " /a",
      "/a\nb",
      "",
    ]
  ) {
    assert.equal(await led(elsewhere), "/", JSON.stringify(elsewhere));
    const html = await (await get(`/sign-in?next=${encodeURIComponent(elsewhere)}`)).text();
    assert.equal(next(html), "/", JSON.stringify(elsewhere));
  }
});
