// What journeys through the real window share: a display and a home for a file of tests, the app in them, a hand on it.

import { existsSync, mkdirSync, mkdtempSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { fileURLToPath } from "node:url";

import { DragSource } from "./drag.mjs";
import { Hand } from "./hand.mjs";
import { remove } from "./scratch.mjs";
import { Session, startDisplay } from "./webdriver.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
/** The program under test. */
export const application = process.env.APP ?? join(root, "target/debug/tunesmith-app");
/** Where pictures of it go. */
export const shots = join(root, "target/shots/window");
mkdirSync(shots, { recursive: true });

/** A small model that reads: what is taught to label. */
export function encoder() {
  const folder = join(process.env.TUNESMITH_TEST_CACHE ?? join(homedir(), ".cache/tunesmith-test"), "all-MiniLM-L6-v2");
  if (!existsSync(folder)) throw new Error(`${folder} is not there: cargo xtask setup brings it`);
  return folder;
}

/** A run takes minutes on two cores; a machine that is busy with other things takes more. */
export const MINUTES = 60_000;

/** Of a file of tests: one display, and one home that lives as long as they do. */
export class Place {
  /** `name`: what its folder is called. */
  constructor(name) {
    before(async () => {
      this.home = mkdtempSync(join(tmpdir(), `tunesmith-${name}-`));
      this.display = await startDisplay("1280x800x24");
    });
    after(async () => {
      await this.display.stop();
      remove(this.home);
    });
  }

  /** The app, until the test ends; `more`: of its environment. */
  async open(t, more = {}) {
    const env = { DISPLAY: this.display.name, TUNESMITH_HOME: this.home, ...more };
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
