// The list of runs: what is in it, and how it changes. Other pieces of the fake change a run through `runsOf(scene)`.

import type { ApiError, Backend, RunId, RunRow, RunSpec, RunsUpdate } from "..";
import { falling, row, rowsOf } from "./run-rows";
import type { Scene } from "./scene";

const TICK_MS = 100;

const refused = (message: string, hint: string | null = null): ApiError => ({ code: "busy", message, hint });

const TROUBLE: RunsUpdate = {
  kind: "trouble",
  error: {
    code: "disk",
    message: "The list of runs, tunesmith.db, cannot be opened: the disk is full.",
    hint: "Free some space; nothing that was saved is lost.",
  },
};

export class FakeRuns {
  rows: RunRow[];
  private watchers: ((update: RunsUpdate) => void)[] = [];
  private deleted: { at: number; row: RunRow }[] = [];
  private born = 900;

  constructor(scene: string) {
    this.rows = rowsOf(scene);
    if (scene === "live") for (const run of this.rows) this.train(run.id);
  }

  row(id: RunId): RunRow {
    const found = this.rows.find((run) => run.id === id);
    if (!found) throw { code: "not_found", message: "This run is not there any more.", hint: null } satisfies ApiError;
    return found;
  }

  change(id: RunId, change: Partial<RunRow>): void {
    this.rows = this.rows.map((run) => (run.id === id ? { ...run, ...change } : run));
    this.tell();
  }

  /** A new run on top; it trains at once, ten steps a second. */
  start(spec: RunSpec, data: string, of = 30): RunId {
    const run = row(this.born++, spec.name ?? data, "running", 0, { model: spec.model, data, of, secs_left: of / 10 });
    this.rows = [run, ...this.rows];
    this.tell();
    this.train(run.id);
    return run.id;
  }

  /** Steps on while its status says that it trains. */
  train(id: RunId): void {
    const timer = setInterval(() => {
      const run = this.rows.find((one) => one.id === id);
      const of = run?.of ?? 30;
      if (!run || run.status !== "running") return clearInterval(timer);
      const step = run.step + 1;
      const seen = falling(2.9, 1.3, of).slice(0, step);
      const losses = seen.filter((_, i) => i % Math.ceil(seen.length / 60) === 0);
      const now = {
        step,
        losses,
        loss: seen.at(-1) ?? null,
        best: step % 10 === 0 ? (seen.at(-1) ?? 0) + 0.05 : run.best,
      };
      this.change(
        id,
        step < of ? { ...now, secs_left: (of - step) / 10 } : { ...now, status: "finished", secs_left: null },
      );
    }, TICK_MS);
  }

  remove(id: RunId): void {
    const run = this.row(id);
    if (run.status === "running" || run.status === "queued")
      throw refused("The run is still going.", "Pause or stop it first.");
    this.deleted.push({ at: this.rows.indexOf(run), row: run });
    this.rows = this.rows.filter((other) => other !== run);
    this.tell();
  }

  bringBack(): RunId | null {
    const back = this.deleted.pop();
    if (!back) return null;
    this.rows = this.rows.toSpliced(back.at, 0, back.row);
    this.tell();
    return back.row.id;
  }

  watch(watcher: (update: RunsUpdate) => void): void {
    this.watchers.push(watcher);
    watcher({ kind: "runs", rows: this.rows });
  }

  private tell(): void {
    for (const watcher of this.watchers) watcher({ kind: "runs", rows: this.rows });
  }
}

const all = new WeakMap<Scene, FakeRuns>();

/** The runs of a scene: one list for every piece of the fake. */
export function runsOf(scene: Scene): FakeRuns {
  const there = all.get(scene) ?? new FakeRuns(scene.name);
  all.set(scene, there);
  return there;
}

export function runs(scene: Scene): Partial<Backend> {
  const list = runsOf(scene);
  return {
    async watchRuns(onUpdate) {
      if (scene.name === "waiting") return;
      if (scene.name === "trouble") return onUpdate(TROUBLE);
      list.watch(onUpdate);
      if (scene.name === "late-trouble") onUpdate(TROUBLE);
    },
    async pauseRun(id) {
      list.change(id, { status: "paused", secs_left: null });
    },
    async resumeRun(id) {
      list.change(id, { status: "running" });
      list.train(id);
    },
    async stopRun(id) {
      list.change(id, { status: "stopped", secs_left: null });
    },
    async renameRun(id, name) {
      if (name.trim() === "") throw { code: "usage", message: "A run needs a name", hint: null } satisfies ApiError;
      list.change(id, { name: name.trim() });
    },
    deleteRun: async (id) => list.remove(id),
    undoDeleteRun: async () => list.bringBack(),
    async duplicateRun(id) {
      const { name, model, data } = list.row(id);
      return { name: `${name} (copy)`, model, data, data_version: null, effort: "quick", device: null, knobs: {} };
    },
  };
}
