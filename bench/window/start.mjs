// How long the window takes from the start of its process until it can be used, and what it holds in memory when it
// then does nothing. On a virtual display.
//   node bench/window/start.mjs target/release/tunesmith-app [starts]
// With COLD=1 and root's rights the system's file cache is emptied before each start, as after switching on.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

import { Session, startDisplay } from "../../tests/e2e/webdriver.mjs";

const [program, starts = "5"] = process.argv.slice(2);
if (!program) throw new Error("Which program? node bench/window/start.mjs target/release/tunesmith-app");
const application = resolve(program);

const ticks = Number(execFileSync("getconf", ["CLK_TCK"]));
const booted = () => Date.now() - 1000 * Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);

function processes() {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const [parent, ...rest] = stat.slice(stat.lastIndexOf(")") + 4).split(" ");
      const held = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1000;
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")[0];
      // Field 22 is the start in ticks since boot; the first of `rest` is field 5.
      return [{ pid, parent, command, held, started: booted() + (1000 * Number(rest[17])) / ticks }];
    } catch {
      return []; // it ended meanwhile
    }
  });
}

function emptyFileCache() {
  try {
    execFileSync("sync");
    writeFileSync("/proc/sys/vm/drop_caches", "3");
    return true;
  } catch {
    return false;
  }
}

async function once(display, home) {
  const cold = Boolean(process.env.COLD) && emptyFileCache();
  const window = await Session.open({ application, env: { DISPLAY: display.name, TUNESMITH_HOME: home } });
  try {
    // Shown, and what the person can press does something: the page's own handlers are in place once it has a heading.
    await window.until("the page can be used", () => window.eval("return !!document.querySelector('main h1')"));
    const ready = Date.now();
    // The first of that name: it starts itself again to ask for devices.
    const own = processes().filter((p) => p.command === application).sort((a, b) => a.started - b.started)[0];
    await wait(8000);
    const all = processes();
    const children = all.filter((p) => p.parent === own.pid);
    const held = all.find((p) => p.pid === own.pid).held;
    const page = children.filter((p) => /WebKit/.test(p.command)).reduce((sum, p) => sum + p.held, 0);
    return { cold, secs: (ready - own.started) / 1000, held, page };
  } finally {
    await window.close();
  }
}

const display = await startDisplay("1280x800x24");
const home = mkdtempSync(join(tmpdir(), "tunesmith-start-"));
try {
  for (let i = 0; i < Number(starts); i++) {
    const { cold, secs, held, page } = await once(display, home);
    const how = cold ? "start with nothing cached" : "start";
    console.log(`${how} ${secs.toFixed(2)} s; idle ${held.toFixed(0)} MB, the web view's processes ${page.toFixed(0)} MB more`);
  }
} finally {
  await display.stop();
  rmSync(home, { recursive: true, force: true });
}
