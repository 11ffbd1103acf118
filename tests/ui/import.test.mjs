// What the way in promises: a file is looked at, mapped, split and imported.   node --test tests/ui/import.test.mjs

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { eventually, start } from "./page.mjs";

let browser;
before(async () => (browser = await start()));
after(() => browser?.stop());

const file = (name) => ({
  view: "import",
  paths: [`/home/ada/Documents/${name}`],
});
const press = (page, name) =>
  page.getByRole("button", { name, exact: true }).click();
/** The columns of the mapping by the words that stand over them. */
const pick = (page, role, column) =>
  page.getByLabel(role).selectOption({ label: column });

test("columns that nobody can tell are mapped by picking, and the example follows", async () => {
  const { page, close } = await browser.open("full", {
    at: file("unclear.csv"),
  });
  const go = page.getByRole("button", { name: "Import", exact: true });
  await page.getByText("Pick the missing columns first").waitFor();
  await eventually(async () => assert.equal(await go.isDisabled(), true));
  await pick(page, "What the model is given", "kunde_schreibt");
  await page.getByText("Pick the missing column first").waitFor();
  await pick(page, "What it learns to write", "wir_schreiben");
  const example = page.getByRole("region", {
    name: "How a row becomes an example",
  });
  await example
    .getByText("Where is my order? It was promised for Tuesday.")
    .waitFor();
  await eventually(async () => assert.equal(await go.isDisabled(), false));
  // The same column cannot play both parts: they change places.
  await pick(page, "What the model is given", "wir_schreiben");
  await eventually(async () => assert.equal(
    await page.getByLabel("What it learns to write").inputValue(),
    "=kunde_schreibt",
  ));
  await example
    .getByText("Given")
    .locator("xpath=../..")
    .getByText(/^Given/)
    .waitFor();
  await page.waitForFunction(() =>
    /Given\s*prompt\s*Thank you/.test(
      document.querySelector("[role=group] .turn")?.textContent ?? "",
    ),
  );
  await close();
});

test("another shape keeps the columns in the roles that are most alike", async () => {
  const { page, close } = await browser.open("full", {
    at: file("replies.jsonl"),
  });
  await page.getByLabel("What a row is").selectOption("alpaca");
  await eventually(async () => assert.equal(await page.getByLabel("The task").inputValue(), "=question"));
  await eventually(async () => assert.equal(
    await page.getByLabel("What it learns to write").inputValue(),
    "=answer",
  ));
  await page.getByLabel("What a row is").selectOption("messages");
  await page.getByText("A column is still missing.").waitFor();
  await close();
});

test("the split says what it means in rows, where all rows are known", async () => {
  const { page, close } = await browser.open("full", { at: file("small.csv") });
  await page.getByText("Of the 20 rows, if all can be used").waitFor();
  const parts = async () =>
    (await page.locator(".means li").allInnerTexts()).map((text) =>
      text.replace(/\s+/g, " ").trim(),
    );
  await eventually(async () => assert.deepEqual(await parts(), [
    "Training 18 rows",
    "Validation 2 rows",
    "Test 0 rows",
  ]));
  await page.getByLabel("For a test").fill("25");
  await eventually(async () => assert.deepEqual(await parts(), [
    "Training 13 rows",
    "Validation 2 rows",
    "Test 5 rows",
  ]));
  await close();
  const large = await browser.open("full", { at: file("replies.jsonl") });
  await large.page.getByText("Of every 1,000 rows that can be used").waitFor();
  await large.close();
});

test("an import says how far it is, can be cancelled, and then nothing was kept", async () => {
  const { page, close } = await browser.open("full", { at: file("slow.csv") });
  await press(page, "Import");
  const main = page.locator("main");
  await main.getByText(/of 21\.5 MB, \d+ s left/).waitFor();
  await main.getByRole("button", { name: "Cancel" }).click();
  await page.getByText("Cancelled; nothing was kept.").waitFor();
  await page.getByRole("button", { name: "Back" }).click();
  await page
    .getByRole("link", { name: "Data" })
    .or(page.getByRole("button", { name: "Data", exact: true }))
    .first()
    .click();
  await page.getByText("6 in all").waitFor();
  await close();
});

test("an import goes on when its page is left, and says where it went", async () => {
  const { page, close } = await browser.open("full", {
    at: file("replies.jsonl"),
  });
  await press(page, "Import");
  await page.getByRole("button", { name: "Back" }).click();
  await page.getByText("“replies” is imported.").waitFor();
  await press(page, "Show");
  await page.getByRole("heading", { name: "replies", exact: true }).waitFor();
  await page.getByText("7 in all").waitFor();
  await close();
});

test("after an import: what was left out with its lines, and one press to train", async () => {
  const { page, close } = await browser.open("full", {
    at: file("replies.jsonl"),
  });
  await press(page, "Import");
  await page.getByText("replies: 4,815 rows").waitFor();
  await page.getByText("lines 12, 54, 96 and 11 more").waitFor();
  await page.getByText("14 rows have no reply").click();
  await page.getByText("line 498").waitFor();
  await press(page, "Train with this");
  await page.getByRole("heading", { name: /New run/ }).waitFor();
  await close();
});

test("files that were imported before become a new version, unless the person says otherwise", async () => {
  const { page, close } = await browser.open("full", {
    at: file("support-replies.jsonl"),
  });
  await page
    .getByRole("heading", { name: "New version of “Support replies”" })
    .waitFor();
  await press(page, "Import");
  await page.getByText("Support replies, version 3: 4,815 rows").waitFor();
  await press(page, "Look at the rows");
  await eventually(async () => assert.match(
    await page.getByLabel("Version").locator("option").first().innerText(),
    /^Version 3 \(newest\)/,
  ));
  await close();
  const other = await browser.open("full", {
    at: file("support-replies.jsonl"),
  });
  await other.page
    .getByRole("radio", { name: "New data set" })
    .check({ force: true });
  await press(other.page, "Import");
  await other.page.getByText("support-replies: 4,815 rows").waitFor();
  await other.close();
});

for (const [name, says, does] of [
  ["full-disk.csv", "3.1 MB are free", "Free some space, then import again."],
  [
    "useless.csv",
    "Not one of the rows can be used",
    "Check that the columns play the right parts.",
  ],
  ["photo.png", "it looks like a picture", "Known are .jsonl"],
]) {
  test(`${name}: what happened and what to do stand where it happened`, async () => {
    const { page, close } = await browser.open("full", { at: file(name) });
    if (name !== "photo.png") await press(page, "Import");
    const alert = page.locator("main").getByRole("alert");
    await alert.getByText(says).waitFor();
    await alert.getByText(does).waitFor();
    await alert.getByRole("button", { name: "Choose another file…" }).click();
    await page
      .getByRole("heading", { name: "New version of “Support replies”" })
      .waitFor();
    await close();
  });
}

test("shares that leave nothing to train with are refused where they are typed", async () => {
  const { page, close } = await browser.open("full", { at: file("small.csv") });
  await page.getByLabel("For validation").fill("60");
  await page.getByLabel("For a test").fill("40");
  await page.getByText("Nothing would be left to train with").waitFor();
  await eventually(async () => assert.equal(
    await page
      .getByRole("button", { name: "Import", exact: true })
      .isDisabled(),
    true,
  ));
  await page.getByLabel("For a test").fill("20");
  await eventually(async () => assert.equal(
    await page
      .getByRole("button", { name: "Import", exact: true })
      .isDisabled(),
    false,
  ));
  await close();
});

test("pressing Import twice does not cancel it", async () => {
  const { page, close } = await browser.open("full", { at: file("slow.csv") });
  await page.getByRole("button", { name: "Import", exact: true }).dblclick();
  await page
    .locator("main")
    .getByText(/\d+ s left/)
    .waitFor();
  await eventually(async () => assert.equal(await page.getByText("Cancelled; nothing was kept.").count(), 0));
  await close();
});
