// What Home promises: the list of runs, and the one on top. The welcome and the tour are in tour.test.mjs.
// node --test tests/ui/home.test.mjs

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { eventually, shoot, start, violations } from "./page.mjs";

let browser;
before(async () => (browser = await start()));
after(() => browser?.stop());

const rows = (page) => page.getByTestId("run");
const names = (page) => rows(page).getByRole("heading").allTextContents();
const button = (page, name) => page.getByRole("button", { name, exact: true });
const row = (page, name) =>
  rows(page).filter({ has: page.getByRole("heading", { name, exact: true }) });
const current = (page) =>
  page.getByRole("region", { name: "Now", exact: true });

async function look(page, name) {
  await shoot(page, `home-${name}`);
  const wide = await page.evaluate(() =>
    ["main", "[data-testid=run]"].filter((css) => {
      const e = document.querySelector(css);
      return e && e.scrollWidth > e.clientWidth;
    }),
  );
  assert.deepEqual(wide, [], "nothing is wider than the page");
  await eventually(async () => assert.deepEqual(await violations(page), []));
}

const SIZES = [
  [1024, 700],
  [1280, 800],
  [1920, 1080],
];
const SCENES = {
  full: { shows: "Release notes in our voice", sizes: SIZES },
  busy: { shows: "and 4 more", sizes: SIZES.slice(0, 1) },
  long: { shows: "All 10,001", sizes: SIZES },
  first: { shows: "Welcome to Tunesmith", sizes: SIZES },
  empty: { shows: "No runs yet", sizes: SIZES.slice(1, 2) },
  trouble: { shows: "The runs cannot be read", sizes: SIZES.slice(0, 1) },
  "late-trouble": {
    shows: "The runs cannot be read",
    sizes: SIZES.slice(1, 2),
  },
  waiting: { shows: "Reading the runs…", sizes: SIZES.slice(1, 2) },
};

for (const [scene, { shows, sizes }] of Object.entries(SCENES)) {
  for (const theme of ["light", "dark"]) {
    test(`${scene}, ${theme}: readable, accessible, without errors, in every window`, async () => {
      const { page, errors, close } = await browser.open(scene, { theme });
      await page.getByText(shows, { exact: true }).first().waitFor();
      for (const [width, height] of sizes) {
        await page.setViewportSize({ width, height });
        await look(page, `${scene}-${theme}-${width}`);
      }
      assert.deepEqual(errors, []);
      await close();
    });
  }
}

// ---- the list ----------------------------------------------------------------------------------------------------

test("each status has a word and a shape of its own", async () => {
  const { page, close } = await browser.open("full");
  await rows(page).first().waitFor();
  const said = await rows(page).evaluateAll((runs) =>
    runs.map((r) => [
      r.dataset.status,
      r.querySelector(".state span").textContent.trim(),
      r.querySelector(".state path").getAttribute("d"),
    ]),
  );
  const once = new Map(
    said.map(([status, word, shape]) => [status, [word, shape]]),
  );
  assert.equal(once.size, 7, "the scene shows all seven");
  assert.equal(new Set([...once.values()].map(([word]) => word)).size, 7);
  assert.equal(new Set([...once.values()].map(([, shape]) => shape)).size, 7);
  await close();
});

test("the title line says what the computer is doing", async () => {
  const full = await browser.open("full");
  await full.page
    .getByText(
      "Training “Support replies, second try”: step 312 of 900, 6 min 20 s left; 1 waiting",
    )
    .waitFor();
  await full.close();
  const empty = await browser.open("empty");
  await empty.page.getByText("Idle", { exact: true }).first().waitFor();
  await empty.close();
});

test("what is unknown is a dash, never a zero", async () => {
  const { page, close } = await browser.open("full");
  const queued = row(page, "Symptom to diagnosis");
  await eventually(async () => assert.deepEqual(await queued.locator("dd").allTextContents(), [
    "",
    "–",
    "–",
  ]));
  await close();
});

test("a failed run says what happened and what to do", async () => {
  const { page, close } = await browser.open("full");
  await eventually(async () => assert.equal(
    await row(page, "Alpaca, thorough")
      .locator(".state p")
      .getAttribute("title"),
    "The GPU ran out of memory at step 3. Try a shorter context: 1024 instead of 2048.",
  ));
  await close();
});

test("trouble that comes later leaves the runs on the page", async () => {
  const { page, close } = await browser.open("late-trouble");
  await page.getByRole("alert").waitFor();
  await eventually(async () => assert.equal(await rows(page).count(), 8));
  await close();
});

test("a run that trains moves in place, in the list and on top", async () => {
  const { page, errors, close } = await browser.open("live");
  for (const where of [rows(page), current(page)]) {
    const steps = where.getByText(/^step \d+ of 900/);
    await steps.waitFor();
    const before = await steps.textContent();
    await page.waitForFunction(
      ([text]) =>
        [...document.querySelectorAll("p, span")].every(
          (e) => e.textContent !== text,
        ),
      [before],
    );
  }
  await eventually(async () => assert.equal(await rows(page).count(), 1));
  assert.deepEqual(errors, []);
  await close();
});

test("ten thousand runs are drawn at once, scroll at once, and are all there", async () => {
  const { page, errors, close } = await browser.open("long");
  await rows(page).first().waitFor();
  await eventually(async () => assert.ok((await rows(page).count()) < 60, "only those in sight exist"));
  await eventually(async () => assert.equal(
    await page
      .getByRole("list", { name: "Runs" })
      .getByRole("listitem")
      .first()
      .getAttribute("aria-setsize"),
    "10001",
  ));
  await page.setViewportSize({ width: 720, height: 480 });
  await look(page, "long-720");

  const began = Date.now();
  await page
    .locator("main")
    .evaluate((main) => (main.scrollTop = main.scrollHeight));
  await row(page, "Run 1").waitFor();
  assert.ok(
    Date.now() - began < 2000,
    `${Date.now() - began} ms to the other end`,
  );
  await page.getByRole("searchbox").fill("run 4711");
  await row(page, "Run 4711").waitFor();
  await eventually(async () => assert.deepEqual(await names(page), ["Run 4711"]));
  assert.deepEqual(errors, []);
  await close();
});

test("runs are found by name, model and data, and by where they stand", async () => {
  const { page, close } = await browser.open("full");
  const search = page.getByRole("searchbox", {
    name: "Search name, model or data",
  });
  await search.fill("360m ALPACA");
  await row(page, "Alpaca").waitFor();
  await eventually(async () => assert.deepEqual(await names(page), ["Alpaca, thorough", "Alpaca"]));
  await page.getByRole("radio", { name: "Failed 1" }).check({ force: true });
  await eventually(async () => assert.deepEqual(await names(page), ["Alpaca, thorough"]));
  await page.getByRole("radio", { name: "Active 0" }).check({ force: true });
  await page.getByText("No run like this").waitFor();
  await look(page, "none-found");
  await button(page, "Show all runs").click();
  await eventually(async () => assert.equal((await names(page)).length, 8));
  await eventually(async () => assert.equal(await search.inputValue(), ""));
  await close();
});

test("a column sorts, and once more the other way round; what has no number stays last", async () => {
  const { page, close } = await browser.open("full");
  const sort = (name) =>
    page
      .getByRole("group", { name: "Sort the runs" })
      .getByRole("button", { name })
      .click();
  await sort("Best validation");
  await eventually(async () => assert.deepEqual((await names(page)).slice(0, 2), ["First steps", "Alpaca"]));
  await sort("Best validation");
  const falling = await names(page);
  assert.equal(falling[0], "Haiku");
  assert.deepEqual(falling.slice(-2).toSorted(), [
    "Alpaca, thorough",
    "Symptom to diagnosis",
  ]);
  await sort("Run");
  await eventually(async () => assert.equal((await names(page))[0], "Alpaca"));
  await eventually(async () => assert.equal(await button(page, "Run").getAttribute("aria-pressed"), "true"));
  await close();
});

test("what was searched is still there after a look at a run", async () => {
  const { page, close } = await browser.open("full");
  await page.getByRole("searchbox").fill("haiku");
  await row(page, "Haiku").click();
  await page
    .getByRole("searchbox", { name: "Search name, model or data" })
    .waitFor({ state: "detached" });
  await page.keyboard.press("Alt+ArrowLeft");
  await row(page, "Haiku").waitFor();
  await eventually(async () => assert.deepEqual(await names(page), ["Haiku"]));
  await close();
});

// ---- with one, with several --------------------------------------------------------------------------------------

/** What scrolls closes a menu: the row is in sight, and its scrolling told of, before the menu is opened. */
const choose = async (page, name, item) => {
  const more = button(page, `More about ${name}`);
  await more.scrollIntoViewIfNeeded();
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50))));
  await more.click();
  await page.getByRole("menuitem", { name: item, exact: true }).click();
};

test("a run is renamed, and an empty name is not taken", async () => {
  const { page, close } = await browser.open("full");
  await choose(page, "Haiku", "Rename");
  const name = page.getByRole("textbox", { name: "Name" });
  await eventually(async () => assert.equal(await name.inputValue(), "Haiku"));
  await eventually(async () => assert.deepEqual(await violations(page), []));
  await name.fill("  ");
  await eventually(async () => assert.equal(await button(page, "Rename").isDisabled(), true));
  await name.fill("Three lines of snow");
  await name.press("Enter");
  await row(page, "Three lines of snow").waitFor();
  await eventually(async () => assert.equal(await page.getByRole("dialog").count(), 0));
  await close();
});

test("a deleted run comes back where it was", async () => {
  const { page, close } = await browser.open("full");
  await rows(page).first().waitFor();
  const before = await names(page);
  await choose(page, "Support replies", "Delete");
  await row(page, "Support replies").waitFor({ state: "detached" });
  await page.getByText("“Support replies” is deleted.").waitFor();
  await button(page, "Undo").click();
  await row(page, "Support replies").waitFor();
  await eventually(async () => assert.deepEqual(await names(page), before));
  await close();
});

test("what trains or waits is not deleted by accident", async () => {
  const { page, close } = await browser.open("full");
  await button(page, "More about Support replies, second try").click();
  await eventually(async () => assert.equal(
    await page.getByRole("menuitem", { name: "Delete" }).isDisabled(),
    true,
  ));
  await eventually(async () => assert.equal(
    await page.getByRole("menuitem", { name: "Stop and keep" }).isEnabled(),
    true,
  ));
  await close();
});

test("a duplicate opens as a new run with the same words", async () => {
  const { page, close } = await browser.open("full");
  await choose(page, "Support replies", "Duplicate");
  await page.getByRole("heading", { level: 1, name: "New run" }).waitFor();
  await close();
});

test("several picked runs are compared, one alone is not", async () => {
  const { page, close } = await browser.open("full");
  await page.getByRole("checkbox", { name: "Pick Haiku" }).check();
  await page.getByText("One more, to compare.").waitFor();
  await eventually(async () => assert.equal(await button(page, "Compare").isDisabled(), true));
  await page
    .getByRole("checkbox", { name: "Pick Support replies", exact: true })
    .check();
  await page.getByText("2 picked").waitFor();
  await look(page, "picked");
  await button(page, "Compare").click();
  await rows(page).first().waitFor({ state: "detached" });
  await page.getByRole("heading", { level: 1, name: /Compare/ }).waitFor();
  await close();
});

// ---- the keyboard ------------------------------------------------------------------------------------------------

const focused = (page) =>
  page.evaluate(() => document.activeElement.textContent.trim());

test("the keyboard goes from run to run, picks, renames, deletes and opens", async () => {
  const { page, close } = await browser.open("full");
  await button(page, "Symptom to diagnosis").last().focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await eventually(async () => assert.equal(await focused(page), "Release notes in our voice"));
  await page.keyboard.press("x");
  await eventually(async () => assert.equal(
    await page
      .getByRole("checkbox", { name: "Pick Release notes in our voice" })
      .isChecked(),
    true,
  ));
  await page.keyboard.press("F2");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await eventually(async () => assert.equal(await focused(page), "Release notes in our voice"));
  await page.keyboard.press("Delete");
  await row(page, "Release notes in our voice").waitFor({ state: "detached" });
  await page.waitForFunction(
    () => document.activeElement.textContent.trim() === "Support replies",
  );
  await page.keyboard.press("End");
  await page.waitForFunction(
    () => document.activeElement.textContent.trim() === "First steps",
  );
  await page.keyboard.press("Enter");
  await rows(page).first().waitFor({ state: "detached" });
  await close();
});

test("End goes to the last of ten thousand runs, and the row is in sight", async () => {
  const { page, close } = await browser.open("long");
  await row(page, "Run 10000")
    .getByRole("button", { name: "Run 10000", exact: true })
    .focus();
  await page.keyboard.press("End");
  await page.waitForFunction(
    () => document.activeElement.textContent.trim() === "Run 1",
  );
  const box = await row(page, "Run 1").boundingBox();
  assert.ok(box.y > 0 && box.y + box.height <= 800, `at ${box.y}`);
  await page.keyboard.press("Home");
  await page.waitForFunction(() =>
    document.activeElement.textContent.trim().startsWith("Donau"),
  );
  const top = await rows(page).first().boundingBox();
  const tools = await page.getByRole("searchbox").boundingBox();
  assert.ok(
    top.y >= tools.y + tools.height,
    "what floats above does not cover it",
  );
  await close();
});

test("everything on Home is reached with Tab, and the focus is seen", async () => {
  const { page, close } = await browser.open("full");
  await rows(page).first().waitFor();
  const seen = new Set();
  for (let i = 0; i < 30; i++) {
    await page.keyboard.press("Tab");
    const [name, style, wide] = await page.evaluate(() => {
      const e = document.activeElement;
      const { outlineStyle, outlineWidth } = getComputedStyle(e);
      const label =
        e.getAttribute("aria-label") ??
        e.labels?.[0]?.textContent ??
        e.textContent;
      return [label.trim(), outlineStyle, parseFloat(outlineWidth) >= 2];
    });
    assert.deepEqual(
      [style, wide],
      ["solid", true],
      `the focus is seen on ${name}`,
    );
    seen.add(name);
  }
  for (const name of [
    "New run",
    "Pause",
    "Open",
    "Search name, model or data",
    "All 8",
    "Created",
    "Pick Symptom to diagnosis",
    "Symptom to diagnosis",
    "More about Symptom to diagnosis",
  ]) {
    assert.ok(
      seen.has(name),
      `${name} is reached; reached are ${[...seen].join(", ")}`,
    );
  }
  await close();
});

// ---- on top ------------------------------------------------------------------------------------------------------

test("the run on top is paused and resumed in place", async () => {
  const { page, close } = await browser.open("live");
  const top = current(page);
  await top.getByRole("button", { name: "Pause" }).click();
  await top.getByText("Paused", { exact: true }).waitFor();
  const at = await top.getByText(/^step \d+ of 900$/).textContent();
  await top.getByRole("button", { name: "Resume" }).click();
  await top.getByText("Training", { exact: true }).waitFor();
  await page.waitForFunction(
    (was) =>
      [...document.querySelectorAll("article span")].every(
        (e) => e.textContent !== was,
      ),
    at,
  );
  await close();
});

test("what waits stands in its order, the longest waiting first", async () => {
  const { page, close } = await browser.open("busy");
  const queue = page.getByRole("region", { name: "Waiting for the device" });
  await eventually(async () => assert.deepEqual(await queue.getByRole("listitem").allTextContents(), [
    "Symptom to diagnosis",
    "Night batch, part 1",
    "Night batch, part 2",
  ]));
  await queue.getByText("and 4 more").waitFor();
  await close();
});

test("nothing moves by itself with reduced motion, and the live mark breathes without", async () => {
  for (const [motion, seconds] of [
    ["reduce", "0s"],
    ["no-preference", "2.4s"],
  ]) {
    const { page, close } = await browser.open("full", { motion });
    await rows(page).first().waitFor();
    const breath = await page.evaluate(
      () =>
        getComputedStyle(document.querySelector(".running path"))
          .animationDuration,
    );
    assert.equal(breath, seconds);
    await close();
  }
});
