// A file of texts and labels on an encoder, in the real window with the real engine: dropped, the task guessed, trained,
// its accuracy watched, tried, reported and exported.
//   TUNESMITH_TEST_CACHE=<folder with all-MiniLM-L6-v2> APP=<tunesmith-app> node --test tests/e2e/labels.test.mjs

import assert from "node:assert/strict";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { encoder, MINUTES, Place } from "./app.mjs";

const place = new Place("labels");

/** What people write to a shop; with each thing, each way makes a row. */
const WAYS = {
  delivery: ["Where is {}?", "{} has not arrived yet.", "When will you bring {}?", "The driver left {} at the wrong door.", "{} is a week late."],
  payment: ["I was charged twice for {}.", "Can I pay for {} by card?", "The bill for {} is wrong.", "Why was my card refused for {}?", "Send me the invoice for {}."],
  returns: ["I want to send {} back.", "{} is broken, I return it.", "How do I exchange {}?", "Take {} back and refund me.", "{} does not fit, where do I return it?"],
  praise: ["I love {}, thank you.", "{} is wonderful.", "What a lovely thing {} is.", "Best shop ever, {} is perfect.", "Everybody at home admires {}."],
};
const THINGS = ["the lamp", "my parcel", "the blue chair", "the kettle", "this coat", "the clock", "my order", "the bicycle", "the book", "the red bowl", "the tent"];

function texts() {
  const rows = Object.entries(WAYS).flatMap(([label, ways]) =>
    ways.flatMap((way) => THINGS.map((thing) => `"${way.replace("{}", thing)}",${label}`)));
  return ["message,topic", ...rows].join("\n");
}

/** Labels and their shares in the order in which they are shown. */
const BARS = `return [...document.querySelectorAll("main ol li")].map((li) => ({
  label: li.querySelector(".label")?.innerText, share: parseFloat(li.querySelector(".numbers")?.innerText) }))`;

test("a file of labels becomes a model that is measured, asked, reported on and exported", async (t) => {
  const file = join(place.home, "messages.csv");
  writeFileSync(file, texts());
  const { window, hand, shoot } = await place.open(t);
  await window.shows("Welcome to Tunesmith");

  await place.drop(window, [encoder()]);
  await window.shows("all-MiniLM-L6-v2 is in the list");
  await window.shows("reads text, to be taught labels");
  await shoot("labels-models");

  await place.drop(window, [file]);
  await window.shows("messages.csv");
  await window.shows("What a row is");
  await shoot("labels-import");
  await hand.press("Import");
  await window.shows("messages: 220 rows");
  await hand.press("Train with this");
  await window.shows("Each text of the data has one label", 2 * MINUTES);
  await shoot("labels-review");
  await hand.press("Change how");
  await hand.pick("Quick");
  await shoot("labels-how");
  await hand.press("Start");

  await window.shows("Its answers", 2 * MINUTES);
  await window.shows("Accuracy", 5 * MINUTES);
  await window.shows("Finished after", 10 * MINUTES);
  const accuracy = Number(/Accuracy\s+([\d.]+)/.exec(await window.eval("return document.body.innerText"))?.[1]);
  assert.ok(accuracy >= 0.75, `accuracy ${accuracy} on what it did not learn from; guessing reaches 0.25`);
  await shoot("labels-run");

  await hand.press("Report");
  await hand.press("Make the report");
  await window.shows("Which label is taken for which", 2 * MINUTES);
  await window.shows("95 % interval");
  const cells = await window.eval("return [...document.querySelectorAll('[aria-label=\"Confusion matrix\"] td[title]')].map((td) => Number(td.innerText))");
  assert.equal(cells.length, 16);
  assert.equal(cells.reduce((sum, n) => sum + n, 0), 22, "each validation example stands in it once");
  await shoot("labels-report");

  await hand.press("Export", "//*[@role='tablist']");
  await hand.press("Export adapter");
  await window.shows("Read back", 2 * MINUTES);
  await window.shows("AutoModelForSequenceClassification.from_pretrained(");
  await window.shows("scores for each label");
  await shoot("labels-export");
  const folder = join(place.home, "exports", readdirSync(join(place.home, "exports"))[0]);
  const read = (name) => JSON.parse(readFileSync(join(folder, name), "utf8"));
  const adapter = read("adapter_config.json");
  assert.equal(adapter.task_type, "SEQ_CLS");
  assert.ok(adapter.modules_to_save.includes("classifier"), `${adapter.modules_to_save}`);
  assert.deepEqual(Object.values(read("config.json").id2label).sort(), ["delivery", "payment", "praise", "returns"]);

  await hand.press("Course");
  await hand.press("Try it", "//main");
  await window.until("it can be asked", () => window.eval("return !!document.querySelector('form textarea')"), 2 * MINUTES);
  await hand.type("form textarea", "I was charged twice, the invoice is wrong.");
  await hand.key("Enter");
  const bars = await window.until("the labels have bars", async () => {
    const bars = await window.eval(BARS);
    return bars.length === 4 && bars;
  }, 2 * MINUTES);
  assert.equal(bars[0].label, "payment");
  const sum = bars.reduce((all, { share }) => all + share, 0);
  assert.ok(Math.abs(sum - 100) < 0.5, `${sum} % in all`);
  await shoot("labels-try");
});
