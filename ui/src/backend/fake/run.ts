// One run: opened, followed, steered; its chart. What happens to it is told by the list of runs.
// Scenes of its own: begun (no step yet), failed-<code>, interrupted, warned, endless (100,000 steps, a long name).

import type { ApiError, Backend, EndReason, RunEvent, RunId, RunRow, RunView, SampledAt, SavedAt, Stamped, StepPoint } from "..";
import { recordsOf } from "./exports";
import { drawn } from "./run-chart";
import { checkpoint, DEVICE, History } from "./run-history";
import { type FakeRuns, runsOf } from "./runs";
import { type Piece, refusal, type Scene, wait } from "./scene";

const BATCH_MS = 100;
/** Points of a history that is read, as the store thins it. */
const MOST = 2000;

type Listener = (batch: Stamped[]) => void;

/** A run's events: made up from its row, and going on as the row does. */
class FakeRun {
  readonly history: History;
  story: Stamped[] = [];
  seq = 0;
  step = 0;
  /** Everything since the page was opened, for a follower that comes late. */
  private recent: Stamped[] = [];
  private readonly listeners = new Set<Listener>();
  private pending: Stamped[] = [];

  constructor(public row: RunRow) {
    this.history = new History(row);
    if (row.status === "queued") return;
    const pace = Math.max(500, Math.min(1500, (Date.now() - row.created_ms) / (row.step + 1)));
    const began = row.status === "running" ? Date.now() - row.step * pace : row.created_ms + 2000;
    for (const event of this.history.opening(0)) this.keep(event, began);
    for (let step = 1; step <= row.step; step++) {
      this.seq += 1;
      for (const event of this.history.after(step)) this.keep(event, began + step * pace);
    }
    this.step = row.step;
    for (const event of this.ending(row)) this.keep(event, began + row.step * pace + 3000);
    this.recent = [];
  }

  get kept(): number | null {
    const saved = this.story.findLast(({ event }) => event.kind === "saved")?.event;
    return saved?.kind === "saved" ? saved.step : null;
  }

  /** As the list has it now: says what happened since. */
  follow(row: RunRow): void {
    const before = this.row;
    this.row = row;
    if (before.status !== "running" && row.status === "running") this.begin();
    for (let step = this.step + 1; step <= row.step; step++) {
      this.say(this.history.stepped(step, row.secs_left));
      for (const event of this.history.after(step)) this.say(event);
    }
    this.step = Math.max(this.step, row.step);
    if (before.status !== row.status) for (const event of this.ending(row)) this.say(event);
  }

  listen(fromSeq: number, listener: Listener): () => void {
    const missed = this.recent.filter((stamped) => stamped.seq >= fromSeq && !this.pending.includes(stamped));
    if (missed.length > 0) listener(missed);
    const hear: Listener = (batch) => listener(batch.filter((stamped) => stamped.seq >= fromSeq));
    this.listeners.add(hear);
    return () => this.listeners.delete(hear);
  }

  view(stop_at_ms: number | null): RunView {
    const { row, history, story } = this;
    const stride = Math.ceil(this.step / MOST) || 1;
    const steps = Array.from({ length: Math.floor(this.step / stride) }, (_, i) => this.point((i + 1) * stride));
    const evals = story.flatMap(({ event: e }) => (e.kind === "evaluated" ? [{ step: e.step, loss: e.loss, best: e.best }] : []));
    const saved = story.flatMap(({ event: e }): SavedAt[] => (e.kind === "saved" ? [{ step: e.step, checkpoint: e.checkpoint }] : []));
    const sampled = story.flatMap(({ event: e }): SampledAt[] => (e.kind === "sampled" ? [{ step: e.step, samples: e.samples }] : []));
    const end = story.findLast(({ event }) => event.kind === "ended")?.event;
    const { id, name, model, data } = row;
    return {
      detail: {
        row, plan: history.plan, app_version: "0.1.0", saved, sampled,
        spec: { name, model, data, data_version: null, effort: "standard", device: null, knobs: { learning_rate: 3e-4 } },
        device: story.length === 0 ? null : DEVICE,
        parameters: story.length === 0 ? null : { trainable: 4_884_480, total: 139_399_488 },
        result: row.status !== "running" && end?.kind === "ended" ? end.checkpoint : null,
        warnings: story.flatMap(({ event: e }) => (e.kind === "warned" ? [e.message] : [])),
      },
      series: { steps, evals },
      n_steps: this.step,
      story, next_seq: this.seq, stop_at_ms, exports: recordsOf(id),
      memory: this.step === 0 ? null : history.memory(this.step),
      folder: `/home/ada/.local/share/tunesmith/runs/${id}`,
    };
  }

  warn(message: string): void {
    this.say({ kind: "warned", message });
  }

  private point(step: number): StepPoint {
    const said = this.history.stepped(step, null);
    if (said.kind !== "stepped") throw new Error("a step");
    const { loss, learning_rate, grad_norm, tokens, secs } = said;
    return { step, loss, learning_rate, grad_norm, tokens_per_sec: tokens / secs };
  }

  /** A worker takes it up, at the last checkpoint. */
  private begin(): void {
    const resumed_at = Math.min(this.step, this.kept ?? 0);
    this.story = this.story.filter(({ event }) => !("step" in event) || event.step <= resumed_at);
    this.step = resumed_at;
    for (const event of this.history.opening(resumed_at)) this.say(event);
  }

  private ending(row: RunRow): RunEvent[] {
    const step = this.step;
    const best = this.story
      .flatMap(({ event: e }) => (e.kind === "evaluated" && e.step > 0 ? [e] : []))
      .reduce<{ step: number; loss: number } | null>((low, e) => (low && low.loss <= e.loss ? low : e), null);
    const saved: RunEvent = { kind: "saved", step, checkpoint: checkpoint(step) };
    const ended = (reason: EndReason): RunEvent => ({ kind: "ended", reason, step, checkpoint: checkpoint(best?.step ?? step) });
    switch (row.status) {
      case "paused":
        return [saved, { kind: "paused", step, halt: "asked" }];
      case "stopped":
        return [saved, ended("stopped")];
      case "finished":
        return [ended("done")];
      case "failed":
        return row.error ? [{ kind: "failed", error: row.error, checkpoint: null }] : [];
      default:
        return [];
    }
  }

  private keep(event: RunEvent, at_ms: number): Stamped {
    const stamped = { seq: this.seq++, at_ms, event };
    if (event.kind !== "stepped") this.story.push(stamped);
    return stamped;
  }

  private say(event: RunEvent): void {
    const stamped = this.keep(event, Date.now());
    this.recent = [...this.recent.slice(-500), stamped];
    if (this.pending.length === 0) setTimeout(() => this.deliver(), BATCH_MS);
    this.pending.push(stamped);
  }

  private deliver(): void {
    const batch = this.pending.splice(0);
    for (const listener of this.listeners) listener(batch);
  }
}

const CODES: Record<string, [string, string | null]> = {
  out_of_memory: ["The GPU ran out of memory at step 231.", "Try a shorter context: 1024 instead of 2048."],
  diverged: ["The loss is not a number any more at step 231.", "Start again with half the learning rate. The last checkpoint is kept."],
  device: ["The device gave up: the graphics driver lost it.", "Resume on the processor, or update the graphics driver. The last checkpoint is kept."],
  disk: ["The checkpoint of step 231 could not be written: the disk is full.", "Free some space and resume. The last checkpoint is kept."],
  nothing_to_learn: ["There is nothing to learn: none of the tokens in the training data is taught.", null],
  bad_model: ["The model’s config.json asks for 30 layers; its weights have 12.", "Download the model again, or choose another."],
  bad_data: ["The data set’s file train.jsonl ends in the middle of a row.", "Import the data again and start a new run."],
  internal: ["Training ended by a defect: index 7 is out of range.", "Please report it with the run’s worker.log. The last checkpoint is kept."],
};

const FIRST = "01938a00-0000-7000-8000-000000000001";
/** Those that end a run before its first step. */
const EARLY = ["nothing_to_learn", "bad_model", "bad_data"];

function setTheScene(name: string, list: FakeRuns): void {
  if (!list.rows.some((row) => row.id === FIRST)) return;
  const code = name.replace(/^failed-/, "") as ApiError["code"];
  const said = CODES[code];
  if (name.startsWith("failed-") && said) {
    const none = { step: 0, losses: [], loss: null, best: null, created_ms: Date.now() - 60_000 };
    const error = refusal(code, said[0], said[1]);
    list.change(FIRST, { status: "failed", secs_left: null, error, ...(EARLY.includes(code) ? none : { step: 231 }) });
  }
  if (name === "interrupted") {
    const error = refusal("internal", "The training process is gone: it was killed, or the computer was switched off",
      "All up to step 315 is kept: resume the run to go on from there.");
    list.change(FIRST, { status: "interrupted", secs_left: null, step: 331, error });
  }
  if (name === "begun") list.change(FIRST, { step: 0, losses: [], loss: null, best: null, secs_left: null, created_ms: Date.now() - 9000 });
  if (name === "endless") {
    const long = "Antworten des Kundendienstes, Donaudampfschifffahrtsgesellschaft, ".repeat(4).slice(0, 200);
    list.change(FIRST, { name: long, step: 100_000, of: 120_000, secs_left: 31_000, created_ms: Date.now() - 9e7 });
    setInterval(() => {
      const step = list.row(FIRST).step + 40;
      if (step < 120_000) list.change(FIRST, { step });
    }, BATCH_MS);
  }
}

export function run(scene: Scene): Piece {
  const list = runsOf(scene);
  setTheScene(scene.name, list);
  const open = new Map<RunId, FakeRun>();
  const stops = new Map<RunId, { at_ms: number; timer: ReturnType<typeof setTimeout> }>();

  function find(id: RunId): FakeRun {
    const there = open.get(id) ?? new FakeRun(list.row(id));
    if (!open.has(id) && (scene.name === "warned" || scene.name === "endless")) {
      there.warn("3 train examples were left out: the conversation has two system messages");
    }
    open.set(id, there);
    return there;
  }
  list.watch(({ kind }) => {
    if (kind !== "runs") return;
    for (const row of list.rows) if (open.has(row.id) && open.get(row.id)?.row !== row) open.get(row.id)?.follow(row);
  });

  const piece: Piece = {
    async openRun(id) {
      if (scene.name === "waiting") return new Promise(() => {});
      await wait(20);
      return structuredClone(find(id).view(stops.get(id)?.at_ms ?? null)) as RunView;
    },
    followRun: (id, fromSeq, onEvents) => find(id).listen(fromSeq, onEvents),
    async pauseRun(id) {
      await wait(400);
      list.change(id, { status: "paused", secs_left: null });
    },
    async resumeRun(id) {
      const run = find(id);
      list.change(id, { status: "queued", error: null });
      await wait(300);
      list.change(id, { status: "running", step: Math.min(run.step, run.kept ?? 0), error: null });
      list.train(id);
    },
    async stopRun(id) {
      if (list.row(id).status !== "running" && find(id).kept === null) {
        throw refusal("usage", "The run has no checkpoint yet, so there is nothing to keep.", "Resume it, or delete it.");
      }
      await wait(400);
      list.change(id, { status: "stopped", secs_left: null });
    },
    async stopRunAt(id, at_ms) {
      clearTimeout(stops.get(id)?.timer);
      stops.delete(id);
      if (at_ms === null) return;
      const timer = setTimeout(() => void piece.stopRun?.(id), Math.min(at_ms - Date.now(), 2 ** 31 - 1));
      stops.set(id, { at_ms, timer });
    },
    async duplicateRun(id) {
      const { spec } = find(id).view(null).detail;
      return { ...spec, name: `${spec.name} (copy)` };
    },
    async smallerRun(id) {
      if (scene.query.get("smaller") === "none") return null;
      const { spec } = find(id).view(null).detail;
      return { ...spec, name: `${spec.name} (smaller)`, knobs: { ...spec.knobs, context_length: 256, batch_size: 1 } };
    },
    async drawChart(request) {
      if (scene.name === "trouble") throw refusal("internal", "The chart cannot be drawn.");
      return drawn(request, request.runs.map((id) => ({ name: list.row(id).name, step: list.row(id).step, history: find(id).history })));
    },
    saveChart: async () => "/home/ada/Pictures/loss.svg",
  };
  return piece;
}
