/**
 * What all pages have in common, and the list of ferries, as a browser without JavaScript gets them.
 * @module
 */
import assert from "node:assert/strict";
import { setUp } from "./pages_setup.ts";

Deno.test("the list shows trouble first", async () => {
  const { dock, get, start } = setUp();
  for (const id of ["over", "going", "broken", "waits"]) await start(id);
  dock.find("over")!.go("done");
  dock.find("going")!.go("copying");
  dock.find("broken")!.go("failed");
  dock.find("waits")!.go("awaitingCutover");
  const response = await get("/");
  const html = await response.text();
  assert.match(response.headers.get("content-type")!, /^text\/html/);
  const order = [...html.matchAll(/<strong>(\w+)<\/strong>/g)].map((m) => m[1]);
  assert.deepEqual(order, ["broken", "waits", "going", "over"]);
  assert.match(html, /<title>1 stopped, 2 under way · Chainferry<\/title>/);
});

Deno.test("what is fetched anew of the list brings the tab's title along", async () => {
  const { dock, get, start } = setUp();
  const title = async () => /data-title="([^"]*)"/.exec(await (await get("/live")).text())?.[1];
  assert.equal(await title(), "0 under way · Chainferry");
  await start("a");
  assert.equal(await title(), "1 under way · Chainferry");
  dock.find("a")!.go("failed");
  assert.equal(await title(), "1 stopped, 0 under way · Chainferry");
});

Deno.test("a ferry's page is under its name, whatever that is", async () => {
  const { get, start } = setUp();
  for (const id of ["new", "live", "v1", "ferries"]) {
    await start(id);
    assert.match(await (await get(`/ferries/${id}`)).text(), new RegExp(`<p class="id">${id}</p>`));
  }
});

Deno.test("what is fetched again and again is the changing part alone", async () => {
  const { get, start } = setUp();
  await start("a");
  for (const path of ["/live", "/ferries/a/live"]) {
    const html = await (await get(path)).text();
    assert.doesNotMatch(html, /<html|<script/);
    assert.match(html, /Looking at/);
  }
});

Deno.test("what is not there is told to people as a page, and to machines as a problem", async () => {
  const { get, post } = setUp();
  const cases = [
    ["/ferries/nobody", 404, /Cannot find \/ferries\/nobody: this process knows no ferry with that name/],
    ["/nowhere", 404, /Cannot find \/nowhere: there is no such route/],
    ["/ferries/nobody/cancel", 405, /Cannot GET \/ferries\/nobody\/cancel: it takes POST/],
  ] as const;
  for (const [path, status, said] of cases) {
    const page = await get(path);
    const html = await page.text();
    assert.equal(page.status, status, path);
    assert.match(page.headers.get("content-type")!, /^text\/html/, path);
    assert.match(html, said);
    assert.match(html, /<a href="\/">/);
    assert.match(page.headers.get("content-security-policy")!, /default-src 'self'/);
    assert.equal(page.headers.get("allow"), status === 405 ? "POST" : null);
    const answer = await get(path, { accept: "application/json" });
    assert.equal(answer.status, status, path);
    assert.equal(answer.headers.get("content-type"), "application/problem+json", path);
    assert.match((await answer.json()).detail, said);
  }
  const api = await get("/v1/ferries/nobody");
  assert.equal(api.headers.get("content-type"), "application/problem+json", "the API, whoever asks");
  const gone = await post("/ferries/nobody/cancel", { name: "nobody" }, { accept: "text/html" });
  assert.deepEqual([gone.status, gone.headers.get("content-type")], [404, "text/html; charset=utf-8"]);
});

Deno.test("nothing on a page comes from elsewhere, and nothing runs inline", async () => {
  const { get, start } = setUp();
  await start("a");
  for (const path of ["/", "/ferries/a", "/new"]) {
    const response = await get(path);
    assert.match(response.headers.get("content-security-policy")!, /default-src 'self'/);
    const html = await response.text();
    assert.doesNotMatch(html, /(src|href)="(https?:)?\/\//);
    assert.doesNotMatch(html, /style="|onclick|<script>/);
  }
});
