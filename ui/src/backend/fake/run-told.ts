// What a fake run has said and goes on saying, as the list of runs changes it.

import type { EndReason, RunEvent, RunRow, RunView, SampledAt, SavedAt, Stamped, StepPoint } from "..";
import { recordsOf } from "./exports";
import { checkpoint, DEVICE, History } from "./run-history";

const BATCH_MS = 100;
/** Points of a history that is read, as the store thins it. */
const MOST = 2000;

type Listener = (batch: Stamped[]) => void;

/** A run's events: made up from its row, and going on as the row does. */
export class FakeRun {
  readonly history: History;
  story: Stamped[] = [];
  seq = 0;
  step = 0;
  /** Said before a resume went back behind it. */
  private readonly voided = new Set<Stamped>();
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

  /** What still holds of its story. */
  private get holding(): Stamped[] {
    return this.story.filter((stamped) => !this.voided.has(stamped));
  }

  get kept(): number | null {
    const saved = this.holding.findLast(({ event }) => event.kind === "saved")?.event;
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
    const { row, history, story, holding } = this;
    const stride = Math.ceil(this.step / MOST) || 1;
    const steps = Array.from({ length: Math.floor(this.step / stride) }, (_, i) => this.point((i + 1) * stride));
    const evals = holding.flatMap(({ event: e }) =>
      e.kind === "evaluated" ? [{ step: e.step, loss: e.loss, best: e.best, scores: e.scores ?? [] }] : [],
    );
    const saved = holding.flatMap(({ event: e }): SavedAt[] =>
      e.kind === "saved" ? [{ step: e.step, checkpoint: e.checkpoint }] : [],
    );
    const sampled = holding.flatMap(({ event: e }): SampledAt[] =>
      e.kind === "sampled" ? [{ step: e.step, samples: e.samples }] : [],
    );
    const end = story.findLast(({ event }) => event.kind === "ended")?.event;
    const { id, name, model, data } = row;
    return {
      detail: {
        row,
        plan: history.plan,
        app_version: "0.1.0",
        saved,
        sampled,
        spec: {
          name,
          model,
          data,
          data_version: null,
          effort: "standard",
          device: null,
          knobs: { learning_rate: 3e-4 },
        },
        device: story.length === 0 ? null : DEVICE,
        parameters: story.length === 0 ? null : { trainable: 4_884_480, total: 139_399_488 },
        result: row.status !== "running" && end?.kind === "ended" ? end.checkpoint : null,
        warnings: story.flatMap(({ event: e }) => (e.kind === "warned" ? [e.message] : [])),
      },
      series: { steps, evals },
      n_steps: this.step,
      story,
      next_seq: this.seq,
      stop_at_ms,
      exports: recordsOf(id),
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
    for (const stamped of this.story)
      if ("step" in stamped.event && stamped.event.step > resumed_at) this.voided.add(stamped);
    this.step = resumed_at;
    for (const event of this.history.opening(resumed_at)) this.say(event);
  }

  private ending(row: RunRow): RunEvent[] {
    const step = this.step;
    const best = this.holding
      .flatMap(({ event: e }) => (e.kind === "evaluated" && e.step > 0 ? [e] : []))
      .reduce<{ step: number; loss: number } | null>((low, e) => (low && low.loss <= e.loss ? low : e), null);
    const saved: RunEvent = { kind: "saved", step, checkpoint: checkpoint(step) };
    const ended = (reason: EndReason): RunEvent => ({
      kind: "ended",
      reason,
      step,
      checkpoint: checkpoint(best?.step ?? step),
    });
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
