import type { ApiError } from "../backend";
import { asApiError } from "./errors";

/** Something asked of the backend: not there yet, there, or why not. What was there before stays while it is asked again. */
export class Loaded<T> {
  value = $state.raw<T | null>(null);
  trouble = $state.raw<ApiError | null>(null);
  private asked = 0;

  constructor(private readonly ask: () => Promise<T>) {
    void this.again();
  }

  /** Of several answers on their way, the last one asked for counts. */
  async again(): Promise<void> {
    const turn = ++this.asked;
    try {
      const value = await this.ask();
      if (turn === this.asked) this.set(value);
    } catch (e) {
      if (turn === this.asked) this.trouble = asApiError(e);
    }
  }

  set(value: T): void {
    this.value = value;
    this.trouble = null;
  }
}
