// What Compare promises.   node --test tests/ui/compare.test.mjs

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { eventually, shoot, start, violations } from "./page.mjs";

let browser;
before(async () => (browser = await start()));
after(() => browser?.stop());

const id = (n) => `01938a00-0000-7000-8000-${String(n).padStart(12, "0")}`;
const of = (...numbers) => ({ view: "compare", ids: numbers.map(id) });
const table = (page) => page.getByRole("region", { name: "Runs beside each other" });
const drawn = (page) => page.locator(".chart .picture svg").waitFor();

/** Once chart and table are there, with what only a run's own page knows. */
async function compared(page) {
  await drawn(page);
  await table(page).getByText("4,884,480").first().waitFor();
}

/** Each state of the page, and how it is reached. */
const STATES = {
  pick: { scene: "full", at: of(), until: (page) => page.getByText("Pick two runs or more.").waitFor() },
  nothing: { scene: "empty", at: of(), until: (page) => page.getByText("No runs to compare yet").waitFor() },
  trouble: { scene: "no-history", at: of(4, 8), until: (page) => page.getByText("The runs cannot be compared").waitFor() },
  two: { scene: "full", at: of(4, 3), until: compared },
  unlike: { scene: "full", at: of(4, 6, 1), until: compared },
  eight: { scene: "long", at: of(0, 1, 2, 3, 4, 5, 6, 7), until: compared },
  "no validation": { scene: "no-validation", at: of(4, 8), until: compared },
  alike: { scene: "alike", at: of(4, 8), until: compared },
};

const SIZES = [[1024, 700], [1920, 1080], [1280, 800]];

for (const [name, { scene, at, until }] of Object.entries(STATES)) {
  test(`${name}: accessible in light and dark, nothing cut in any window, without errors`, async () => {
    const { page, errors, close } = await browser.open(scene, { at });
    await until(page);
    for (const theme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme: theme });
      for (const [width, height] of SIZES) {
        await page.setViewportSize({ width, height });
        await page.waitForTimeout(400); // the chart is drawn anew
        await shoot(page, `compare-${name.replaceAll(" ", "-")}-${theme}-${width}`);
        await eventually(async () => assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false));
      }
      await eventually(async () => assert.deepEqual(await violations(page), []));
    }
    assert.deepEqual(errors, []);
    await close();
  });
}

test("runs are picked from the list, and a ninth is refused in words", async () => {
  const { page, close } = await browser.open("busy", { at: of() });
  const go = page.getByRole("button", { name: "Compare", exact: true });
  await page.getByText("Pick two runs or more.").waitFor();
  await eventually(async () => assert.ok(await go.isDisabled()));
  await page.getByRole("searchbox").fill("alpaca");
  await page.getByRole("checkbox", { name: /^Alpaca SmolLM2/ }).check();
  await page.getByText("Pick one more.").waitFor();
  await page.getByRole("searchbox").fill("first steps");
  await page.getByRole("checkbox", { name: /^First steps/ }).press("Space");
  await go.click();
  await page.getByText("2 runs", { exact: true }).waitFor();
  await compared(page);
  await page.getByRole("button", { name: "Choose runs" }).click();
  await page.getByText("2 picked").waitFor();
  await close();

  const many = await browser.open("long", { at: of(1, 2, 3, 4, 5, 6, 7, 8) });
  await many.page.getByRole("button", { name: "Choose runs" }).click();
  const ninth = many.page.getByRole("checkbox", { name: /^Run 9992 / });
  await ninth.click();
  await many.page.getByText("Eight at most: a chart has eight colours that can be told apart.", { exact: false }).waitFor();
  await eventually(async () => assert.equal(await ninth.isChecked(), false));
  await many.page.getByText("8 picked").waitFor();
  await many.close();
});

test("a place with nine runs is refused in words too", async () => {
  const { page, close } = await browser.open("long", { at: of(1, 2, 3, 4, 5, 6, 7, 8, 9) });
  await page.getByText("Eight at most", { exact: false }).waitFor();
  await page.getByText("8 picked").waitFor();
  await close();
});

test("eight runs have eight colours, the same in chart and table", async () => {
  const { page, close } = await browser.open("long", { at: of(1, 2, 3, 4, 5, 6, 7, 8) });
  await compared(page);
  const colours = await table(page).locator("thead th").evaluateAll((all) =>
    all.map((th) => getComputedStyle(th.querySelector("span")).backgroundColor));
  assert.equal(new Set(colours).size, 8);
  const lines = await page.locator(".chart .picture [stroke]").evaluateAll((all) => all.map((e) => getComputedStyle(e).stroke));
  for (const colour of colours) assert.ok(lines.includes(colour), `${colour} is in the chart`);
  await close();
});

test("the best is marked by a word and a shape, where it can be said", async () => {
  const { page, close } = await browser.open("alike", { at: of(4, 8) });
  await compared(page);
  const best = page.getByRole("row", { name: /^Best validation loss/ });
  await eventually(async () => assert.equal(await best.getByText("lowest").count(), 1));
  await eventually(async () => assert.equal(await best.locator("svg").count(), 1));
  await page.getByText("Nothing that was planned differs").waitFor();
  await close();

  const unlike = await browser.open("full", { at: of(4, 6) });
  await compared(unlike.page);
  await unlike.page.getByText("They were validated on different data", { exact: false }).waitFor();
  await eventually(async () => assert.equal(await unlike.page.getByText("lowest", { exact: true }).count(), 0, "losses of different data are not ranked"));
  await unlike.close();
});

test("what differs stands first, what is the same is folded", async () => {
  const { page, close } = await browser.open("full", { at: of(4, 3) });
  await compared(page);
  const rank = page.getByRole("row", { name: /^Rank/ });
  await eventually(async () => assert.deepEqual(await rank.getByRole("cell").allTextContents().then((all) => all.map((t) => t.trim())), ["16", "8"]));
  const alpha = page.getByText("Alpha", { exact: true });
  await eventually(async () => assert.equal(await alpha.isVisible(), false));
  await page.getByText("The same in all").press("Enter");
  await eventually(async () => assert.ok(await alpha.isVisible()));
  await close();
});

test("what is not known is a dash, never a zero", async () => {
  const { page, close } = await browser.open("no-validation", { at: of(4, 8) });
  await compared(page);
  const cells = await page.getByRole("row", { name: /^Best validation loss/ }).getByRole("cell").allTextContents();
  assert.deepEqual(cells.map((t) => t.trim()), ["–", "–"]);
  await close();
});

test("the crosshair reads all runs at a step, by mouse and by keyboard; a run that ended before says nothing", async () => {
  const { page, close } = await browser.open("full", { at: of(4, 8) }); // 600 and 60 steps
  await compared(page);
  const chart = page.getByRole("slider", { name: /^Losses by step/ });
  await chart.focus();
  await page.keyboard.press("End");
  await page.getByText("At step 600").waitFor();
  const values = () => page.locator(".column dl dd").evaluateAll((all) => all.map((e) => e.textContent));
  let [, long, short] = await values();
  assert.match(long, /^\d\.\d+$/);
  assert.equal(short, "–");
  await page.keyboard.press("Home");
  [, long, short] = await values();
  assert.match(short, /^\d\.?\d+$/);
  await page.keyboard.press("Escape");
  await page.getByText("At the end", { exact: true }).waitFor();
  const { x, y, width, height } = await chart.boundingBox();
  await page.mouse.move(x + width * 0.4, y + height / 2);
  await page.getByText(/^At step \d+$/).waitFor();
  await eventually(async () => assert.equal(await page.locator(".chart circle[r='4']").count() >= 1, true, "where it reads is marked"));
  await close();
});

test("scale and smoothing change the chart", async () => {
  const { page, close } = await browser.open("full", { at: of(4, 3) });
  await compared(page);
  const picture = () => page.locator(".chart .picture").innerHTML();
  const linear = await picture();
  await page.getByRole("radio", { name: "Log" }).check();
  await page.waitForFunction((before) => document.querySelector(".chart .picture").innerHTML !== before, linear);
  const log = await picture();
  await page.getByRole("slider", { name: "Smoothing" }).fill("0");
  await page.waitForFunction((before) => document.querySelector(".chart .picture").innerHTML !== before, log);
  await close();
});

test("a run is opened, duplicated and taken out from here", async () => {
  const { page, close } = await browser.open("full", { at: of(4, 3, 8) });
  await compared(page);
  await table(page).getByRole("button", { name: "More about First steps" }).click();
  await page.getByRole("menuitem", { name: "Take out" }).click();
  await page.getByText("2 runs", { exact: true }).waitFor();
  await compared(page);
  await table(page).getByRole("button", { name: "More about Support replies" }).click();
  await page.getByRole("menuitem", { name: "Duplicate" }).click();
  await page.getByRole("heading", { level: 1, name: /new run/i }).waitFor();
  await close();

  const other = await browser.open("full", { at: of(4, 3) });
  await compared(other.page);
  await table(other.page).getByRole("button", { name: "Support replies", exact: true }).click();
  await other.page.getByRole("heading", { level: 1, name: "Support replies" }).waitFor();
  await other.close();
});
