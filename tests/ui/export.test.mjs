// What exporting a run promises.   node --test tests/ui/export.test.mjs

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { eventually, shoot, start, violations } from "./page.mjs";

let browser;
before(async () => (browser = await start()));
after(() => browser?.stop());

const button = (page, name) => page.getByRole("button", { name });
/** The finished run of the scene; 2 still waits. */
async function open(scene, { n = 4, ...more } = {}) {
  const id = `01938a00-0000-7000-8000-${String(n).padStart(12, "0")}`;
  const opened = await browser.open(scene, { at: { view: "run", id }, ...more });
  opened.page.setDefaultTimeout(10_000);
  await opened.page.getByRole("tab", { name: "Export" }).click();
  return opened;
}

async function toThesis(page) {
  await button(page, "Choose another").click();
  await button(page, "Export adapter").click();
  return page.getByText("Nothing was exported");
}

const STATES = {
  form: { scene: "full", shows: (page) => page.getByText("Exports of this run") },
  merged: {
    scene: "full",
    async shows(page) {
      await page.getByRole("radio", { name: "Whole model" }).check();
      await button(page, "Choose another").click();
      return page.getByLabel("Name of the new folder");
    },
  },
  empty: { scene: "full", n: 2, shows: (page) => page.getByText("Nothing to export yet") },
  busy: {
    scene: "busy",
    async shows(page) {
      await button(page, "Export adapter").click();
      return page.getByText("111 of 272, 24 s left");
    },
  },
  done: {
    scene: "full",
    async shows(page) {
      await button(page, "Export adapter").click();
      return page.getByText("Read back: logits agree to 3.10e-6");
    },
  },
  trouble: { scene: "full", query: { pick: `/home/ada/thesis${"/einrichtungsgegenstand".repeat(8)}` }, shows: toThesis },
};

for (const [state, { scene, shows, ...more }] of Object.entries(STATES)) {
  for (const [theme, size] of [["light", [1024, 700]], ["dark", [1280, 800]], ["light", [1920, 1080]]]) {
    test(`${state}, ${theme}, ${size.join("x")}: readable, accessible, without errors`, async () => {
      const { page, errors, close } = await open(scene, { theme, size, ...more });
      await (await shows(page)).first().waitFor();
      await shoot(page, `export-${state}-${theme}-${size[0]}`);
      const wide = await page.evaluate(() => document.querySelector("main").scrollWidth - document.querySelector("main").clientWidth);
      assert.equal(wide, 0, "nothing is wider than the page");
      await eventually(async () => assert.deepEqual(await violations(page), []));
      assert.deepEqual(errors, []);
      await close();
    });
  }
}

test("an export is told in numbers, can be found and loaded, and is in the list", async () => {
  const { page, close } = await open("full");
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await button(page, "Export adapter").press("Enter");
  await page.getByRole("progressbar", { name: /Exporting/ }).waitFor();
  const result = page.getByRole("region", { name: "The export" });
  await result.getByText("From the base’s they differ by up to 11.9.").waitFor();
  await eventually(async () => assert.equal(await page.evaluate(() => document.activeElement.textContent), "Exported", "the focus is at what came of it"));
  await result.getByText("Adapter, 6 files, 22.4 MB").waitFor();
  await button(page, "Copy: How to load it, in Python").click();
  await result.getByText("Copied").first().waitFor();
  await eventually(async () => assert.match(await page.evaluate(() => navigator.clipboard.readText()), /PeftModel\.from_pretrained\(base, folder\)/));
  await eventually(async () => assert.deepEqual(await page.locator("[data-there]").evaluateAll((all) => all.map((e) => e.dataset.there)), ["true", "true", "false"]));
  await close();
});

test("an earlier export still says how it is loaded; one that is gone says so", async () => {
  const { page, close } = await open("full");
  const [first, second] = [page.locator("[data-there]").nth(0), page.locator("[data-there]").nth(1)];
  await first.getByText("How to load it").click();
  await first.getByText(/dtype="auto"/).waitFor();
  await eventually(async () => assert.deepEqual(await violations(page), []));
  await second.getByText("Not there any more").waitFor();
  await eventually(async () => assert.equal(await second.getByRole("button").count(), 0));
  await close();
});

test("the same folder is listed once, however often it is written", async () => {
  const { page, close } = await open("full");
  for (let i = 0; i < 2; i++) {
    await button(page, "Export adapter").click();
    await page.getByRole("progressbar", { name: /Exporting/ }).waitFor();
    await page.getByText("Read back:").waitFor();
  }
  await eventually(async () => assert.equal(await page.locator("[data-there]").count(), 3));
  await close();
});

test("each precision says what it is for, and what it makes of the size", async () => {
  const { page, close } = await open("full");
  await page.getByRole("radio", { name: "Whole model" }).check();
  const size = page.locator("label", { hasText: "Whole model" }).locator(".size");
  const half = await size.textContent();
  await eventually(async () => assert.ok(await page.getByRole("radio", { name: "bf16" }).isChecked(), "bf16 unless another is chosen"));
  await page.getByRole("radio", { name: "f32" }).check();
  await page.getByText("Exactly as computed, at twice the size.").waitFor();
  const [, whole] = /About ([\d.]+) MB/.exec(await size.textContent());
  assert.ok(Math.abs(whole / /About ([\d.]+) MB/.exec(half)[1] - 2) < 0.01);
  await button(page, "Export whole model, f32").waitFor();
  await close();
});

test("how far it is, and how to stop it, come into sight", async () => {
  const { page, close } = await open("busy", { size: [1024, 700] });
  await button(page, "Export adapter").click();
  const inSight = await page.getByRole("tabpanel").getByRole("button", { name: "Cancel" }).evaluate((e) => e.getBoundingClientRect().bottom <= innerHeight);
  assert.ok(inSight);
  await close();
});

test("cancelling writes nothing, and the next one can begin", async () => {
  const { page, close } = await open("busy");
  await button(page, "Export adapter").press("Enter");
  const cancel = page.getByRole("tabpanel").getByRole("button", { name: "Cancel" });
  await eventually(async () => assert.ok(await cancel.evaluate((e) => e === document.activeElement), "the focus goes on to what replaced the button"));
  await cancel.press("Enter");
  await page.getByText("Cancelled; nothing was written.").waitFor();
  await eventually(async () => assert.equal(await page.evaluate(() => document.activeElement.textContent.trim()), "Export adapter"));
  await close();
});

test("an export goes on while another tab or page is open", async () => {
  const { page, close } = await open("busy");
  await button(page, "Export adapter").click();
  await page.getByRole("tab", { name: "Log" }).click();
  await page.getByText(/^Exporting/).first().waitFor();
  await page.getByRole("tab", { name: "Export" }).click();
  await page.getByText("111 of 272, 24 s left").waitFor();
  await close();
});

test("a chosen folder gets a new one within, named after run and form", async () => {
  const { page, close } = await open("full");
  await button(page, "Choose another").click();
  const name = page.getByLabel("Name of the new folder");
  await eventually(async () => assert.equal(await name.inputValue(), "support-replies-adapter"));
  await page.getByRole("radio", { name: "Whole model" }).check();
  await eventually(async () => assert.equal(await name.inputValue(), "support-replies-merged-bf16"));
  await name.fill("mine/own");
  await page.getByRole("alert").getByText(/A name cannot have any of/).waitFor();
  await eventually(async () => assert.ok(await button(page, /^Export whole/).isDisabled()));
  await name.fill("mine");
  await button(page, /^Export whole/).click();
  await page.getByRole("region", { name: "The export" }).getByText("/home/ada/Documents/mine", { exact: true }).waitFor();
  await page.getByText("An export of this run is there: it is replaced once the new one is whole.").waitFor();
  await close();
});

test("a folder with other files in it is refused, and another can be chosen at once", async () => {
  const { page, close } = await open("full", { query: { pick: "/home/ada/thesis" } });
  await (await toThesis(page)).waitFor();
  await page.getByRole("alert").getByText(/holds chapter-1.tex, which no export wrote/).waitFor();
  await button(page, "Choose another folder").waitFor();
  await close();
});

test("what was read back and differs is no export", async () => {
  const { page, close } = await open("differs");
  await button(page, "Export adapter").click();
  await page.getByRole("alert").getByText(/answers differ from the model’s in the app by 0.5/).waitFor();
  await eventually(async () => assert.equal(await page.getByRole("region", { name: "The export" }).count(), 0));
  await eventually(async () => assert.equal(await page.locator("[data-there]").count(), 2));
  await close();
});

test("the keyboard reaches the form, and the focus is seen", async () => {
  const { page, close } = await open("full");
  await page.getByRole("tab", { name: "Export" }).focus();
  const reached = [];
  for (let i = 0; i < 4; i++) {
    await page.keyboard.press("Tab");
    reached.push(await page.evaluate(() => {
      const e = document.activeElement;
      const seen = getComputedStyle(e.closest("label") ?? e);
      return [e.type ?? e.role, seen.outlineStyle, parseFloat(seen.outlineWidth) >= 2];
    }));
  }
  assert.deepEqual(reached, [["tabpanel", "solid", true], ["radio", "solid", true], ["button", "solid", true], ["submit", "solid", true]]);
  await close();
});
