import type {
  ApiError,
  ExportRecord,
  MemoryUse,
  RunDetail,
  RunEvent,
  RunId,
  RunRow,
  RunStatus,
  RunView,
  SampledAt,
  SavedAt,
  SmallerRun,
  Stamped,
  TaskKind,
} from "../backend";
import { kindOf } from "../words/task";
import type { App } from "./app.svelte";
import { add, curve, type Curve, type Point, until } from "./curve";
import { asApiError } from "./errors";
import type { Look } from "./scores";
import { holds, shortened, type Told, told, withLook } from "./story";

export type StepKey = "loss" | "learning_rate" | "grad_norm" | "tokens_per_sec";
export const STEP_KEYS = ["loss", "learning_rate", "grad_norm", "tokens_per_sec"] as const;

/** How the latest step went. */
export type Latest = {
  step: number;
  /** Epochs done; null for a step that was read from the history. */
  epoch: number | null;
  loss: number;
  learning_rate: number;
  grad_norm: number;
  tokens_per_sec: number;
  secs_left: number | null;
  at_ms: number;
};
export type Best = { step: number; loss: number };
/** What the person asked for and the worker has not done yet. */
export type Asked = "nothing" | "pause" | "stop" | "resume";

type Stepped = Extract<RunEvent, { kind: "stepped" }>;
const MOST_SAVED = 200;
const MOST_SCORED = 2000;

/**
 * A run as its page knows it: a fold over its events. It begins with those that the history holds and goes on with
 * those that come, so that a run that is watched and one that is opened later are the same picture.
 */
export class LiveRun {
  /** Null until it was read. */
  detail = $state.raw<RunDetail | null>(null);
  /** Why it cannot be opened. */
  trouble = $state.raw<ApiError | null>(null);
  name = $state("");
  status = $state<RunStatus>("queued");
  /** Why it failed, or was interrupted. */
  error = $state.raw<ApiError | null>(null);
  asked = $state<Asked>("nothing");
  /** What it would need less memory with, once that was asked; null if nothing would help. */
  smaller = $state.raw<SmallerRun | null | undefined>(undefined);
  latest = $state.raw<Latest | null>(null);
  steps = $state.raw<Curve<StepKey>>(curve(STEP_KEYS));
  evals = $state.raw<Curve<"loss">>(curve(["loss"] as const));
  /** How good its answers were at each look; empty looks where it writes. */
  scored = $state.raw<readonly Look[]>([]);
  /** The lowest validation loss, that of the untrained model left out. */
  best = $state.raw<Best | null>(null);
  looks = $state.raw<readonly SampledAt[]>([]);
  story = $state.raw<readonly Told[]>([]);
  saved = $state.raw<readonly SavedAt[]>([]);
  /** The checkpoint that holds what came out. */
  result = $state<string | null>(null);
  memory = $state.raw<MemoryUse | null>(null);
  /** When it stops by itself and keeps the best. */
  stopAt = $state<number | null>(null);
  exports = $state.raw<readonly ExportRecord[]>([]);
  /** Where it lies on the disk, where that is told. */
  folder = $state<string | null>(null);

  /** The event that comes next; those before it are known, however often they are told. */
  private next = 0;

  constructor(
    private readonly app: App,
    readonly id: RunId,
  ) {}

  get step(): number {
    return this.latest?.step ?? 0;
  }

  get of(): number | null {
    return this.detail?.plan.knobs.max_steps.value ?? this.detail?.row.of ?? null;
  }

  /** What it learns to do. */
  get task(): TaskKind {
    return kindOf(this.detail?.plan.task);
  }

  /** The loss before the first step. */
  get before(): number | null {
    const first = this.evals.points[0];
    return first?.step === 0 ? first.loss : null;
  }

  /** The last step from which it can go on. */
  get kept(): number | null {
    return this.saved.at(-1)?.step ?? null;
  }

  /** Reads it and follows it; what is returned ends that. */
  follow(): () => void {
    let ended = false;
    let unwatch = () => {};
    const { backend } = this.app;
    backend.openRun(this.id).then(
      (view) => {
        if (ended) return;
        this.read(view);
        unwatch = backend.followRun(this.id, view.next_seq, (batch) => this.apply(batch));
      },
      (e: unknown) => (this.trouble = asApiError(e)),
    );
    return () => {
      ended = true;
      unwatch();
    };
  }

  read(view: RunView): void {
    const { row } = view.detail;
    this.detail = view.detail;
    this.trouble = null;
    // Events first: they hold what a resume made void, the curves do not.
    this.apply(view.story);
    if (this.evals.points.length === 0) {
      for (const { step, loss, scores = [] } of view.series.evals)
        this.take({ kind: "evaluated", step, loss, tokens: 0, best: false, secs: 0, scores });
    }
    let last = 0;
    const points = view.series.steps.map((point): Point<StepKey> => {
      const n = Math.max(1, point.step - last);
      last = point.step;
      return { ...point, n };
    });
    this.steps = add(this.steps, points);
    const end = view.series.steps.at(-1);
    if (end) this.latest = { ...end, epoch: null, secs_left: row.secs_left, at_ms: Date.now() };
    this.next = view.next_seq;
    // What the history says of now is newer than what its events say.
    this.looks = view.detail.sampled.reduce(withLook, [] as readonly SampledAt[]);
    this.saved = view.detail.saved.slice(-MOST_SAVED);
    this.result = view.detail.result;
    this.stopAt = view.stop_at_ms;
    this.exports = view.exports;
    this.memory = view.memory;
    this.folder = view.folder;
    this.name = row.name;
    this.status = row.status;
    this.error = row.error;
  }

  /** What the list of runs says: its name, and how it stands where no event tells. */
  hear(row: RunRow): void {
    this.name = row.name;
    const over = ["paused", "stopped", "finished", "failed"].includes(this.status);
    // The list may lag behind the events.
    if (row.status === "running" && over) return;
    this.turn(row.status);
    this.error = row.error;
  }

  apply(batch: readonly Stamped[]): void {
    let steps: Point<StepKey>[] = [];
    const said: Told[] = [];
    for (const stamped of batch) {
      const { event } = stamped;
      if (stamped.seq < this.next) continue;
      this.next = stamped.seq + 1;
      if (event.kind === "stepped") {
        steps.push(this.stepped(event, stamped.at_ms));
        continue;
      }
      if (event.kind === "ready") {
        this.steps = add(this.steps, steps);
        steps = [];
        this.story = this.story.concat(said.splice(0));
        this.goBack(event.resumed_at);
      }
      const entry = told(stamped);
      if (entry) said.push(entry);
      this.take(event);
    }
    if (steps.length > 0) this.steps = add(this.steps, steps);
    if (said.length > 0) this.story = shortened(this.story.concat(said));
  }

  exported(record: ExportRecord): void {
    this.exports = [record, ...this.exports.filter((other) => other.path !== record.path)];
  }

  // What the person asks. A refusal is told in passing; the worker's answer comes as an event.
  pause = (): Promise<void> => this.ask("pause", () => this.app.backend.pauseRun(this.id));
  resume = (): Promise<void> => this.ask("resume", () => this.app.backend.resumeRun(this.id));
  stop = (): Promise<void> => this.ask("stop", () => this.app.backend.stopRun(this.id));

  /** Asks what it would need less memory with. What cannot be told helps nobody. */
  async lookForLess(): Promise<void> {
    this.smaller = await this.app.backend.smallerRun(this.id).catch(() => null);
  }

  /** Goes on with that, or says which run starts instead. */
  async withLess(): Promise<RunId | null> {
    let id: RunId | null = null;
    await this.ask("resume", async () => {
      id = await this.app.backend.resumeSmaller(this.id);
      if (id !== this.id) this.asked = "nothing";
    });
    return id;
  }

  stopBy(at_ms: number | null): Promise<void> {
    return this.app.attempt(async () => {
      await this.app.backend.stopRunAt(this.id, at_ms);
      this.stopAt = at_ms;
    });
  }

  /** Says why not, if so. */
  async rename(name: string): Promise<ApiError | null> {
    try {
      await this.app.backend.renameRun(this.id, name.trim());
      this.name = name.trim();
      return null;
    } catch (e) {
      return asApiError(e);
    }
  }

  private async ask(what: Asked, call: () => Promise<void>): Promise<void> {
    this.asked = what;
    try {
      await call();
    } catch (e) {
      this.asked = "nothing";
      this.app.toasts.complain(asApiError(e));
    }
  }

  private turn(status: RunStatus): void {
    if (status !== this.status) this.asked = "nothing";
    // Whatever broke off was asked for with less by now.
    if (status === "running") this.smaller = undefined;
    this.status = status;
  }

  private stepped(event: Stepped, at_ms: number): Point<StepKey> {
    const { step, epoch, loss, learning_rate, grad_norm, secs_left, tokens, secs } = event;
    const tokens_per_sec = secs > 0 ? tokens / secs : NaN;
    this.latest = { step, epoch, loss, learning_rate, grad_norm, tokens_per_sec, secs_left, at_ms };
    if (event.memory) this.memory = event.memory;
    return { step, n: 1, loss, learning_rate, grad_norm, tokens_per_sec };
  }

  /** All that was said of later steps is void. */
  private goBack(step: number): void {
    this.steps = until(this.steps, step);
    this.evals = until(this.evals, step);
    this.looks = this.looks.filter((look) => look.step <= step);
    this.scored = this.scored.filter((look) => look.step <= step);
    this.saved = this.saved.filter((saved) => saved.step <= step);
    this.story = holds(this.story, step);
    this.best = this.story.reduce<Best | null>((best, { event }) => better(best, event), null);
    const last = this.steps.points.at(-1);
    this.latest = last ? { ...last, epoch: null, secs_left: null, at_ms: Date.now() } : null;
  }

  private take(event: Exclude<RunEvent, Stepped>): void {
    switch (event.kind) {
      case "started":
        if (this.detail) this.detail = { ...this.detail, plan: event.plan, device: event.device };
        this.error = null;
        this.result = null;
        return this.turn("running");
      case "ready": {
        const parameters = { trainable: event.trainable_parameters, total: event.total_parameters };
        if (this.detail) this.detail = { ...this.detail, parameters };
        return this.turn("running");
      }
      case "evaluated":
        this.evals = add(this.evals, [{ step: event.step, n: 1, loss: event.loss }]);
        this.scored = [
          ...this.scored.filter((look) => look.step !== event.step),
          { step: event.step, scores: event.scores ?? [] },
        ].slice(-MOST_SCORED);
        this.best = better(this.best, event);
        return;
      case "sampled":
        this.looks = withLook(this.looks, { step: event.step, samples: event.samples });
        return;
      case "saved":
        this.saved = [...this.saved, { step: event.step, checkpoint: event.checkpoint }].slice(-MOST_SAVED);
        return;
      case "warned":
      case "profiled":
        return;
      case "paused":
        return this.turn("paused");
      case "ended":
        this.result = event.checkpoint;
        this.stopAt = null;
        return this.turn(event.reason === "stopped" ? "stopped" : "finished");
      case "failed":
        this.error = event.error;
        return this.turn("failed");
      default:
        event satisfies never;
    }
  }
}

/** The better of what was best and what an event tells; what the untrained model does is no merit of the run. */
function better(best: Best | null, event: { kind: string; step?: number; loss?: number }): Best | null {
  const { kind, step = 0, loss = NaN } = event;
  if (kind !== "evaluated" || step === 0 || !Number.isFinite(loss)) return best;
  return best === null || loss < best.loss ? { step, loss } : best;
}
