// What the window and its page hold in memory while they watch one long run, minute after minute. A pretended worker says
// the steps: at the pace of a real run, or a day's worth of them in less. At the end, how fast each grew once it had
// warmed up, by least squares.
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
/** So long a window still loads, compiles and fills its caches: minutes. */
const WARM = Math.min(10, Number(minutes) / 4);
const LOOK_SECS = 15;

const home = mkdtempSync(join(tmpdir(), "tunesmith-long-"));

/** Megabytes of memory of its own that the process of this window holds whose program's path matches; 0 if there is none. */
function held(pattern) {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (!pattern.test(readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")[0])) continue;
      // Other windows may be open on this machine.
      if (!readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(`TUNESMITH_HOME=${home}`)) continue;
      const sums = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
      return Number(/Private_Dirty:\s+(\d+)/.exec(sums)?.[1] ?? 0) / 1000;
    } catch {
      continue; // it ended meanwhile
    }
  }
  return 0;
}

const sizes = () => ({ window: held(new RegExp(`^${application}$`)), page: held(/WebKitWebProcess$/) });

/** Megabytes an hour, after the warm-up. */
function growth(looks, of) {
  const late = looks.filter(({ minute }) => minute >= WARM);
  const mean = (pick) => late.reduce((sum, look) => sum + pick(look), 0) / late.length;
  const [minute, size] = [mean((look) => look.minute), mean((look) => look[of])];
  const [both, own] = [mean((l) => (l.minute - minute) * (l[of] - size)), mean((l) => (l.minute - minute) ** 2)];
  return `${((60 * both) / own).toFixed(1)} MB an hour`;
}

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
  const looks = [];
  for (;;) {
    const passed = (Date.now() - begun) / 1000;
    const due = Math.min(steps, Math.floor(passed * Number(pace)));
    if (due > said) worker.stdin.write("step\n".repeat(due - said));
    said = due;
    if (passed >= LOOK_SECS * looks.length) {
      const look = { minute: passed / 60, ...sizes() };
      if (look.window === 0 || look.page === 0) throw new Error("The window is gone: did another one of this path end?");
      looks.push(look);
      const time = `${look.minute.toFixed(1).padStart(5)} min  step ${String(said).padStart(6)}`;
      console.log(`${time}  window ${look.window.toFixed(0)} MB, page ${look.page.toFixed(0)} MB`);
    }
    if (said === steps) break;
    await wait(100);
  }
  const last = `step ${steps.toLocaleString("en")}`;
  await window.until(`the page shows ${last}`, () => window.eval("return document.body.innerText.includes(arguments[0])", last));
  console.log(`after ${WARM} minutes: window ${growth(looks, "window")}, page ${growth(looks, "page")}`);
} finally {
  await window.close();
  await display.stop();
  await stop(worker);
  rmSync(home, { recursive: true, force: true });
}
