// The window and the desktop around it: closed while something trains it waits behind an icon, and tells when the run is over.
//   APP=<tunesmith-app> node --test tests/e2e/desktop.test.mjs

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { test } from "node:test";

import { Place, application } from "./app.mjs";
import { Desktop } from "./desktop.mjs";
import { stop } from "./webdriver.mjs";

const place = new Place("desktop");

/** The driver waits for a frame after each click, and a window that hides itself paints none: pressed a moment later. */
async function keepInTheBackground(window) {
  await window.shows("A run is training");
  await window.eval(`
    const found = [...document.querySelectorAll("dialog button")].find((b) => b.innerText.includes("Keep training in the background"));
    setTimeout(() => found.click(), 200);`);
}

/** A run that trains, and the window on a desktop; the worker goes a step further with each line it is given. */
async function training(t) {
  const worker = spawn(join(dirname(application), "examples/pretend-runs"), [place.home], { stdio: ["pipe", "pipe", "inherit"] });
  t.after(() => stop(worker));
  await once(worker.stdout, "data"); // it is ready
  const desktop = await Desktop.open(place.display);
  t.after(() => desktop.close());
  const opened = await place.open(t, desktop.env);
  await opened.window.shows("Training “Support replies”");
  return { ...opened, desktop, worker };
}

test("closed while a run trains: it goes on behind an icon, comes back from it, and tells when it is over", async (t) => {
  const { window, shoot, desktop, worker } = await training(t);
  desktop.pressClose();
  await window.shows("A run is training");
  await shoot("closing");
  await keepInTheBackground(window);
  assert.deepEqual(await desktop.sees("icon"), ["Open Tunesmith", "Pause training and quit", "Quit (training goes on)"]);
  await window.until("the window is hidden", () => !desktop.showsWindow());

  desktop.choose("Open Tunesmith");
  await window.until("the window is back", () => desktop.showsWindow());
  assert.equal(await desktop.sees("icon_gone"), true);

  desktop.pressClose();
  await keepInTheBackground(window);
  await desktop.sees("icon");
  worker.stdin.write("\n\n");
  worker.stdin.end(); // the worker is gone without a word
  const [title, text] = await desktop.sees("notified");
  assert.equal(title, "“Support replies” was interrupted");
  assert.notEqual(text, "");

  desktop.choose("Quit (training goes on)");
  assert.equal(await desktop.sees("icon_gone"), true, "the program has ended");
});
