// What Home promises: the list of runs, the one on top, the welcome, the sample tour.
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

// ---- the welcome and the tour ------------------------------------------------------------------------------------

test("the welcome does not wait for the devices, and says when they cannot be found out", async () => {
  const slow = await browser.open("first", { query: { devices: "waiting" } });
  await slow.page.getByText("Looking for devices…").waitFor();
  await eventually(async () => assert.equal(
    await button(slow.page, "Try it with a sample").isEnabled(),
    true,
  ));
  await slow.page.getByText("Nothing leaves this computer").waitFor();
  await slow.close();

  const broken = await browser.open("first", { query: { devices: "trouble" } });
  await broken.page
    .getByText("Update the graphics driver, or train on the processor.")
    .waitFor();
  await button(broken.page, "Look again").click();
  await look(broken.page, "first-no-devices");
  await broken.close();

  const found = await browser.open("first");
  await found.page.getByTestId("device").first().waitFor();
  await eventually(async () => assert.deepEqual(await found.page.getByTestId("device").allInnerTexts(), [
    "Intel Core i5-1240P\n\nProcessor CPU\n\n16.5 GB memory",
    "Intel Iris Xe Graphics (ADL GT2)\n\nBuilt-in graphics GPU, Vulkan\n\n8.2 GB memory",
  ]));
  await found.close();
});

test("without the network the sample says so, keeps what came, and can be tried again", async () => {
  const { page, close } = await browser.open("offline");
  await button(page, "Try it with a sample").click();
  await page.getByText("The sample could not be prepared").waitFor();
  await look(page, "first-offline");
  await button(page, "Try again").click();
  await page.getByText("The sample could not be prepared").waitFor();
  await close();
});

test("the download of the sample can be cancelled, and goes on later", async () => {
  const { page, close } = await browser.open("first");
  await button(page, "Try it with a sample").click();
  await page.getByRole("main").getByRole("progressbar").waitFor();
  await look(page, "first-preparing");
  await page.getByRole("main").getByRole("button", { name: "Cancel" }).click();
  await page
    .getByText(
      "Stopped. What has come is kept; next time it goes on from there.",
    )
    .waitFor();
  await button(page, "Try it with a sample").click();
  await page.getByRole("heading", { level: 1, name: "New run" }).waitFor();
  await close();
});

test("who goes elsewhere while the sample comes is called back, not dragged", async () => {
  const { page, close } = await browser.open("first");
  await button(page, "Try it with a sample").click();
  await page.getByRole("main").getByRole("progressbar").waitFor();
  await button(page, "Settings").click();
  await button(page, "Review it").click({ timeout: 10_000 });
  await page.getByRole("heading", { level: 1, name: "New run" }).waitFor();
  await close();
});

test("from the first start to an exported adapter in at most 8 clicks, and no typing", async () => {
  const { page, errors, close } = await browser.open("first");
  const strip = page.getByRole("complementary", { name: "Sample tour" });
  let clicks = 0;
  const click = async (what) => {
    await what.click({ timeout: 20_000 });
    clicks += 1;
  };
  await click(button(page, "Try it with a sample"));
  await strip.getByText("1 of 4").waitFor();
  await page.getByText("What the model will see", { exact: true }).waitFor();
  await shoot(page, "tour-review");
  await click(button(page, "Start"));
  await strip.getByText("2 of 4").waitFor();
  await shoot(page, "tour-training");
  await strip.getByText("3 of 4").waitFor({ timeout: 20_000 });
  await shoot(page, "tour-finished");
  await click(page.getByRole("main").getByRole("tab", { name: /Export/ }));
  await click(
    page
      .getByRole("main")
      .getByRole("button", { name: /^Export/ })
      .last(),
  );
  await strip
    .getByText(/^Done: the adapter is a folder/)
    .waitFor({ timeout: 20_000 });
  await shoot(page, "tour-exported");
  assert.ok(clicks <= 8, `${clicks} clicks`);
  await click(strip.getByRole("button", { name: "End the tour" }));
  await strip.waitFor({ state: "detached" });
  assert.deepEqual(errors, []);
  await close();
});

test("the strip leads back to where the next step is done, and can be put away", async () => {
  const { page, close } = await browser.open("first");
  const strip = page.getByRole("complementary", { name: "Sample tour" });
  await button(page, "Try it with a sample").click();
  await page.getByRole("heading", { level: 1, name: "New run" }).waitFor();
  await button(page, "Models").click();
  await strip.getByRole("button", { name: "Back to the review" }).click();
  await page.getByRole("heading", { level: 1, name: "New run" }).waitFor();
  await button(page, "Start").click();
  await strip.getByText("2 of 4").waitFor();
  await button(page, "Data").click();
  await strip.getByRole("button", { name: "Show the run" }).waitFor();
  await eventually(async () => assert.deepEqual(await violations(page), []));
  await strip.getByRole("button", { name: "End the tour" }).click();
  await strip.waitFor({ state: "detached" });
  await close();
});

test("a tour goes on when the window opens again, wherever it was; ended it stays away", async () => {
  const { page, errors, close } = await browser.open("sample");
  const strip = page.getByRole("complementary", { name: "Sample tour" });
  const again = async (scene) => {
    const address = new URL(page.url());
    address.searchParams.set("scene", scene);
    await page.goto(String(address));
    await page.getByRole("heading", { level: 1 }).waitFor();
  };
  await button(page, "Try it with a sample").click();
  await page.getByRole("heading", { level: 1, name: "New run" }).waitFor();
  await again("sample");
  await strip.getByText("1 of 4").waitFor();
  await strip.getByRole("button", { name: "Back to the review" }).click();
  await page.getByRole("heading", { level: 1, name: "New run" }).waitFor();

  await again("sampled");
  await strip.getByText("3 of 4").waitFor();
  await strip.getByRole("button", { name: "Show the run" }).click();
  await page.getByRole("heading", { level: 1, name: "Sample: the lighthouse keeper" }).waitFor();
  await strip.getByRole("button", { name: "End the tour" }).click();
  await strip.waitFor({ state: "detached" });
  await again("sampled");
  await page.getByTestId("run").waitFor();
  assert.equal(await page.evaluate(() => localStorage.length), 0);
  assert.equal(await strip.count(), 0);

  await again("sample");
  await button(page, "Try it with a sample").click();
  await strip.getByText("1 of 4").waitFor();
  await again("first");
  await page.waitForFunction(() => localStorage.length === 0);
  assert.equal(await strip.count(), 0, "its data is gone");
  assert.deepEqual(errors, []);
  await close();
});
