// One answer of one voice: what came so far, how quick, and how it ended. Nothing that came is lost by a stop.

import type { ApiError, Backend, ChatPrompt, ChatReply, Search, Voice } from "../backend";
import { asApiError } from "./errors";
import { Pace } from "./pace";

export type AnswerState =
  /** Nothing has come yet. */
  | "waiting"
  | "writing"
  /** It came to an end of its own. */
  | "complete"
  /** The longest answer was reached. */
  | "limit"
  /** The person stopped it. */
  | "stopped"
  | "failed";

export class Answer {
  text = $state("");
  state = $state<AnswerState>("waiting");
  /** Tokens a second: of the pieces that come while it is written, of the tokens once it has ended. */
  rate = $state<number | null>(null);
  reply = $state.raw<ChatReply | null>(null);
  error = $state.raw<ApiError | null>(null);
  private readonly halt = new AbortController();

  constructor(
    readonly voice: Voice,
    readonly search: Search,
  ) {}

  get busy(): boolean {
    return this.state === "waiting" || this.state === "writing";
  }

  stop(): void {
    this.halt.abort();
  }

  /** Never fails: how it ended is its state. */
  async write(backend: Backend, prompt: ChatPrompt, max_tokens: number): Promise<void> {
    const pace = new Pace((text) => (this.text += text));
    let pieces = 0;
    let began = 0;
    const hear = (piece: string) => {
      if (this.halt.signal.aborted) return;
      const now = performance.now();
      if (pieces === 0) began = now;
      else if (now - began > 500) this.rate = (1000 * pieces) / (now - began);
      pieces += 1;
      this.state = "writing";
      pace.push(piece);
    };
    this.halt.signal.addEventListener("abort", () => pace.flush());
    try {
      const reply = await backend.reply(this.voice, prompt, this.search, max_tokens, hear, this.halt.signal);
      await pace.empty();
      this.reply = reply;
      this.text = reply.text;
      this.rate = reply.secs > 0 ? reply.n_tokens / reply.secs : null;
      this.state = reply.complete ? "complete" : this.halt.signal.aborted ? "stopped" : "limit";
    } catch (e) {
      pace.flush();
      this.error = asApiError(e);
      this.state = this.error.code === "cancelled" ? "stopped" : "failed";
    }
  }
}
