// What the window promises around its views.   node --test tests/ui/shell.test.mjs

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { eventually, shoot, start, violations } from "./page.mjs";

let browser;
before(async () => (browser = await start()));
after(() => browser?.stop());

const PLACES = ["Runs", "Models", "Data", "Try it", "Settings"];
const rail = (page) => page.getByRole("navigation", { name: "Places" });
const place = (page, name) => rail(page).getByRole("button", { name });
const heading = (page, name) => page.getByRole("heading", { level: 1, name });
const ask = (page, what) => page.evaluate((what) => globalThis.fakeWindow.ask(what), what);
const drag = (page, what) => page.evaluate((what) => globalThis.fakeWindow.drag(what), what);
const drop = (page, ...paths) => drag(page, { kind: "dropped", paths, x: 400, y: 300 });
const answers = (page) => page.evaluate(() => globalThis.fakeWindow.answers);
const focused = (page) => page.evaluate(() => document.activeElement.textContent.trim());

/** The window alone: views have tests of their own. */
async function look(page, errors, name) {
  await shoot(page, `shell-${name}`);
  await eventually(async () => assert.deepEqual(await violations(page, { but: ["main > *"] }), []));
  assert.deepEqual(errors, []);
}

for (const theme of ["light", "dark"]) {
  test(`${theme}: rail, title line and everything that stands over a view are readable and accessible`, async () => {
    const { page, errors, close } = await browser.open("full", { theme, size: [1024, 700] });
    await heading(page, "Runs").waitFor();
    await look(page, errors, `rail-${theme}`);
    await page.keyboard.press("Control+k");
    await page.getByRole("option", { name: "Symptom to diagnosis" }).first().waitFor();
    await look(page, errors, `palette-${theme}`);
    await page.keyboard.press("Escape");
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
    await look(page, errors, `keys-${theme}`);
    await page.keyboard.press("Escape");
    await ask(page, { kind: "closing", runs: 1 });
    await page.getByRole("dialog", { name: "A run is training" }).waitFor();
    await look(page, errors, `closing-${theme}`);
    await page.keyboard.press("Escape");
    await drag(page, { kind: "over", x: 10, y: 10 });
    await page.getByText("Drop to import").waitFor();
    await look(page, errors, `drop-${theme}`);
    await close();
  });
}

test("each place is one press away, marked, and its heading has the focus", async () => {
  const { page, errors, close } = await browser.open("full", { at: "settings", size: [1024, 700] });
  await heading(page, "Settings").waitFor();
  for (const name of PLACES) {
    await place(page, name).click();
    await page.waitForFunction(() => document.activeElement.tagName === "H1");
    await eventually(async () => assert.deepEqual(await rail(page).locator("[aria-current=page]").allInnerTexts(), [name]));
  }
  const out = await rail(page).evaluate((nav) => nav.scrollHeight > nav.clientHeight || nav.scrollWidth > nav.clientWidth);
  assert.equal(out, false, "the rail shows all its places");
  assert.deepEqual(errors, []);
  await close();
});

test("the keyboard goes to every place, and leaves what is open", async () => {
  const { page, close } = await browser.open("full");
  await heading(page, "Runs").waitFor();
  for (const [keys, name] of [["Control+2", "Models"], ["Control+3", "Data"], ["Control+4", "Try it"], ["Control+,", "Settings"], ["Control+n", "Runs"], ["Control+1", "Runs"]]) {
    await page.keyboard.press(keys);
    await page.waitForFunction((name) => document.querySelector("nav [aria-current]").textContent.includes(name), name);
  }
  await page.keyboard.press("Control+n");
  await page.waitForFunction(() => document.querySelector("h1").textContent !== "Runs");
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("Escape");
  await heading(page, "Runs").waitFor();
  await page.keyboard.press("Control+3");
  await heading(page, "Data").waitFor();
  await page.keyboard.press("Escape");
  await eventually(async () => assert.equal(await heading(page, "Data").count(), 1, "in a list there is nothing to leave"));
  await page.keyboard.press("Alt+ArrowLeft");
  await heading(page, "Runs").waitFor();
  await close();
});

test("whoever types is not interrupted", async () => {
  const { page, close } = await browser.open("full");
  const search = page.getByRole("searchbox").first();
  await search.pressSequentially("what?");
  await eventually(async () => assert.equal(await search.inputValue(), "what?"));
  await eventually(async () => assert.equal(await page.getByRole("dialog").count(), 0));
  await close();
});

test("the title line says what the computer is doing, and leads to it", async () => {
  const full = await browser.open("full", { at: "settings" });
  const run = full.page.getByRole("button", { name: /^Training “Support replies, second try”: step 312 of 900, 6 min 20 s left/ });
  await run.click();
  await full.page.waitForFunction(() => document.querySelector("nav [aria-current]").textContent.includes("Runs"));
  assert.deepEqual(full.errors, []);
  await full.close();
  const empty = await browser.open("empty");
  await empty.page.getByRole("banner").getByText("Idle", { exact: true }).first().waitFor();
  await empty.close();
});

test("a task is told of wherever the person is, and cancelled from there", async () => {
  const { page, errors, close } = await browser.open("busy", { at: "models" });
  await page.getByRole("button", { name: /^(Download|Continue).*TinyLlama 1.1B Chat/ }).click();
  await page.keyboard.press("Control+,");
  await heading(page, "Settings").waitFor();
  const line = page.getByRole("banner");
  await line.getByText(/^Downloading TinyLlama.*: 41 %, 1 min 36 s left/).waitFor();
  await shoot(page, "shell-task");
  await line.getByRole("button", { name: /^Cancel: Downloading TinyLlama/ }).click();
  await line.getByText(/^Downloading TinyLlama/).first().waitFor({ state: "detached" });
  assert.deepEqual(errors, []);
  await close();
});

test("what is told in passing is read aloud, stays while it is pointed at, and goes by itself", async () => {
  const { page, close } = await browser.open("full", { at: "settings" });
  await heading(page, "Settings").waitFor();
  await page.clock.install();
  await drop(page, "/home/me/models/my-model");
  const log = page.getByRole("log", { name: "Messages" });
  const told = log.getByText(/is in the list/);
  await page.clock.runFor(1000);
  await told.waitFor();
  await shoot(page, "shell-toast");
  await told.hover();
  await page.clock.runFor(20_000);
  await eventually(async () => assert.equal(await told.count(), 1, "it stays while the pointer is on it"));
  await page.mouse.move(0, 0);
  await page.clock.runFor(9000);
  await eventually(async () => assert.equal(await told.count(), 0, "it goes by itself"));
  await close();
});

test("a dragged file shows what dropping it would do, and is taken where it belongs", async () => {
  const { page, errors, close } = await browser.open("full");
  await heading(page, "Runs").waitFor();
  await drag(page, { kind: "over", x: 10, y: 10 });
  await page.getByText("Drop to add the model").waitFor();
  await drag(page, { kind: "left" });
  await eventually(async () => assert.equal(await page.getByTestId("drop").count(), 0));
  await drag(page, { kind: "over", x: 10, y: 10 });
  await drop(page, "/home/me/replies.jsonl");
  await eventually(async () => assert.equal(await page.getByTestId("drop").count(), 0));
  await page.waitForFunction(() => document.querySelector("nav [aria-current]").textContent.includes("Data"));
  await page.getByText(/replies\.jsonl/).first().waitFor();
  await drop(page, "/home/me/models/my-model.gguf");
  await heading(page, "Models").waitFor();
  assert.deepEqual(errors, []);
  await close();
});

const WAYS = { "Keep training in the background": "keep", Pause: "pause", "Stop and keep": "stop" };
test("closing while a run trains asks once what then, and can be told to remember", async () => {
  const { page, close } = await browser.open("full");
  await heading(page, "Runs").waitFor();
  const dialog = page.getByRole("dialog", { name: "A run is training" });
  for (const name of Object.keys(WAYS)) {
    await ask(page, { kind: "closing", runs: 1 });
    await dialog.getByRole("button", { name }).click();
    await dialog.waitFor({ state: "detached" });
  }
  await ask(page, { kind: "closing", runs: 1 });
  await eventually(async () => assert.match(await focused(page), /^Keep training in the background/));
  await dialog.getByRole("switch", { name: "Do the same next time" }).check();
  await dialog.getByRole("button", { name: "Pause" }).press("Enter");
  await ask(page, { kind: "closing", runs: 2 });
  await page.getByRole("dialog", { name: "2 runs are training or waiting" }).waitFor();
  await page.keyboard.press("Escape");
  await eventually(async () => assert.deepEqual(await answers(page), [
    ...Object.values(WAYS).map((then) => ({ then, remember: false })),
    { then: "pause", remember: true },
    { then: "stay", remember: false },
  ]));
  await close();
});

test("a notification that is pressed shows its run", async () => {
  const { page, close } = await browser.open("full", { at: "settings" });
  await heading(page, "Settings").waitFor();
  await ask(page, { kind: "show_run", id: "01938a00-0000-7000-8000-000000000001" });
  await heading(page, "Settings").waitFor({ state: "detached" });
  await eventually(async () => assert.deepEqual(await rail(page).locator("[aria-current=page]").allInnerTexts(), ["Runs"]));
  await close();
});

test("the palette finds by a few letters, is driven by keys, and gives the focus back", async () => {
  const { page, errors, close } = await browser.open("full", { at: "settings" });
  await heading(page, "Settings").waitFor();
  await place(page, "Settings").focus();
  await page.keyboard.press("Control+k");
  const line = page.getByRole("combobox", { name: "Find" });
  const chosen = () => page.getByRole("option", { selected: true }).innerText();
  await line.waitFor();
  await eventually(async () => assert.match(await chosen(), /^New run/));
  await page.keyboard.press("ArrowUp");
  const last = await chosen();
  assert.doesNotMatch(last, /^New run/, "up from the first is the last");
  await page.keyboard.press("ArrowDown");
  await line.pressSequentially("zzzz");
  await page.getByText("Nothing has these letters.").waitFor();
  await page.keyboard.press("Escape");
  await eventually(async () => assert.equal(await focused(page), "Settings"));
  await page.keyboard.press("Control+k");
  await line.pressSequentially("symdia");
  await eventually(async () => assert.match(await chosen(), /^Symptom to diagnosis/));
  const pointed = await line.getAttribute("aria-activedescendant");
  await eventually(async () => assert.equal(await page.getByRole("option", { selected: true }).getAttribute("id"), pointed));
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelector("nav [aria-current]").textContent.includes("Runs"));
  await eventually(async () => assert.equal(await line.count(), 0));
  await page.keyboard.press("Control+k");
  await page.keyboard.press("Control+k");
  await eventually(async () => assert.equal(await line.count(), 0, "the same keys close it"));
  assert.deepEqual(errors, []);
  await close();
});

test("ten thousand runs do not slow the palette down", async () => {
  const { page, close } = await browser.open("long", { at: "settings" });
  await heading(page, "Settings").waitFor();
  await page.keyboard.press("Control+k");
  const line = page.getByRole("combobox", { name: "Find" });
  await line.waitFor();
  const took = await line.evaluate(async (input) => {
    const begun = performance.now();
    input.value = "run 7777";
    input.dispatchEvent(new InputEvent("input", { bubbles: true }));
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    return performance.now() - begun;
  });
  await eventually(async () => assert.match(await page.getByRole("option", { selected: true }).innerText(), /^Run 7777/));
  assert.ok(took < 500, `${took} ms`);
  await close();
});

test("the theme follows the system until the person chooses one", async () => {
  const { page, close } = await browser.open("full", { theme: "light", at: "settings" });
  await heading(page, "Settings").waitFor();
  const now = () => page.evaluate(() => [document.documentElement.dataset.theme, getComputedStyle(document.body).backgroundColor]);
  const [unset, light] = await now();
  assert.equal(unset, undefined);
  await page.emulateMedia({ colorScheme: "dark" });
  const [, dark] = await now();
  assert.notEqual(dark, light);
  await page.keyboard.press("Control+k");
  await page.getByRole("option", { name: "Light theme" }).click();
  await eventually(async () => assert.deepEqual(await now(), ["light", light]));
  await page.keyboard.press("Control+k");
  await page.getByRole("option", { name: "Dark theme" }).click();
  await page.emulateMedia({ colorScheme: "light" });
  await eventually(async () => assert.deepEqual(await now(), ["dark", dark]));
  await close();
});

test("a page that breaks says so, and takes nothing else with it", async () => {
  const { page, errors, close } = await browser.open("full", { at: { view: "compare", ids: 7 } });
  await heading(page, "This page cannot be shown").waitFor();
  assert.equal(errors.length, 1);
  errors.length = 0;
  await look(page, errors, "defect");
  await page.keyboard.press("Control+,");
  await heading(page, "Settings").waitFor();
  await close();
});

test("the frame fits every window from the smallest on, with the longest names", async () => {
  const { page, errors, close } = await browser.open("long", { at: "settings" });
  await heading(page, "Settings").waitFor();
  for (const [width, height] of [[720, 480], [1024, 700], [1920, 1080]]) {
    await page.setViewportSize({ width, height });
    const wide = await page.evaluate(() => [...document.querySelectorAll("body, header, nav")].filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.tagName));
    assert.deepEqual(wide, [], `nothing is wider than a window of ${width}`);
  }
  assert.deepEqual(errors, []);
  await close();
});
