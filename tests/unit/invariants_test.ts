/**
 * The list of invariants leads to its tests: whoever breaks a rule finds there what should have fallen.
 */
import assert from "node:assert/strict";
import { ROOT } from "../support/deployment.ts";

const MODEL = "tests/model/model_test.ts";

interface Named {
  readonly section: string;
  readonly file: string;
  /** What the test's name has to hold; where the list leaves something out, each part of it. */
  readonly parts: readonly string[];
}

/** Every test that the list's items name. Behind a file stand names of its tests, behind "model" those of the model. */
function namedTests(list: string): Named[] {
  return list.split(/^## /m).slice(1).flatMap((text) => {
    const section = text.split(" ", 1)[0];
    const items = text.split(/^\*?\*?(?:Also e|E)nforced by:\*\* ?|^- /m).slice(1);
    return items.flatMap((item) => {
      let file = /^(- )?model/.test(item) ? MODEL : "";
      const named: Named[] = [];
      for (const [, quoted] of item.split("\n\n", 1)[0].matchAll(/`([^`]+)`/g)) {
        const name = quoted.replace(/\s+/g, " ");
        if (/^tests\/\S+_test\.ts$/.test(name)) named.push({ section, file: file = name, parts: [] });
        else if (file !== "" && name.includes(" ")) {
          named.push({
            section,
            file,
            parts: name.split(/[…()]/).map((part) => part.trim()).filter(Boolean),
          });
        }
      }
      return named;
    });
  });
}

Deno.test("each invariant names tests, and each of these is there", async () => {
  const named = namedTests(await Deno.readTextFile(`${ROOT}lib/INVARIANTS.md`));
  for (let i = 1; i <= 10; i++) assert.ok(named.some(({ section }) => section === `I${i}`), `I${i}`);
  assert.ok(named.filter(({ parts }) => parts.length > 0).length >= 60, "the list is read");
  const missing: string[] = [];
  for (const { section, file, parts } of named) {
    const source = await Deno.readTextFile(`${ROOT}${file}`).catch(() => "");
    const text = source.replace(/\s+/g, " ");
    if (source === "" || parts.some((part) => !text.includes(part))) {
      missing.push(`${section} ${file} ${parts.join(" … ")}`);
    }
  }
  assert.deepEqual(missing, []);
});
