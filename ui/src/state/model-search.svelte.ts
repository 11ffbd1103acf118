import type { ApiError, Backend, FoundModel } from "../backend";
import { asApiError } from "./errors";

export type Searching =
  | { kind: "none" }
  /** `before`: what the search before found, which stays until there is an answer. */
  | { kind: "asking"; asked: string; before: readonly FoundModel[] }
  | { kind: "found"; asked: string; models: readonly FoundModel[] }
  | { kind: "trouble"; asked: string; error: ApiError };

const PAUSE_MS = 700;
const LEAST = 2;

/** A search on the hub. Nothing is sent before the person typed something and paused, or pressed Enter. */
export class ModelSearch {
  text = $state("");
  now = $state.raw<Searching>({ kind: "none" });
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly backend: Backend,
    /** Told of what was found, as the disk has it now. */
    private readonly onfound: (models: readonly FoundModel[]) => void,
  ) {}

  type(text: string): void {
    this.text = text;
    clearTimeout(this.timer);
    const asked = text.trim();
    if (asked === "") this.now = { kind: "none" };
    else if (asked.length >= LEAST) this.timer = setTimeout(() => void this.ask(), PAUSE_MS);
  }

  clear(): void {
    this.type("");
  }

  /** Asks the hub at once. An answer that is no longer waited for is dropped. */
  async ask(): Promise<void> {
    clearTimeout(this.timer);
    const asked = this.text.trim();
    if (asked === "" || (this.now.kind === "asking" && this.now.asked === asked)) return;
    const before = this.now.kind === "found" ? this.now.models : this.now.kind === "asking" ? this.now.before : [];
    const mine: Searching = { kind: "asking", asked, before };
    this.now = mine;
    let answer: Searching;
    try {
      answer = { kind: "found", asked, models: await this.backend.searchModels(asked) };
    } catch (e) {
      answer = { kind: "trouble", asked, error: asApiError(e) };
    }
    if (this.now !== mine) return;
    if (answer.kind === "found") this.onfound(answer.models);
    this.now = answer;
  }
}
