// What the page that is shipped promises.   node --test tests/ui/shipped.test.mjs

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { shoot, start, violations } from "./page.mjs";
import { built } from "./serve.mjs";

let browser;
before(async () => (browser = await start("production")));
after(() => browser?.stop());

/** Names of the files of a build that hold these words. */
async function holding(mode, words) {
  const folder = await built(mode);
  const files = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".js"));
  assert.ok(files.length > 5, `${mode} is built`);
  return files.filter((name) => readFileSync(join(folder, name), "utf8").includes(words));
}

// Each is said by one file of the fake backend only, as it stands in the built text.
for (const words of ["fakeWindow", "Not in this scene"]) {
  test(`no scene is shipped: “${words}” stands only in the page for development`, async () => {
    assert.notDeepEqual(await holding("development", words), [], "or this test looks for words that are gone");
    assert.deepEqual(await holding("production", words), []);
  });
}

test("opened outside the window it says in a sentence where it belongs", async () => {
  for (const theme of ["light", "dark"]) {
    const { page, errors, close } = await browser.open("full", { theme });
    await page.getByText("This page is part of the app and works only in its window: start Tunesmith instead.").waitFor();
    await shoot(page, `shipped-elsewhere-${theme}`);
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(errors, []);
    await close();
  }
});
