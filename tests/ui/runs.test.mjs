// What the list of runs promises.   node --test tests/ui/runs.test.mjs

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { shoot, start, violations } from "./page.mjs";

let browser;
before(async () => (browser = await start()));
after(() => browser?.stop());

const SCENES = {
  full: "Runs 8",
  empty: "No runs yet",
  trouble: "The runs cannot be read",
  "late-trouble": "The runs cannot be read",
  waiting: "Reading the runs…",
};

for (const [scene, shows] of Object.entries(SCENES)) {
  for (const theme of ["light", "dark"]) {
    for (const size of [[1024, 700], [1280, 800], [1920, 1080]]) {
      test(`${scene}, ${theme}, ${size.join("x")}: readable, accessible, without errors`, async () => {
        const { page, errors, close } = await browser.open(scene, { theme, size });
        await page.getByText(shows, { exact: true }).first().waitFor();
        await shoot(page, `${scene}-${theme}-${size[0]}`);
        assert.deepEqual(await violations(page), []);
        assert.deepEqual(errors, []);
        await close();
      });
    }
  }
}

test("each status has a word and a shape of its own", async () => {
  const { page, close } = await browser.open("full");
  await page.getByTestId("run").first().waitFor();
  const said = await page.getByTestId("run").evaluateAll((runs) =>
    runs.map((r) => [r.dataset.status, r.querySelector(".state span").textContent.trim(), r.querySelector("path").getAttribute("d")]));
  const once = new Map(said.map(([status, word, shape]) => [status, [word, shape]]));
  assert.equal(once.size, 7, "the scene shows all seven");
  assert.equal(new Set([...once.values()].map(([word]) => word)).size, 7);
  assert.equal(new Set([...once.values()].map(([, shape]) => shape)).size, 7);
  await close();
});

test("the title line says what the computer is doing", async () => {
  const full = await browser.open("full");
  await full.page.getByText("Training “Support replies, second try”: step 312 of 900, 6 min 20 s left; 1 waiting").waitFor();
  await full.close();
  const empty = await browser.open("empty");
  await empty.page.getByText("Idle", { exact: true }).waitFor();
  await empty.close();
});

test("what is unknown is a dash, never a zero", async () => {
  const { page, close } = await browser.open("full");
  const queued = page.locator("[data-status=queued]");
  assert.deepEqual(await queued.locator("dd").allTextContents(), ["", "–", "–"]);
  await close();
});

test("a failed run says what happened and what to do", async () => {
  const { page, close } = await browser.open("full");
  const failed = page.locator("[data-status=failed] .state p");
  assert.equal(await failed.getAttribute("title"),
    "The GPU ran out of memory at step 3. Try a shorter context: 1024 instead of 2048.");
  await close();
});

test("trouble that comes later leaves the runs on the page", async () => {
  const { page, close } = await browser.open("late-trouble");
  await page.getByRole("alert").waitFor();
  assert.equal(await page.getByTestId("run").count(), 8);
  await close();
});

test("a run that trains moves in place", async () => {
  const { page, errors, close } = await browser.open("live");
  const steps = page.locator(".state p");
  await page.getByText(/^step [2-9] of 900/).first().waitFor();
  const before = await steps.textContent();
  await page.waitForFunction((b) => document.querySelector(".state p").textContent !== b, before);
  assert.equal(await page.getByTestId("run").count(), 1);
  assert.deepEqual(errors, []);
  await close();
});

test("the keyboard reaches everything, and the focus is seen", async () => {
  const { page, close } = await browser.open("empty");
  const reached = [];
  for (let i = 0; i < 2; i++) {
    await page.keyboard.press("Tab");
    reached.push(await page.evaluate(() => {
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
      return [document.activeElement.tagName, outlineStyle, parseFloat(outlineWidth) >= 2];
    }));
  }
  assert.deepEqual(reached, [["MAIN", "solid", true], ["BUTTON", "solid", true]]);
  await close();
});

test("the command of the empty page can be copied, or is selected where it cannot", async () => {
  const { page, close } = await browser.open("empty");
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.getByRole("button").press("Enter");
  await page.getByText("Copied").first().waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "tunesmith demo");
  await close();

  const shy = await browser.open("empty");
  await shy.page.evaluate(() => (navigator.clipboard.writeText = () => Promise.reject(new Error("no"))));
  await shy.page.getByRole("button").press("Enter");
  await shy.page.getByText("Selected").first().waitFor();
  assert.equal(await shy.page.evaluate(() => String(getSelection())), "tunesmith demo");
  await shy.close();
});

test("ten thousand runs and endless names fit, however small the window", async () => {
  const { page, errors, close } = await browser.open("long");
  await page.getByTestId("run").first().waitFor();
  assert.equal(await page.getByTestId("run").count(), 10_001);
  for (const [width, height] of [[720, 480], [1024, 700], [1280, 800]]) {
    await page.setViewportSize({ width, height });
    await shoot(page, `long-${width}`);
    const wide = await page.evaluate(() =>
      ["main", "[data-testid=run]"].filter((css) => {
        const e = document.querySelector(css);
        return e.scrollWidth > e.clientWidth;
      }));
    assert.deepEqual(wide, [], `nothing is wider than a window of ${width}`);
  }
  assert.deepEqual(errors, []);
  await close();
});

test("nothing moves by itself with reduced motion, and the live mark breathes without", async () => {
  for (const [motion, seconds] of [["reduce", "0s"], ["no-preference", "2.4s"]]) {
    const { page, close } = await browser.open("full", { motion });
    await page.getByTestId("run").first().waitFor();
    const breath = await page.evaluate(() => getComputedStyle(document.querySelector(".running path")).animationDuration);
    assert.equal(breath, seconds);
    await close();
  }
});
