// Files dragged onto the window, with the pointer of its display: what the app hears is a true drag of another program.
// Needs python3-gi, gir1.2-gtk-3.0 and xdotool.

import { execFileSync } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";

import { Beside } from "./beside.mjs";

/** Toolkits take it for a drag only where the pointer goes in small moves, with time between them. */
const MOVES = 12;
const PAUSE_MS = 30;

export class DragSource {
  /** A handle in the upper left corner of `display` that `files` (absolute paths) are dragged from. */
  static async open(display, files) {
    const source = new DragSource(display, files);
    try {
      const [, x, y] = (await source.handle.says("ready")).split(" ").map(Number);
      source.at = { x, y };
      return source;
    } catch (e) {
      await source.close();
      throw e;
    }
  }

  constructor(display, files) {
    this.display = display;
    this.handle = new Beside("dragsource.py", files, { DISPLAY: display.name });
  }

  /** Takes hold of the files and carries them over the window, to CSS pixels of its page; they are not let go yet. */
  async carry(window, x, y) {
    const to = await this.#onScreen(window, x, y);
    const from = this.at;
    this.handle.said = [];
    this.#pointer("mousemove", from.x, from.y);
    await wait(PAUSE_MS);
    this.#pointer("mousedown", 1);
    for (let i = 1; i <= MOVES; i++) {
      await wait(PAUSE_MS);
      const way = (a, b) => Math.round(a + ((b - a) * i) / MOVES);
      this.#pointer("mousemove", way(from.x, to.x), way(from.y, to.y));
    }
    await this.handle.says("begin");
    // The window hears of it at the next move.
    await wait(PAUSE_MS);
    this.#pointer("mousemove", to.x + 1, to.y);
    await wait(PAUSE_MS);
  }

  /** Lets go where they are now; ends once the window has taken them. */
  async letGo() {
    this.#pointer("mouseup", 1);
    await this.handle.says("data-get");
    await this.handle.says("end");
  }

  /** Drags the files onto the window and drops them at CSS pixels of its page. */
  async drop(window, x, y) {
    await this.carry(window, x, y);
    await this.letGo();
  }

  close() {
    return this.handle.close();
  }

  #pointer(...words) {
    execFileSync("xdotool", words.map(String), { env: { ...process.env, DISPLAY: this.display.name } });
  }

  /** Without a window manager the window has no frame, so that its page begins where it does. */
  async #onScreen(window, x, y) {
    const [left, top, scale] = await window.eval("return [screenX, screenY, devicePixelRatio]");
    return { x: Math.round((left + x) * scale), y: Math.round((top + y) * scale) };
  }
}
