// A file of words with tags on an encoder, in the real window with the real engine: dropped, the task guessed, trained, what
// it finds scored by entities, and a text of one's own asked.
//   TUNESMITH_TEST_CACHE=<folder with all-MiniLM-L6-v2> APP=<tunesmith-app> node --test tests/e2e/entities.test.mjs

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { encoder, MINUTES, Place } from "./app.mjs";

const place = new Place("entities");

const PEOPLE = ["Anna Berg", "Tom Lee", "Maria Lopez", "Peter Smith", "Olga Novak", "Ahmed Khan", "Laura Rossi", "John Miller", "Eva Maier", "David Brown"];
const PLACES = ["Oslo", "New York", "Paris", "Vienna", "Rome", "Hong Kong", "Cairo", "Lisbon", "San Diego", "Prague"];
const WAYS = [
  "{PER} moved to {LOC} last year .",
  "The train from {LOC} was late again .",
  "Yesterday {PER} wrote a long letter .",
  "It rained in {LOC} , said {PER} .",
  "She met {PER} on the way to {LOC} .",
  "{PER} did not answer the telephone .",
  "The mayor of {LOC} thanked {PER} .",
  "{PER} and her dog live near {LOC} .",
  "Most shops in {LOC} close at noon .",
  "We asked {PER} for the key .",
];

/** Each name goes through each way, one word and its tag a line, as CoNLL's files have it. */
function tagged() {
  const names = { PER: PEOPLE, LOC: PLACES };
  const sentences = PEOPLE.flatMap((_, i) => WAYS.map((way, k) => way.split(" ").flatMap((word) => {
    const kind = /^\{(.+)\}$/.exec(word)?.[1];
    if (kind === undefined) return [`${word} O`];
    return names[kind][(i + k) % 10].split(" ").map((part, n) => `${part} ${n === 0 ? "B" : "I"}-${kind}`);
  })));
  return sentences.map((lines) => lines.join("\n")).join("\n\n") + "\n";
}

test("a file of tagged words becomes a model that finds what is named in a text", async (t) => {
  const file = join(place.home, "names.conll");
  writeFileSync(file, tagged());
  const { window, hand, shoot } = await place.open(t);
  await window.shows("Welcome to Tunesmith");
  await place.drop(window, [encoder()]);
  await window.shows("all-MiniLM-L6-v2 is in the list");

  await place.drop(window, [file]);
  await window.shows("names.conll");
  await shoot("entities-import");
  await hand.press("Import");
  await window.shows("names: 100 rows");
  await hand.press("Train with this");
  await window.shows("Each word of the data has a tag", 2 * MINUTES);
  await shoot("entities-review");
  await hand.press("Start");

  await window.shows("Entity F1", 5 * MINUTES);
  await window.shows("Finished after", 10 * MINUTES);
  const f1 = Number(/Entity F1\s+([\d.]+)/.exec(await window.eval("return document.body.innerText"))?.[1]);
  assert.ok(f1 >= 0.7, `entity F1 ${f1} on sentences that it did not learn from`);
  await shoot("entities-run");

  await hand.press("Try it", "//main");
  await window.until("it can be asked", () => window.eval("return !!document.querySelector('form textarea')"), 2 * MINUTES);
  await hand.type("form textarea", "In the evening Olga Novak came back from Vienna.");
  await hand.key("Enter");
  const marked = await window.until("something is named", async () => {
    const marks = await window.eval("return [...document.querySelectorAll('main mark')].map((m) => m.innerText)");
    return marks.length > 0 && marks;
  }, 2 * MINUTES);
  assert.equal(marked.length, 2, `${marked}`);
  assert.match(marked[0], /^Olga Novak\s*PER/);
  assert.match(marked[1], /^Vienna\s*LOC/);
  await shoot("entities-try");
});
