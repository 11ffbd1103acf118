// What the window promises of models that say labels, numbers and entities.   node --test tests/ui/heads.test.mjs

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { eventually, shoot, start, violations } from "./page.mjs";

let browser;
before(async () => (browser = await start()));
after(() => browser?.stop());

const run = (n) => `01938a00-0000-7000-8000-${String(n).padStart(12, "0")}`;
const [TAG, CLASSIFY, SCORE, SEVERAL, WRITE, TRANSFORM] = [1, 2, 3, 4, 5, 6].map(run);
const tried = (id) => ({ view: "try", target: { kind: "run", id } });
const opened = (id) => ({ view: "run", id });

const box = (page) => page.getByRole("textbox", { name: "Text", exact: true });
const tab = (page, name) => page.getByRole("tab", { name, exact: false }).first();

async function ask(page, text) {
  await box(page).fill(text);
  await box(page).press("Enter");
}

/** Opens a data set of the list by its name. */
async function set(page, name) {
  await page.getByRole("button", { name: new RegExp(`^${name}`) }).first().click();
  await page.getByRole("tab", { name: "Rows" }).waitFor();
}

/** Once both voices have ended. */
async function answered(page) {
  await page.waitForFunction(() => document.querySelectorAll("[data-state=complete]").length === 2);
}

async function report(page) {
  await tab(page, "Report").click();
  await page.getByRole("button", { name: "Make the report" }).click();
}

/** Each state of each view, and how it is reached. */
const STATES = {
  "try a label, nothing asked": { at: tried(CLASSIFY), until: (page) => box(page).waitFor() },
  "try a label": {
    at: tried(CLASSIFY),
    async until(page) {
      await ask(page, "There is a burning in my stomach");
      await page.getByText("93.0 %").waitFor();
    },
  },
  "try a label, base beside tuned": {
    at: tried(CLASSIFY),
    query: { base: "head" },
    async until(page) {
      await ask(page, "There is a burning in my stomach");
      await page.getByText("Base, as it was").waitFor();
    },
  },
  "try labels that each hold": {
    at: tried(SEVERAL),
    async until(page) {
      await ask(page, "The parcel came late and I want my money back");
      await page.getByText("What it says").or(page.getByText("Tuned, as the run left it")).first().waitFor();
    },
  },
  "try entities": {
    at: tried(TAG),
    async until(page) {
      await ask(page, "Ada Lovelace wrote to Charles Babbage from London 👩‍👩‍👧‍👦 about Geneva. <b>Not bold</b>");
      await page.getByText("Named in it:").waitFor();
    },
  },
  "try a number": {
    at: tried(SCORE),
    async until(page) {
      await page.getByRole("textbox", { name: "Second text" }).fill("A boat goes out.");
      await ask(page, "A fishing boat left the harbour.");
      await page.getByRole("heading", { name: "Tuned, as the run left it" }).waitFor();
    },
  },
  "try a text that becomes another": {
    at: tried(TRANSFORM),
    async until(page) {
      await page.getByRole("radio", { name: "Beams" }).check();
      await page.getByRole("textbox", { name: "Text to turn into another" }).fill("The harbour was closed for two days.");
      await page.keyboard.press("Enter");
      await answered(page);
    },
  },
  "try, what there is": { at: { view: "try" }, until: (page) => page.getByText("turns text into text").waitFor() },
  "try, busy": {
    at: tried(CLASSIFY),
    query: { answer: "slow" },
    async until(page) {
      await ask(page, "There is a burning in my stomach");
      await page.getByText("Reading the text…").waitFor();
    },
  },
  "try, trouble": {
    at: tried(CLASSIFY),
    async until(page) {
      await ask(page, "break");
      await page.getByText("It could not be asked").waitFor();
    },
  },
  "run that trains": { at: opened(TAG), until: (page) => page.getByText("Entity F1").first().waitFor() },
  "run that transforms": { at: opened(TRANSFORM), until: (page) => page.getByText("ROUGE-L").first().waitFor() },
  "answers of one that transforms": {
    at: opened(TRANSFORM),
    async until(page) {
      await tab(page, "Answers").click();
      await page.getByText("Harbour open again after the storm").first().waitFor();
    },
  },
  "export of a fully tuned one": {
    at: opened(SEVERAL),
    async until(page) {
      await tab(page, "Export").click();
      await page.getByText("There is none: this run trained the model’s own weights.").waitFor();
    },
  },
  "new run, which model": {
    at: { view: "data" },
    async until(page) {
      await set(page, "Names in news");
      await page.getByRole("button", { name: "Train with this" }).click();
      await page.getByText("reads text, to be taught labels").waitFor();
    },
  },
  "report, none yet": {
    at: opened(CLASSIFY),
    async until(page) {
      await tab(page, "Report").click();
      await page.getByRole("button", { name: "Make the report" }).waitFor();
    },
  },
  "report, busy": {
    at: opened(CLASSIFY),
    query: { report: "slow" },
    async until(page) {
      await report(page);
      await page.getByRole("progressbar", { name: /Asking the model/ }).waitFor();
    },
  },
  "report, trouble": {
    at: opened(CLASSIFY),
    query: { report: "none" },
    async until(page) {
      await report(page);
      await page.getByText("There is no report").waitFor();
    },
  },
  report: {
    at: opened(CLASSIFY),
    async until(page) {
      await report(page);
      await page.getByText("Where it errs most").waitFor();
    },
  },
  "report of texts": {
    at: opened(TRANSFORM),
    async until(page) {
      await report(page);
      await page.getByText("Base model").waitFor();
      await page.getByText("How they are computed").click();
    },
  },
  "report of a writer": {
    at: opened(WRITE),
    async until(page) {
      await report(page);
      await page.getByText("What surprises it most").waitFor();
    },
  },
  "data with labels": {
    at: { view: "data" },
    async until(page) {
      await set(page, "Symptom to diagnosis");
      await tab(page, "Labels").click();
      await page.getByText("12 in all").waitFor();
    },
  },
  "data with entities": {
    at: { view: "data" },
    async until(page) {
      await set(page, "Names in news");
      await page.getByText("Named in it").waitFor();
    },
  },
  home: { at: { view: "runs" }, until: (page) => page.getByText("Entity F1").first().waitFor() },
  compare: {
    at: { view: "compare", ids: [CLASSIFY, TAG] },
    until: (page) => page.getByRole("rowheader", { name: /^Accuracy/ }).waitFor(),
  },
};

for (const [name, { at, query = {}, until }] of Object.entries(STATES)) {
  test(`${name}: accessible in light and dark, nothing cut, without errors`, async () => {
    const { page, errors, close } = await browser.open("heads", { at, query });
    await until(page);
    for (const [width, height] of [[1024, 700], [1920, 1080], [1280, 800]]) {
      await page.setViewportSize({ width, height });
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(over <= 0, `${name} is ${over} px too wide at ${width}`);
      if (width > 1024) await shoot(page, `heads-${name.replaceAll(/\W+/g, "-")}-${width}`);
    }
    assert.deepEqual(await violations(page), []);
    await page.emulateMedia({ colorScheme: "dark" });
    assert.deepEqual(await violations(page), []);
    await shoot(page, `heads-${name.replaceAll(/\W+/g, "-")}-dark`);
    assert.deepEqual(errors, []);
    await close();
  });
}

test("a run that labels has metrics and no answers; one that writes has answers; each has a report of its own", async () => {
  const { page, close } = await browser.open("heads", { at: opened(CLASSIFY) });
  await tab(page, "Report").waitFor();
  const names = () => page.getByRole("tab").allInnerTexts();
  assert.deepEqual(await names(), ["Course", "Report", "Log", "Plan", "Export"]);
  await page.getByText("Macro F1").waitFor();
  assert.equal(await page.getByText("What it says at step").count(), 0);
  await close();
  const other = await browser.open("heads", { at: opened(WRITE) });
  await tab(other.page, "Answers").waitFor();
  assert.equal(await other.page.getByText("Macro F1").count(), 0);
  await report(other.page);
  await other.page.getByText("What surprises it most").waitFor();
  assert.equal(await other.page.getByRole("rowheader", { name: "Perplexity" }).count(), 1);
  assert.equal(await other.page.getByRole("rowheader").count(), 1);
  await other.close();
  const both = await browser.open("heads", { at: opened(TRANSFORM) });
  await tab(both.page, "Answers").waitFor();
  await report(both.page);
  await both.page.getByText("Test part of Reports and headlines: 100 of 212 examples. Mean loss 1.62, before training 3.41.").waitFor();
  assert.equal(await both.page.getByText("By label").count(), 0);
  await both.page.getByText(/^BLEU\|nrefs:1/).waitFor({ state: "attached" });
  await both.close();
});

test("an example of the data that was set aside is asked by one click, and what the data says stands beside it", async () => {
  const { page, close } = await browser.open("heads", { at: tried(CLASSIFY) });
  await page.getByText("From data it did not learn from").waitFor();
  await page.getByRole("button", { name: /burning in my stomach/ }).first().click();
  await page.getByText("In the data:").waitFor();
  assert.match(await page.getByText("In the data:").innerText(), /In the data: peptic ulcer disease/);
  await close();
});

test("who learned from pairs is asked about two texts, and the examples show both", async () => {
  const { page, close } = await browser.open("heads", { at: tried(SCORE) });
  await page.getByRole("textbox", { name: "Second text" }).waitFor();
  assert.ok(await page.getByRole("switch", { name: "Two texts that belong together" }).isChecked());
  const first = page.getByRole("list", { name: "From data it did not learn from" }).getByRole("button").first();
  const [text, pair] = (await first.innerText()).split("\n").filter(Boolean);
  await first.click();
  await page.getByRole("heading", { name: "Tuned, as the run left it" }).waitFor();
  assert.equal(await box(page).inputValue(), text);
  assert.equal(await page.getByRole("textbox", { name: "Second text" }).inputValue(), pair);
  await close();
  const other = await browser.open("heads", { at: tried(CLASSIFY) });
  await box(other.page).waitFor();
  assert.ok(!(await other.page.getByRole("switch", { name: "Two texts that belong together" }).isChecked()));
  await other.close();
});

test("beams have dials of their own, and what they find comes whole", async () => {
  const { page, errors, close } = await browser.open("heads", { at: tried(TRANSFORM) });
  const dial = (term) => page.getByRole("spinbutton", { name: new RegExp(term) });
  await page.getByText("This model turns one text into another").waitFor();
  assert.ok(await page.getByRole("radio", { name: "Greedy" }).isChecked(), "as it was looked at while it learned");
  assert.equal(await page.getByRole("textbox", { name: /Instructions/ }).count(), 0);
  assert.equal(await dial("num beams").count(), 0);
  await page.getByRole("radio", { name: "Beams" }).check();
  assert.equal(await dial("temperature").count(), 0, "what has no say is not shown");
  assert.equal(await page.getByRole("radio", { name: "Greedy" }).count(), 0);
  assert.equal(await dial("num beams").inputValue(), "4");
  await dial("num beams").fill("1");
  await page.getByText("A number from 2 to 16; the value before is kept.").waitFor();
  await dial("num beams").fill("6");
  await dial("length penalty").fill("-0.5");
  await page.getByRole("textbox", { name: "Text to turn into another" }).fill("The harbour was closed for two days.");
  await page.keyboard.press("Enter");
  await page.getByText("Searching").first().waitFor();
  assert.equal(await page.locator("[data-state=writing]").count(), 0);
  await answered(page);
  assert.equal(await page.getByRole("button", { name: /Go on from here/ }).count(), 0, "each text is for itself");
  assert.deepEqual(errors, []);
  await close();
});

for (const [name, id, lines] of [
  ["labels", CLASSIFY, ["import AutoConfig, AutoModelForSequenceClassification", "config=AutoConfig.from_pretrained(folder)"]],
  ["entities", TAG, ["import AutoConfig, AutoModelForTokenClassification", "config=AutoConfig.from_pretrained(folder)"]],
  ["another text", TRANSFORM, ["import AutoModelForSeq2SeqLM", 'from_pretrained("google/flan-t5-small")']],
]) {
  test(`how an export of what says ${name} is loaded is said for adapter and whole model`, async () => {
    const { page, close } = await browser.open("heads", { at: opened(id) });
    await tab(page, "Export").click();
    await page.getByRole("button", { name: "Export adapter" }).click();
    const code = page.getByRole("region", { name: "The export" }).locator("pre");
    for (const line of lines) await code.getByText(line).waitFor();
    await code.getByText("PeftModel.from_pretrained(base, folder)").waitFor();
    await page.getByRole("radio", { name: "Whole model" }).check();
    await page.getByRole("button", { name: "Export whole model, bf16" }).click();
    await code.getByText(`${lines[0].split(/[ ,]+/).at(-1)}.from_pretrained(folder, dtype="auto")`).waitFor();
    assert.equal(await code.getByText("peft").count(), 0);
    await close();
  });
}

test("what trained the model's own weights is exported whole, and says why there is no adapter", async () => {
  const { page, close } = await browser.open("heads", { at: opened(SEVERAL) });
  await tab(page, "Export").click();
  assert.ok(await page.getByRole("radio", { name: "Adapter" }).isDisabled());
  assert.ok(await page.getByRole("radio", { name: "Whole model" }).isChecked());
  await page.getByText("About 279 MB").waitFor();
  await page.getByRole("button", { name: "Export whole model, bf16" }).click();
  await page.getByText(/scores for each label: what was written/).waitFor();
  await close();
});

test("a kind of entity has one colour, whatever else a text names", async () => {
  const { page, close } = await browser.open("heads", { at: { view: "data" } });
  await set(page, "Names in news");
  const tones = () => page.locator("mark").evaluateAll((marks) =>
    Object.fromEntries(marks.map((mark) => [mark.querySelector("small").textContent, mark.style.getPropertyValue("--tone")])));
  await page.locator("mark").first().waitFor();
  const first = await tones();
  await page.getByTestId("row").filter({ hasText: "United Nations" }).first().click();
  await page.locator("mark").filter({ hasText: "ORG" }).waitFor();
  const second = await tones();
  assert.equal(first.LOC, second.LOC);
  assert.equal(new Set([first.PER, second.LOC, second.ORG]).size, 3);
  await close();
});

test("the places of entities count characters, also behind a family of four", async () => {
  const { page, close } = await browser.open("heads", { at: tried(TAG) });
  await ask(page, "👩‍👩‍👧‍👦 Ada Lovelace in London");
  await page.getByText("Named in it:").waitFor();
  assert.deepEqual(
    await page.locator("mark").evaluateAll((marks) => marks.map((mark) => mark.firstChild?.textContent)),
    ["Ada Lovelace", "London"],
  );
  await close();
});

test("the report is saved as a page, and is there again when the tab is opened again", async () => {
  const { page, close } = await browser.open("heads", { at: opened(CLASSIFY) });
  await report(page);
  await page.getByRole("button", { name: "Save as HTML…" }).click();
  await page.getByText("The report is saved as /home/ada/Documents/report.html.").waitFor();
  await tab(page, "Course").click();
  await tab(page, "Report").click();
  await page.getByText("Where it errs most").waitFor();
  await close();
});

test("a new run says what it learns to do and why, offers what else is possible, and hides knobs without meaning", async () => {
  const { page, close } = await browser.open("heads", { at: { view: "data" } });
  await set(page, "Symptom to diagnosis");
  await page.getByRole("button", { name: "Train with this" }).click();
  await page.getByRole("main").getByText(/SmolLM2.135M/).first().click();
  const choice = page.getByRole("combobox", { name: /What it learns to do/ });
  await choice.waitFor();
  await page.getByText("Each text of the data has one label.").waitFor();
  await page.getByText("Every knob").click();
  await page.getByText("Learning rate").first().waitFor();
  assert.equal(await page.getByText("Packing").count(), 0);
  await shoot(page, "heads-new-how");
  await choice.selectOption({ label: "Give each text any number of labels" });
  await eventually(async () => assert.equal(await page.getByText("You set it.").count(), 1));
  await page.getByRole("button", { name: "Review" }).last().click();
  await page.getByText("It learns to say:").waitFor();
  assert.equal(await page.getByRole("radiogroup", { name: "What is taught" }).count(), 0);
  await shoot(page, "heads-new-review");
  assert.deepEqual(await violations(page), []);
  await close();
});
