// Runs beside each other: what each came to, and what was asked of them. A fold over what the backend compares.

import type {
  ApiError,
  Backend,
  Comparison,
  EvalPoint,
  Metric,
  RunId,
  RunView,
  Series,
  Stamped,
  StepPoint,
} from "../backend";
import { near, smoothed } from "./curve";
import { asApiError } from "./errors";
import { courses, looksOf } from "./scores";

/** A chart has so many colours that can be told apart. */
export const MOST_RUNS = 8;

/** Steps whose mean is the training loss at the end: one step alone trembles. */
const LAST = 20;

/** What a run came to; null: not known. */
export type Result = {
  best: number | null;
  bestStep: number | null;
  training: number | null;
  steps: number | null;
  tokensPerSec: number | null;
  secs: number | null;
  trainable: number | null;
};

/** What is only in a run's own page. */
type Extra = { secs: number | null; trainable: number | null };

/** What a run says at a step: its validation loss there, or its training loss where nothing was validated. */
export type Said = { step: number; loss: number | null; of: "validation" | "training" };

const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;

function median(values: readonly number[]): number | null {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? null;
}

const lowest = (evals: readonly EvalPoint[]): EvalPoint | null =>
  evals.reduce<EvalPoint | null>((low, look) => (low && low.loss <= look.loss ? low : look), null);

/** Seconds that it worked: from each start to the pause or the end that followed. */
export function worked(story: readonly Stamped[], now: number, running: boolean): number | null {
  let [total, since, last] = [0, null as number | null, 0];
  for (const { event, at_ms } of story) {
    if (event.kind === "started") {
      if (since !== null) total += last - since; // it ended without a word
      since = at_ms;
    } else if (since !== null && (event.kind === "paused" || event.kind === "ended" || event.kind === "failed")) {
      total += at_ms - since;
      since = null;
    }
    last = at_ms;
  }
  if (since !== null) total += (running ? now : last) - since;
  return total > 0 ? total / 1000 : null;
}

/** Which one is the best; null where fewer than two are known, or where it leads by less than a share of `lead`. */
export function bestOf(values: readonly (number | null)[], best: "low" | "high", lead: number): number | null {
  const known = values.filter((value) => value !== null).sort((a, b) => (best === "low" ? a - b : b - a));
  const [first, second] = known;
  if (first === undefined || second === undefined || first === second) return null;
  return Math.abs(first - second) < lead * Math.abs(second) ? null : values.indexOf(first);
}

export class Compare {
  comparison = $state.raw<Comparison | null>(null);
  trouble = $state.raw<ApiError | null>(null);
  private extras = $state.raw<ReadonlyMap<RunId, Extra>>(new Map());

  readonly results: readonly Result[] = $derived(
    (this.comparison?.runs ?? []).map((run, i) => this.result(run.id, this.comparison?.series[i])),
  );
  /** Each metric that any of them has, with the best of each run. */
  readonly metrics: readonly { metric: Metric; values: readonly (number | null)[] }[] = $derived.by(() => {
    const all = (this.comparison?.series ?? []).map(({ evals }) => courses(looksOf(evals)));
    const named = [...new Set(all.flatMap((one) => one.map(({ metric }) => metric)))];
    return named.map((metric) => ({
      metric,
      values: all.map((one) => one.find((course) => course.metric === metric)?.best.value ?? null),
    }));
  });
  /** That their losses were measured on different data. */
  readonly unlike: boolean = $derived(
    (this.comparison?.differences ?? []).some(({ label }) => label === "Data" || label === "Data version"),
  );
  readonly live: boolean = $derived((this.comparison?.runs ?? []).some((run) => run.status === "running"));

  constructor(
    private readonly backend: Backend,
    readonly ids: readonly RunId[],
  ) {}

  async read(): Promise<void> {
    try {
      this.comparison = await this.backend.compareRuns([...this.ids]);
      this.trouble = null;
      await Promise.all(this.comparison.runs.map((run) => this.more(run.id)));
    } catch (e) {
      this.trouble = asApiError(e);
    }
  }

  /** What each run says at a step; one that ended before says nothing. */
  at(step: number, weight: number): Said[] {
    return (this.comparison?.series ?? []).map(({ steps, evals }) => {
      const last = Math.max(steps.at(-1)?.step ?? 0, evals.at(-1)?.step ?? 0);
      const of = evals.length > 0 ? "validation" : "training";
      if (step > last) return { step, loss: null, of };
      const look = near(evals, step);
      return look ? { step: look.step, loss: look.loss, of } : { step, loss: trainingAt(steps, step, weight), of };
    });
  }

  private result(id: RunId, series: Series | undefined): Result {
    const { steps = [], evals = [] } = series ?? {};
    const best = lowest(evals);
    return {
      best: best?.loss ?? null,
      bestStep: best?.step ?? null,
      training: mean(
        steps
          .slice(-LAST)
          .map(({ loss }) => loss)
          .filter(Number.isFinite),
      ),
      steps: steps.at(-1)?.step ?? null,
      tokensPerSec: median(steps.map(({ tokens_per_sec }) => tokens_per_sec)),
      ...(this.extras.get(id) ?? { secs: null, trainable: null }),
    };
  }

  /** The table goes without where a run's own page cannot be read. */
  private async more(id: RunId): Promise<void> {
    const view: RunView | null = await this.backend.openRun(id).catch(() => null);
    if (!view) return;
    const secs = worked(view.story, Date.now(), view.detail.row.status === "running");
    this.extras = new Map([...this.extras, [id, { secs, trainable: view.detail.parameters?.trainable ?? null }]]);
  }
}

function trainingAt(steps: readonly StepPoint[], step: number, weight: number): number | null {
  const upTo = steps.filter((point) => point.step <= step).map(({ loss }) => ({ loss, n: 1 }));
  return smoothed(upTo, weight).at(-1) ?? null;
}
