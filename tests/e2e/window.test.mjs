// The real window on a virtual display: what a worker writes to its run's folder shows up on the page.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";

import { application, shots } from "./app.mjs";
import { remove } from "./scratch.mjs";
import { Session, startDisplay, stop } from "./webdriver.mjs";

const pretendRuns = join(dirname(application), "examples/pretend-runs");

function home(t) {
  const folder = mkdtempSync(join(tmpdir(), "tunesmith-home-"));
  t.after(() => remove(folder));
  return folder;
}

async function open(t, TUNESMITH_HOME) {
  const display = await startDisplay();
  t.after(() => display.stop());
  const window = await Session.open({ application, env: { DISPLAY: display.name, TUNESMITH_HOME } });
  t.after(() => window.close());
  return window;
}

test("a home without runs shows the first step", async (t) => {
  const window = await open(t, home(t));
  await window.shows("Welcome to Tunesmith");
  await window.shows("Try it with a sample");
  await window.shows("Idle");
  await window.screenshot(join(shots, "empty.png"));
});

test("runs are listed, a live one moves, and one whose worker dies is said to be interrupted", async (t) => {
  const folder = home(t);
  const worker = spawn(pretendRuns, [folder], { stdio: ["pipe", "pipe", "inherit"] });
  t.after(() => stop(worker));
  await once(worker.stdout, "data"); // it is ready

  const window = await open(t, folder);
  await window.shows("Release notes in our voice");
  await window.shows("40 steps");
  await window.shows("The GPU ran out of memory at step 2.");
  worker.stdin.write("\n\n\n");
  await window.shows("step 3 of 40");
  await window.shows("Training “Support replies”");
  await window.screenshot(join(shots, "runs.png"));
  worker.stdin.write("\n");
  await window.shows("step 4 of 40");
  const statuses = () => window.eval("return [...document.querySelectorAll('[data-testid=run]')].map((e) => e.dataset.status)");
  assert.deepEqual(await statuses(), ["running", "failed", "finished"], "newest first");

  worker.stdin.end();
  await window.shows("Interrupted");
  await window.shows("Idle");
  assert.deepEqual(await statuses(), ["interrupted", "failed", "finished"]);
});

test("a home that cannot be used is said, with what to do", async (t) => {
  const folder = home(t);
  mkdirSync(join(folder, "tunesmith.db")); // a folder where the database should be
  const window = await open(t, folder);
  await window.shows("The runs cannot be read");
  await window.screenshot(join(shots, "trouble.png"));
});

test("without a display it is one sentence, and the way without a window", () => {
  const { DISPLAY, WAYLAND_DISPLAY, ...env } = process.env;
  try {
    execFileSync(application, { env, stdio: "pipe" });
    assert.fail("it opened a window on nothing");
  } catch (e) {
    assert.equal(e.status, 1);
    assert.equal(String(e.stderr).trim(), "tunesmith-app: there is no display to open a window on; without one, " +
      "everything works in a terminal: start with `tunesmith demo`.");
  }
});
