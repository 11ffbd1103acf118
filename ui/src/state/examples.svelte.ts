import type { ApiError, Backend, LengthHistogram, Seen, Supervise } from "../backend";
import { said } from "../words/data";
import { asApiError } from "./errors";

/** Whose examples, as which model sees them. */
export type Look = {
  data: string;
  version: string;
  model: string;
  supervise: Supervise;
  context: number;
  total: number;
};

/** Examples asked for at a time; fewer where they may be long. */
const BLOCK = 8;
const BLOCK_TOKENS = 16_384;

/** What the model will see, one example at a time, and how long all of them are. The old stays until the new is there. */
export class Examples {
  at = $state(0);
  seen = $state.raw<Seen | null>(null);
  /** What is learned of the example, where that is no part of its text: a label, a number, what is named in it. */
  learned = $state.raw<string | null>(null);
  trouble = $state.raw<ApiError | null>(null);
  /** How long the examples are; null until it is known. */
  lengths = $state.raw<LengthHistogram | null>(null);
  private look: Look | null = null;
  private seenOf = "";
  private lengthsOf = "";
  private blocks = new Map<number, Promise<Seen[]>>();
  private stop = new AbortController();

  constructor(private readonly backend: Backend) {}

  show(look: Look): void {
    const of = JSON.stringify(look);
    if (of === this.seenOf) return;
    if (this.look?.data !== look.data) this.at = 0;
    this.look = look;
    this.seenOf = of;
    this.blocks = new Map();
    void this.read(of);
    void this.measure(look);
  }

  go(to: number): void {
    if (!this.look || to < 0 || to >= this.look.total) return;
    this.at = to;
    void this.read(this.seenOf);
  }

  /** After trouble. */
  again(): void {
    this.trouble = null;
    void this.read(this.seenOf);
  }

  close(): void {
    this.stop.abort();
  }

  private async read(of: string): Promise<void> {
    const at = this.at;
    const still = () => this.seenOf === of && this.at === at;
    try {
      const block = await this.block(Math.floor(at / this.size));
      if (!still()) return;
      this.seen = block[at % this.size] ?? null;
      this.trouble = null;
      const learned = await this.answer(at);
      if (still()) this.learned = learned;
    } catch (e) {
      if (still()) this.trouble = asApiError(e);
    }
  }

  private async answer(at: number): Promise<string | null> {
    const { data, version } = this.look as Look;
    const example = (await this.backend.rows(data, version, "train", at, 1)).examples[0];
    if (!example || !["labelled", "scored", "tagged"].includes(example.kind)) return null;
    return said(example).at(-1)?.text ?? null;
  }

  private get size(): number {
    return Math.max(1, Math.min(BLOCK, Math.floor(BLOCK_TOKENS / (this.look?.context ?? 1))));
  }

  private block(n: number): Promise<Seen[]> {
    const there = this.blocks.get(n);
    if (there) return there;
    const { data, version, model, supervise, context } = this.look as Look;
    const asked = this.backend.see(data, version, model, supervise, context, n * this.size, this.size);
    this.blocks.set(n, asked);
    // What failed is asked again the next time.
    asked.catch(() => this.blocks.delete(n));
    return asked;
  }

  private async measure({ data, version, model, supervise }: Look): Promise<void> {
    const of = [data, version, model, supervise].join("\n");
    if (of === this.lengthsOf) return;
    this.lengthsOf = of;
    this.stop.abort();
    this.stop = new AbortController();
    try {
      const lengths = await this.backend.lengths(data, version, model, supervise, { signal: this.stop.signal });
      if (this.lengthsOf === of) this.lengths = lengths;
    } catch {
      // A caution less: what stands in the way of a run, the plan says.
      if (this.lengthsOf === of) this.lengths = null;
    }
  }
}
