// Files dragged from another program onto the real window.   APP=<tunesmith-app> node --test tests/e2e/drag.test.mjs

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { Place } from "./app.mjs";
import { DragSource } from "./drag.mjs";

const place = new Place("drag");

test("a drag shows what it can become, and what is dropped is read where it lies", async (t) => {
  // A name as people have them: spaces, a quote, letters beyond ASCII.
  const file = join(place.home, "Olga's Briefe, März.csv");
  writeFileSync(file, "prompt,completion\nWhere is the parcel?,On its way.\nWhen does it come?,Tomorrow.\n");

  const { window, shoot } = await place.open(t);
  await window.shows("Welcome to Tunesmith");
  const source = await DragSource.open(place.display, [file]);
  t.after(() => source.close());

  await source.carry(window, 700, 400);
  await window.shows("Drop to import");
  await shoot("drag");
  await source.letGo();
  await window.shows("Olga's Briefe, März.csv");
  await window.shows("On its way.");
});
