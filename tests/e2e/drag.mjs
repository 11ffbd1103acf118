// Files dragged onto the window, with the pointer of its display: what the app hears is a true drag of another program.
// Needs python3-gi, gir1.2-gtk-3.0 and xdotool.

import { execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";

import { stop } from "./webdriver.mjs";

/** Toolkits take it for a drag only where the pointer goes in small moves, with time between them. */
const MOVES = 12;
const PAUSE_MS = 30;
const PATIENCE_MS = 30_000;

/** Whose interpreter has the bindings of GTK: the system's, not one of the person's own. */
const PYTHON = process.env.PYTHON ?? "/usr/bin/python3";

export class DragSource {
  /** A handle in the upper left corner of `display` that `files` (absolute paths) are dragged from. */
  static async open(display, files) {
    const env = { ...process.env, DISPLAY: display.name, NO_AT_BRIDGE: "1", GDK_BACKEND: "x11" };
    const program = spawn(PYTHON, [join(import.meta.dirname, "dragsource.py"), ...files], {
      env,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const source = new DragSource(program, env);
    try {
      const [, x, y] = (await source.says("ready")).split(" ").map(Number);
      source.at = { x, y };
      return source;
    } catch (e) {
      await source.close();
      throw e;
    }
  }

  /** All that it said so far. */
  #said = [];
  #gone = null;

  constructor(program, env) {
    Object.assign(this, { program, env });
    createInterface({ input: program.stdout }).on("line", (line) => this.#said.push(line));
    program.once("error", (e) => (this.#gone = e.message));
    program.once("exit", (code) => (this.#gone ??= `ended (${code})`));
  }

  /** Takes hold of the files and carries them over the window, to CSS pixels of its page; they are not let go yet. */
  async carry(window, x, y) {
    const to = await this.#onScreen(window, x, y);
    const from = this.at;
    this.#said = [];
    this.#pointer("mousemove", from.x, from.y);
    await wait(PAUSE_MS);
    this.#pointer("mousedown", 1);
    for (let i = 1; i <= MOVES; i++) {
      await wait(PAUSE_MS);
      const way = (a, b) => Math.round(a + ((b - a) * i) / MOVES);
      this.#pointer("mousemove", way(from.x, to.x), way(from.y, to.y));
    }
    await this.says("begin");
    // The window hears of it at the next move.
    await wait(PAUSE_MS);
    this.#pointer("mousemove", to.x + 1, to.y);
    await wait(PAUSE_MS);
  }

  /** Lets go where they are now; ends once the window has taken them. */
  async letGo() {
    this.#pointer("mouseup", 1);
    await this.says("data-get");
    await this.says("end");
  }

  /** Drags the files onto the window and drops them at CSS pixels of its page. */
  async drop(window, x, y) {
    await this.carry(window, x, y);
    await this.letGo();
  }

  close() {
    return stop(this.program);
  }

  /** Once it has said a line that begins with `word`. */
  async says(word) {
    const end = Date.now() + PATIENCE_MS;
    for (;;) {
      const line = this.#said.find((said) => said.startsWith(word));
      if (line !== undefined) return line;
      if (this.#gone !== null) throw new Error(`the source of the drag ${this.#gone}`);
      if (Date.now() > end) throw new Error(`the source of the drag did not say “${word}”, only: ${this.#said.join(", ")}`);
      await wait(PAUSE_MS);
    }
  }

  #pointer(...words) {
    execFileSync("xdotool", words.map(String), { env: this.env });
  }

  /** Without a window manager the window has no frame, so that its page begins where it does. */
  async #onScreen(window, x, y) {
    const [left, top, scale] = await window.eval("return [screenX, screenY, devicePixelRatio]");
    return { x: Math.round((left + x) * scale), y: Math.round((top + y) * scale) };
  }
}
