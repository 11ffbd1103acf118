import type { ApiError, Backend, RunRow, RunsUpdate } from "../backend";
import { asApiError } from "./errors";

/** The runs as they are now: a fold over what the backend tells. */
export class Runs {
  /** Newest first; null until they were read once. */
  rows = $state.raw<readonly RunRow[] | null>(null);
  /** Why they cannot be read just now; the rows read before stay. */
  trouble = $state.raw<ApiError | null>(null);

  async follow(backend: Backend): Promise<void> {
    try {
      await backend.watchRuns((update) => this.apply(update));
    } catch (e) {
      this.trouble = asApiError(e);
    }
  }

  apply(update: RunsUpdate): void {
    switch (update.kind) {
      case "runs":
        this.rows = update.rows;
        this.trouble = null;
        break;
      case "trouble":
        this.trouble = update.error;
        break;
      default:
        update satisfies never;
    }
  }
}
