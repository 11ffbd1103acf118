// Files dragged from another program onto the real window.   APP=<tunesmith-app> node --test tests/e2e/drag.test.mjs

import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { DragSource } from "./drag.mjs";
import { remove } from "./scratch.mjs";
import { Session, startDisplay } from "./webdriver.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const application = process.env.APP ?? join(root, "target/debug/tunesmith-app");
const shots = join(root, "target/shots/window");
mkdirSync(shots, { recursive: true });

test("a drag shows what it can become, and what is dropped is read where it lies", async (t) => {
  const home = mkdtempSync(join(tmpdir(), "tunesmith-drag-"));
  t.after(() => remove(home));
  // A name as people have them: spaces, a quote, letters beyond ASCII.
  const file = join(home, "Olga's Briefe, März.csv");
  writeFileSync(file, "prompt,completion\nWhere is the parcel?,On its way.\nWhen does it come?,Tomorrow.\n");

  const display = await startDisplay();
  t.after(() => display.stop());
  const window = await Session.open({ application, env: { DISPLAY: display.name, TUNESMITH_HOME: home } });
  t.after(() => window.close());
  await window.shows("Welcome to Tunesmith");
  const source = await DragSource.open(display, [file]);
  t.after(() => source.close());

  await source.carry(window, 700, 400);
  await window.shows("Drop to import");
  await window.screenshot(join(shots, "drag.png"));
  await source.letGo();
  await window.shows("Olga's Briefe, März.csv");
  await window.shows("On its way.");
});
