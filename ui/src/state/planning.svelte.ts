import type { ApiError, Backend, Planned, RunSpec, TaskProgress } from "../backend";
import { asApiError } from "./errors";

/** The form is asked about when it has been left alone for so long. */
const PAUSE_MS = 200;
/** How far planning is, is told when it takes longer than this. */
const PATIENCE_MS = 1000;

/** The plan of a form that changes: asked anew each time, the question before cancelled, the old answer kept meanwhile. */
export class Planning {
  planned = $state.raw<Planned | null>(null);
  /** Why what is asked now has no plan; the answer before stays. */
  trouble = $state.raw<ApiError | null>(null);
  /** An answer is on its way. */
  asking = $state(false);
  /** It takes longer than a moment. */
  slow = $state(false);
  progress = $state.raw<TaskProgress | null>(null);
  /** The person did not want to wait. */
  stopped = $state(false);
  private spec: RunSpec | null = null;
  private asked = "";
  private stop = new AbortController();
  private timers: ReturnType<typeof setTimeout>[] = [];

  constructor(private readonly backend: Backend) {}

  /** There is a plan, and nothing is known against it. */
  get holds(): boolean {
    return this.planned !== null && this.trouble === null && !this.stopped;
  }

  ask(spec: RunSpec): void {
    const question = JSON.stringify(spec);
    if (question === this.asked) return;
    this.asked = question;
    this.spec = spec;
    this.again(this.planned ? PAUSE_MS : 0);
  }

  again(pause = 0): void {
    this.close();
    this.stop = new AbortController();
    this.asking = true;
    this.stopped = false;
    const { signal } = this.stop;
    this.timers = [
      setTimeout(() => void this.answer(signal), pause),
      setTimeout(() => (this.slow = true), pause + PATIENCE_MS),
    ];
  }

  cancel(): void {
    this.close();
    this.stopped = true;
  }

  /** Nobody waits any more. */
  close(): void {
    this.stop.abort();
    this.settle();
  }

  private async answer(signal: AbortSignal): Promise<void> {
    if (!this.spec) return;
    const onProgress = (progress: TaskProgress) => {
      if (!signal.aborted) this.progress = progress;
    };
    try {
      const planned = await this.backend.plan(this.spec, { signal, onProgress });
      if (signal.aborted) return;
      this.planned = planned;
      this.trouble = null;
    } catch (e) {
      if (signal.aborted) return;
      this.trouble = asApiError(e);
    }
    this.settle();
  }

  private settle(): void {
    this.timers.forEach(clearTimeout);
    this.asking = false;
    this.slow = false;
    this.progress = null;
  }
}
