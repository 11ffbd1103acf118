// What the page of a run holds on to when it is watched for a day: nothing that grows.   node --test tests/ui/long-run.test.mjs

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { start } from "./page.mjs";

let browser;
before(async () => (browser = await start()));
after(() => browser?.stop());

const RUN = { view: "run", id: "01938a00-0000-7000-8000-000000000001" };
const MEGABYTE = 1e6;

/** What is left in the page once all that nobody needs is swept up. */
async function held(page) {
  const devtools = await page.context().newCDPSession(page);
  for (let i = 0; i < 3; i++) await devtools.send("HeapProfiler.collectGarbage"); // the first may leave what the second takes
  const { documents, nodes, jsEventListeners } = await devtools.send("Memory.getDOMCounters");
  const { usedSize } = await devtools.send("Runtime.getHeapUsage");
  await devtools.detach();
  return { documents, nodes, listeners: jsEventListeners, bytes: usedSize };
}

/** But for a picture more that was not let go yet, or a line of the log. */
function assertNoMore(now, then, what) {
  assert.ok(now.documents <= then.documents, `${then.documents} documents, then ${now.documents} ${what}`);
  assert.ok(now.nodes <= then.nodes + 300, `${then.nodes} nodes, then ${now.nodes} ${what}`);
  assert.ok(now.listeners <= then.listeners + 6, `${then.listeners} listeners, then ${now.listeners} ${what}`);
}

const stepOf = (page) =>
  page.evaluate(() => Number(/Latest: step ([\d,]+)/.exec(document.body.textContent)?.[1].replaceAll(",", "") ?? NaN));

/** Once the page shows that step. */
async function reached(page, step) {
  while (!((await stepOf(page)) >= step)) await page.waitForTimeout(100);
}

async function flooded(steps) {
  const { page, errors, close } = await browser.open("flood", { at: RUN, query: { steps } });
  await reached(page, steps);
  await page.waitForTimeout(500); // the last picture
  const left = await held(page);
  // The pretended chart marks every look, which the real one thins out; each is there twice, shown and as it was drawn.
  left.nodes -= 2 * (await page.locator(".picture circle").count());
  assert.deepEqual(errors, []);
  await close();
  return left;
}

test("a hundred thousand steps leave as much in the page as four thousand", async () => {
  const [few, many] = [await flooded(4_000), await flooded(100_000)];
  assertNoMore(many, few, "after 25 times as many steps");
  // Curves and the log fill up to their bounds; a point kept for each step would come to five megabytes and more.
  assert.ok(many.bytes < few.bytes + 3 * MEGABYTE, `${few.bytes} bytes, then ${many.bytes}`);
});

test("steps that come one after the other leave nothing behind", async () => {
  const { page, errors, close } = await browser.open("live", { at: RUN });
  await page.locator(".picture svg").waitFor();
  const first = await stepOf(page);
  await reached(page, first + 50); // the newest entries of the log are full
  const early = await held(page);
  await reached(page, first + 150);
  assertNoMore(await held(page), early, "after a hundred steps and forty pictures");
  assert.deepEqual(errors, []);
  await close();
});

// WebKit keeps a document that a script made for as long as it likes; with one for each picture that was 8 GB a day.
test("no document is made for what changes", async () => {
  const { page, errors, close } = await browser.open("live", { at: RUN });
  await page.locator(".picture svg").waitFor();
  const made = await page.evaluate(async () => {
    let n = 0;
    for (const [of, name] of [
      [DOMParser.prototype, "parseFromString"],
      [DOMImplementation.prototype, "createDocument"],
      [DOMImplementation.prototype, "createHTMLDocument"],
    ]) {
      const before = of[name];
      of[name] = function (...args) {
        n += 1;
        return before.apply(this, args);
      };
    }
    let pictures = 0;
    const watch = new MutationObserver(() => (pictures += 1));
    watch.observe(document.querySelector(".picture"), { subtree: true, attributeFilter: ["points"] });
    await new Promise((done) => setTimeout(done, 2000));
    return { n, pictures };
  });
  assert.ok(made.pictures >= 2, `${made.pictures} pictures`);
  assert.equal(made.n, 0);
  assert.deepEqual(errors, []);
  await close();
});

test("a run that was looked at and left leaves nothing behind", async () => {
  const { page, errors, close } = await browser.open("full");
  const look = async () => {
    await page.getByText("Support replies, second try").first().click();
    await page.locator(".picture svg").waitFor();
    await page.getByRole("button", { name: "Back" }).click();
    await page.locator(".picture svg").waitFor({ state: "detached" });
  };
  for (let i = 0; i < 3; i++) await look();
  const early = await held(page);
  for (let i = 0; i < 10; i++) await look();
  assertNoMore(await held(page), early, "after ten more looks");
  assert.deepEqual(errors, []);
  await close();
});
