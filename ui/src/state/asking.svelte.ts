import type { ApiError, Backend, ChatOpened, ChatTarget, Example, Predicted, Voice } from "../backend";
import { answersWithHead } from "../words/task";
import { asApiError } from "./errors";

/** A text, or two that belong together, and what the data says it is. */
export type Question = { text: string; pair: string | null; expected: string | null };

/** Examples offered to ask about. */
const OFFERED = 5;

const questionOf = (example: Example): Question | null => {
  switch (example.kind) {
    case "labelled":
      return { text: example.text, pair: example.pair, expected: example.labels.join(", ") || "none" };
    case "scored":
      return { text: example.text, pair: example.pair, expected: String(example.score) };
    case "tagged":
      return { text: example.words.join(" "), pair: null, expected: null };
    case "text":
    case "completion":
    case "chat":
      return null;
    default:
      return example satisfies never;
  }
};

/** A model with a head that is asked what a text is: one question at a time, by one voice or two. */
export class Asking {
  text = $state("");
  pair = $state("");
  /** That there is a second text. */
  two = $state(false);
  /** What was asked last. */
  asked = $state.raw<Question | null>(null);
  said = $state.raw<Partial<Record<Voice, Predicted>>>({});
  busy = $state(false);
  trouble = $state.raw<ApiError | null>(null);
  offers = $state.raw<readonly Question[]>([]);

  readonly voices: readonly Voice[];
  private attempt = 0;

  constructor(
    private readonly backend: Backend,
    opened: ChatOpened,
    target: ChatTarget,
  ) {
    const all: readonly Voice[] = ["base", "tuned"];
    this.voices = all.filter((voice) => opened[voice]);
    this.two = opened.pairs;
    if (target.kind === "run" && answersWithHead(opened.task.kind)) void this.offer(target.id);
  }

  get ready(): boolean {
    return this.text.trim() !== "" && (!this.two || this.pair.trim() !== "");
  }

  /** Takes an example, and asks about it. */
  take(question: Question): void {
    this.text = question.text;
    this.two = question.pair !== null;
    this.pair = question.pair ?? "";
    void this.ask(question.expected);
  }

  async ask(expected: string | null = null): Promise<void> {
    if (!this.ready) return;
    const attempt = ++this.attempt;
    const question = { text: this.text, pair: this.two ? this.pair : null, expected };
    this.busy = true;
    this.trouble = null;
    try {
      const said: Partial<Record<Voice, Predicted>> = {};
      for (const voice of this.voices) said[voice] = await this.backend.classify(voice, question.text, question.pair);
      if (attempt !== this.attempt) return;
      this.asked = question;
      this.said = said;
    } catch (e) {
      if (attempt === this.attempt) this.trouble = asApiError(e);
    } finally {
      if (attempt === this.attempt) this.busy = false;
    }
  }

  /** Texts of the run's own data that it did not learn from; beside the point, so that it goes without where there are none. */
  private async offer(id: string): Promise<void> {
    try {
      const { spec, plan } = (await this.backend.openRun(id)).detail;
      const { info } = await this.backend.dataset(spec.data, plan.data_version);
      const part = info.counts.test > 0 ? "test" : "validation";
      if (info.counts[part] === 0) return;
      const { examples } = await this.backend.rows(info.id, info.version, part, 0, OFFERED);
      this.offers = examples.flatMap((example) => questionOf(example) ?? []);
    } catch {
      this.offers = [];
    }
  }
}
