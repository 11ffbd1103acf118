import type { ApiError, LengthHistogram, LocalModel, Supervise } from "../backend";
import type { App } from "./app.svelte";
import { asApiError } from "./errors";
import type { Task } from "./tasks.svelte";

/** Examples longer than `context`, of those the data set has; `counted` where each was measured and none is guessed. */
export type Cut = { n: number; of: number; sure: "counted" | "about" };

/** Of a bin that the context divides, a part; of a sample, as many of the whole. */
export function cutBy(lengths: LengthHistogram, context: number): Cut {
  const { bins, width, measured, of } = lengths;
  let longer = 0;
  let guessed = measured < of;
  bins.forEach((n, i) => {
    const [low, high] = [i * width, (i + 1) * width];
    if (low > context) longer += n;
    else if (high - 1 > context && n > 0) {
      // The lengths of this bin that are above: context + 1 … high - 1.
      longer += (n * (high - 1 - context)) / width;
      guessed = true;
    }
  });
  if (lengths.longest <= context) return { n: 0, of, sure: measured < of ? "about" : "counted" };
  const n = measured === 0 ? 0 : Math.max(1, Math.round((longer * of) / measured));
  return { n, of, sure: guessed ? "about" : "counted" };
}

/** How long the examples of a version are in a model's tokens: measured when somebody looks, kept while the set is open. */
export class Measuring {
  /** Null until they were read. */
  models = $state.raw<readonly LocalModel[] | null>(null);
  model = $state<string | null>(null);
  supervise = $state<Supervise>("replies");
  context = $state(1024);
  task = $state.raw<Task | null>(null);
  trouble = $state.raw<ApiError | null>(null);
  private measured = $state.raw<ReadonlyMap<string, LengthHistogram>>(new Map());
  readonly lengths = $derived(this.measured.get(this.key()) ?? null);

  constructor(
    private readonly app: App,
    private readonly id: string,
    private readonly version: string,
  ) {}

  /** Reads which models there are, and measures with the first that can be used. */
  async begin(): Promise<void> {
    if (this.models) return;
    this.trouble = null;
    try {
      const models = await this.app.backend.models();
      this.models = models.filter((model) => model.trouble === null);
      this.model = this.models[0]?.id ?? null;
      await this.measure();
    } catch (e) {
      this.trouble = asApiError(e);
    }
  }

  choose(model: string): void {
    this.model = model;
    void this.measure();
  }

  teach(supervise: Supervise): void {
    this.supervise = supervise;
    void this.measure();
  }

  async measure(): Promise<void> {
    if (this.models === null) return this.begin();
    this.cancel();
    const [model, supervise, key] = [this.model, this.supervise, this.key()];
    this.trouble = null;
    if (model === null || this.measured.has(key)) return;
    let mine: Task | null = null;
    try {
      const lengths = await this.app.tasks.run(
        "Measuring lengths",
        (watched) => this.app.backend.lengths(this.id, this.version, model, supervise, watched),
        (task) => (this.task = mine = task),
      );
      if (lengths) this.measured = new Map([...this.measured, [key, lengths]]);
    } catch (e) {
      if (this.task === mine) this.trouble = asApiError(e);
    } finally {
      if (this.task === mine) this.task = null;
    }
  }

  cancel(): void {
    this.task?.cancel();
    this.task = null;
  }

  private key(): string {
    return JSON.stringify([this.model, this.supervise]);
  }
}
