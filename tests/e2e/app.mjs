// What journeys through the real window share: a display and a home for a file of tests, the app in them, a hand on it.

import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { fileURLToPath } from "node:url";

import { DragSource } from "./drag.mjs";
import { Hand } from "./hand.mjs";
import { remove } from "./scratch.mjs";
import { Session, startDisplay } from "./webdriver.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const application = process.env.APP ?? join(root, "target/debug/tunesmith-app");
const shots = join(root, "target/shots/window");

/** A run takes minutes on two cores; a machine that is busy with other things takes more. */
export const MINUTES = 60_000;

/** Of a file of tests: one display, and one home that lives as long as they do. */
export class Place {
  /** `name`: what its folder is called. */
  constructor(name) {
    before(async () => {
      mkdirSync(shots, { recursive: true });
      this.home = mkdtempSync(join(tmpdir(), `tunesmith-${name}-`));
      this.display = await startDisplay("1280x800x24");
    });
    after(async () => {
      await this.display.stop();
      remove(this.home);
    });
  }

  /** The app, until the test ends. */
  async open(t) {
    const env = { DISPLAY: this.display.name, TUNESMITH_HOME: this.home };
    const window = await Session.open({ application, env });
    t.after(() => window.close());
    const shoot = (name) => window.screenshot(join(shots, `${name}.png`));
    return { window, hand: new Hand(window), shoot };
  }

  /** Drags files from another program onto the middle of the window. */
  async drop(window, files) {
    const source = await DragSource.open(this.display, files);
    try {
      await source.drop(window, 700, 400);
    } finally {
      await source.close();
    }
  }
}

/** Once the run that is open has taken so many steps. */
export const steps = (window, n) =>
  window.until(`${n} steps are taken`, () =>
    window.eval("return Number(/Step (\\d+) of/.exec(document.body.innerText)?.[1] ?? 0)").then((done) => done >= n), 15 * MINUTES);
