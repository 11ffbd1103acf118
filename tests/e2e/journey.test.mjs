// The whole way, as a person goes it, in the real window with the real engine: from the first start to an exported
// adapter of the sample; then with a file of one's own, dropped and mapped; the window killed on the way.
//   APP=<tunesmith-app> node --test tests/e2e/journey.test.mjs

import assert from "node:assert/strict";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { MINUTES, Place, steps } from "./app.mjs";

const place = new Place("journey");

test("from the first start to an exported adapter of the sample: at most eight clicks, and no typing", async (t) => {
  const { window, hand, shoot } = await place.open(t);
  await window.shows("Nothing leaves this computer");
  await shoot("welcome");
  await hand.press("Try it with a sample");
  await window.shows("What the model will see", 5 * MINUTES); // the starter model comes first
  await window.shows("The end token <|im_end|> is taught");
  await shoot("review");
  await hand.press("Start");
  await window.shows("What it said before training", 5 * MINUTES);
  await steps(window, 6);
  await shoot("run");
  // The whole sample takes minutes; what was learned so far is kept, and is as good for what follows.
  await hand.press("Stop and keep");
  await window.shows("Stopped", 5 * MINUTES);
  await shoot("stopped");
  await hand.press("Export");
  await hand.press("Export adapter");
  await window.shows("Read back", 5 * MINUTES);
  await shoot("export");

  assert.ok(hand.clicks <= 8, `${hand.clicks} clicks`);
  assert.equal(hand.typed, 0, "nothing was typed");
  const [exported] = readdirSync(join(place.home, "exports"));
  const files = readdirSync(join(place.home, "exports", exported));
  for (const file of ["adapter_config.json", "adapter_model.safetensors", "tokenizer.json", "README.md"]) {
    assert.ok(files.includes(file), `${file} is in ${files}`);
  }
  const config = JSON.parse(readFileSync(join(place.home, "exports", exported, "adapter_config.json"), "utf8"));
  assert.equal(config.peft_type, "LORA");

  await hand.press("Course");
  await hand.press("Try it", "//main");
  await window.until("the model is ready", () => window.eval("return !!document.querySelector('form textarea')"), 2 * MINUTES);
  await hand.type("form textarea", "Two gulls fought over a fish on the gallery rail.");
  await hand.key("Enter");
  const answered = "[data-testid=reply]:is([data-state=complete], [data-state=limit])";
  await window.until("both have answered", () =>
    window.eval("return document.querySelectorAll(arguments[0]).length === 2", answered), 5 * MINUTES);
  await shoot("try");
});

test("a file of one's own: dropped, a column mapped, read through, trained, paused, resumed", async (t) => {
  const rows = Array.from({ length: 24 }, (_, i) => `${i},Where is parcel ${i}?,Parcel ${i} is on its way. Thank you for asking.`);
  const file = join(place.home, "parcels.csv");
  writeFileSync(file, ["nr,col_a,col_b", ...rows, "24,,"].join("\n"));

  const { window, hand, shoot } = await place.open(t);
  await window.shows("Runs");
  await place.drop(window, [file]);
  await window.shows("parcels.csv");
  await window.shows("What a row is");
  await hand.choose("What a row is", "Prompt and completion");
  await hand.choose("What the model is given", "col_a");
  await hand.choose("What it learns to write", "col_b");
  await window.shows("Parcel 0 is on its way.");
  await shoot("import");
  await hand.press("Import");
  await window.shows("1 row has an empty prompt");
  await hand.press("Train with this");
  await window.shows("What the model will see", 2 * MINUTES);
  await hand.press("Start");
  await window.shows("Pause", MINUTES);
  await steps(window, 1);
  await hand.press("Pause");
  await window.shows("Paused", 5 * MINUTES);
  await hand.press("Resume");
  await window.shows("Training", 2 * MINUTES);
});

test("the window is killed while it trains: opened again, the run is there, live, with nothing lost", async (t) => {
  const first = await place.open(t);
  const step = (window) => window.eval("return Number(/step (\\d+) of/.exec(document.body.innerText)?.[1] ?? 0)");
  await first.window.until("it trains", async () => (await step(first.window)) > 0, 10 * MINUTES);
  const before = await step(first.window);
  first.window.kill();

  const { window, hand, shoot } = await place.open(t);
  await window.until("it is live, and further than before", async () => (await step(window)) > before, 15 * MINUTES);
  await shoot("again");
  await hand.press("Open");
  await hand.press("Stop and keep");
  await window.shows("Stopped", 5 * MINUTES);
});
