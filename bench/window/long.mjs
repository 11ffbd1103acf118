// What the window and its page hold in memory while they watch one long run, minute after minute. A pretended worker says
// the steps, so that a day's worth of them passes in less.
//   node bench/window/long.mjs target/release/tunesmith-app [minutes] [steps a second]
// Needs the example pretend-runs beside the program: cargo build --release -p tunesmith-app --example pretend-runs

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

import { Session, startDisplay, stop } from "../../tests/e2e/webdriver.mjs";

const [program, minutes = "20", pace = "25"] = process.argv.slice(2);
if (!program) throw new Error("Which program? node bench/window/long.mjs target/release/tunesmith-app");
const application = resolve(program);
const steps = Math.ceil(60 * Number(minutes) * Number(pace));

/** Megabytes that the processes hold whose program's path matches. */
function held(pattern) {
  const sizes = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map((pid) => {
    try {
      if (!pattern.test(readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")[0])) return 0;
      return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1000;
    } catch {
      return 0; // it ended meanwhile
    }
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}

const home = mkdtempSync(join(tmpdir(), "tunesmith-long-"));
const worker = spawn(join(dirname(application), "examples/pretend-runs"), [home, String(steps)], {
  stdio: ["pipe", "pipe", "inherit"],
});
await once(worker.stdout, "data");
const display = await startDisplay("1280x800x24");
const window = await Session.open({ application, env: { DISPLAY: display.name, TUNESMITH_HOME: home } });
try {
  const open = "const run = [...document.querySelectorAll('a, button, h2, h3')].find((e) => e.innerText.includes('Support replies')); run?.click(); return !!run";
  await window.until("the run is opened", () => window.eval(open));
  const begun = Date.now();
  let said = 0;
  let told = 0;
  for (;;) {
    const passed = (Date.now() - begun) / 1000;
    const due = Math.min(steps, Math.floor(passed * Number(pace)));
    if (due > said) worker.stdin.write("step\n".repeat(due - said));
    said = due;
    if (passed >= 30 * told) {
      told += 1;
      const shown = await window.eval("return /Step ([\\d,]+)/.exec(document.body.innerText)?.[0] ?? 'no step'");
      const [own, page] = [held(new RegExp(`^${application}$`)), held(/WebKitWebProcess/)];
      console.log(`${passed.toFixed(0).padStart(5)} s  ${shown.padEnd(12)} window ${own.toFixed(0)} MB, page ${page.toFixed(0)} MB`);
    }
    if (said === steps) break;
    await wait(100);
  }
  await wait(30_000);
  console.log(`at rest       window ${held(new RegExp(`^${application}$`)).toFixed(0)} MB, page ${held(/WebKitWebProcess/).toFixed(0)} MB`);
} finally {
  await window.close();
  await display.stop();
  await stop(worker);
  rmSync(home, { recursive: true, force: true });
}
