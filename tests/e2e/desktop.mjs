// A desktop for the window: a message bus of its own with a tray and a place for notifications on it.
// Needs dbus, python3-gi, libayatana-appindicator3-1 and xdotool.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";

import { Beside } from "./beside.mjs";
import { stop } from "./webdriver.mjs";

export class Desktop {
  /** On `display`, which may show one window of Tunesmith. */
  static async open(display) {
    const bus = spawn("dbus-daemon", ["--session", "--nofork", "--print-address=3"], {
      stdio: ["ignore", "ignore", "inherit", "pipe"],
    });
    const ended = once(bus, "exit").then(([code]) => Promise.reject(new Error(`dbus-daemon ended (${code})`)));
    const [address] = await Promise.race([once(bus.stdio[3], "data"), ended]);
    ended.catch(() => {}); // from here on it may end
    const desktop = new Desktop(display, bus, String(address).trim());
    try {
      await desktop.beside.says('{"ready"');
      return desktop;
    } catch (e) {
      await desktop.close();
      throw e;
    }
  }

  constructor(display, bus, address) {
    this.bus = bus;
    this.env = { DISPLAY: display.name, DBUS_SESSION_BUS_ADDRESS: address };
    this.beside = new Beside("desktop.py", [], this.env);
  }

  /** Once `what` has happened (see `desktop.py`), what it came with; it is forgotten then. */
  async sees(what, patience) {
    const line = await this.beside.says(`{"${what}"`, patience);
    this.beside.said = this.beside.said.filter((said) => said !== line);
    return JSON.parse(line)[what];
  }

  /** Presses the close button of the window's frame. */
  pressClose() {
    this.beside.tell(`close ${this.#windows()[0]}`);
  }

  /** Chooses a line of the icon's menu. */
  choose(line) {
    this.beside.tell(`choose ${line}`);
  }

  /** Whether the window is on the screen. */
  showsWindow() {
    return this.#windows("--onlyvisible").length > 0;
  }

  #windows(...how) {
    try {
      const found = execFileSync("xdotool", ["search", ...how, "--name", "^Tunesmith$"], {
        env: { ...process.env, ...this.env },
        stdio: ["ignore", "pipe", "ignore"],
      });
      return String(found).trim().split("\n");
    } catch (e) {
      if (e.status === 1) return []; // there is none
      throw e;
    }
  }

  async close() {
    await this.beside.close();
    await stop(this.bus);
  }
}
