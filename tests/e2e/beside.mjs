// A program that plays a part of the desktop beside the window: a script in Python that says lines and takes lines.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";

import { stop } from "./webdriver.mjs";

const PAUSE_MS = 30;
const PATIENCE_MS = 30_000;

/** Whose interpreter has the bindings of GTK: the system's, not one of the person's own. */
const PYTHON = process.env.PYTHON ?? "/usr/bin/python3";

export class Beside {
  /** All that it said so far. */
  said = [];
  #gone = null;

  /** `script`: its name in this folder; `env`: what it knows beyond what this process does. */
  constructor(script, words, env) {
    this.script = script;
    this.program = spawn(PYTHON, [join(import.meta.dirname, script), ...words], {
      env: { ...process.env, NO_AT_BRIDGE: "1", GDK_BACKEND: "x11", ...env },
      stdio: ["pipe", "pipe", "inherit"],
    });
    createInterface({ input: this.program.stdout }).on("line", (line) => this.said.push(line));
    this.program.once("error", (e) => (this.#gone = e.message));
    this.program.once("exit", (code) => (this.#gone ??= `ended (${code})`));
  }

  /** Once it has said a line that begins with `word`: the line. */
  async says(word, patience = PATIENCE_MS) {
    const end = Date.now() + patience;
    for (;;) {
      const line = this.said.find((said) => said.startsWith(word));
      if (line !== undefined) return line;
      if (this.#gone !== null) throw new Error(`${this.script} ${this.#gone}`);
      if (Date.now() > end) throw new Error(`${this.script} did not say “${word}”, only: ${this.said.join(", ")}`);
      await wait(PAUSE_MS);
    }
  }

  tell(line) {
    this.program.stdin.write(`${line}\n`);
  }

  close() {
    return stop(this.program);
  }
}
