// A virtual display, the web view's driver, the app in it; and as much of W3C WebDriver as the window's tests use.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

import { remove } from "./scratch.mjs";

const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";
const PATIENCE = 60_000;

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** Ends a program that we started, and waits until it is gone. */
export async function stop(program) {
  if (program.exitCode !== null || program.signalCode !== null) return;
  const gone = once(program, "exit");
  program.kill("SIGTERM");
  const hard = setTimeout(() => program.kill("SIGKILL"), 3000);
  await gone;
  clearTimeout(hard);
}

/** An X display of its own; Xvfb picks the number, so that tests side by side do not meet. */
export async function startDisplay(size = "1280x800x24") {
  const xvfb = spawn("Xvfb", ["-displayfd", "3", "-screen", "0", size, "-nolisten", "tcp"], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  const ended = once(xvfb, "exit").then(([code]) => Promise.reject(new Error(`Xvfb ended (${code})`)));
  const [number] = await Promise.race([once(xvfb.stdio[3], "data"), ended]);
  ended.catch(() => {}); // from here on it may end
  return { name: `:${String(number).trim()}`, stop: () => stop(xvfb) };
}

/** Of a process; of one that is gone by now, nothing. */
function commandLine(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}

/** The app, driven. */
export class Session {
  static async open({ application, env = {} }) {
    const port = await freePort();
    const own = mkdtempSync(join(tmpdir(), "tunesmith-window-"));
    const driver = spawn("WebKitWebDriver", [`--port=${port}`, "--host=127.0.0.1"], {
      env: {
        ...process.env,
        TAURI_WEBVIEW_AUTOMATION: "true",
        XDG_DATA_HOME: join(own, "data"),
        XDG_CONFIG_HOME: join(own, "config"),
        XDG_CACHE_HOME: join(own, "cache"),
        // GTK would start a message bus for its accessibility tree.
        NO_AT_BRIDGE: "1",
        // With either at 1, WebKitGTK never answers "take a screenshot", nor anything after it.
        WEBKIT_DISABLE_DMABUF_RENDERER: "0",
        WEBKIT_DISABLE_COMPOSITING_MODE: "0",
        ...env,
      },
      stdio: ["ignore", "inherit", "inherit"],
    });
    const session = new Session(`http://127.0.0.1:${port}`, driver, own);
    try {
      await session.until("the driver answers", () => session.ask("GET", "/status").then(() => true, () => false));
      const wanted = { "webkitgtk:browserOptions": { binary: application, args: [] } };
      session.application = application;
      const opened = await session.ask("POST", "/session", { capabilities: { alwaysMatch: wanted } });
      session.id = opened.sessionId;
      return session;
    } catch (e) {
      await session.close();
      throw e;
    }
  }

  constructor(base, driver, own) {
    Object.assign(this, { base, driver, own });
  }

  async ask(method, path, body) {
    const answer = await fetch(this.base + path, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: { "content-type": "application/json" },
      signal: AbortSignal.timeout(PATIENCE), // an app that ends at once leaves the driver silent for ever
    });
    const { value } = await answer.json();
    if (!answer.ok) throw Object.assign(new Error(`${value?.error}: ${value?.message}`), { kind: value?.error });
    return value;
  }

  send(method, path, body) {
    return this.ask(method, `/session/${this.id}${path}`, body);
  }

  async until(what, look, patience = PATIENCE) {
    const end = Date.now() + patience;
    for (;;) {
      const seen = await look();
      if (seen) return seen;
      if (Date.now() > end) {
        const page = this.id ? await this.eval("return document.body.innerText").catch(() => "") : "";
        throw new Error(`${patience / 1000} s passed, and it is not so that ${what}; the page:\n${page}`);
      }
      await wait(50);
    }
  }

  /** What `script` returns; it is the body of a function. */
  eval(script, ...args) {
    return this.send("POST", "/execute/sync", { script, args });
  }

  /** Once the page shows `text` anywhere. */
  shows(text, patience = PATIENCE) {
    const look = () => this.eval("return document.body.innerText.includes(arguments[0])", text);
    return this.until(`the page shows “${text}”`, look, patience);
  }

  async find(css) {
    return (await this.send("POST", "/element", { using: "css selector", value: css }))[ELEMENT];
  }

  async click(css) {
    await this.send("POST", `/element/${await this.find(css)}/click`, {});
  }

  /** What is painted once the page has had time to paint what it shows. */
  async screenshot(file) {
    const twoFrames = "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 100)))";
    await this.send("POST", "/execute/async", { script: twoFrames, args: [] });
    await writeFile(file, Buffer.from(await this.send("GET", "/screenshot"), "base64"));
  }

  /** Ends the app at once, as the system does when memory runs out; the processes that train are left alone. */
  kill() {
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      const [program, ...words] = commandLine(pid);
      if (program === this.application && !words.includes("worker")) process.kill(Number(pid), "SIGKILL");
    }
    this.id = undefined;
  }

  async close() {
    if (this.id) await this.send("DELETE", "").catch(() => {}); // the app may be gone already
    if (this.application) this.kill(); // or be left behind by the driver, with a window and no page
    await stop(this.driver);
    remove(this.own);
  }
}
