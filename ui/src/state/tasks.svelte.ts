import type { ApiError, TaskProgress, Watched } from "../backend";
import { asApiError } from "./errors";

/** Something that takes longer than a moment: followed, and cancelled where the person asks. */
export class Task {
  readonly title: string;
  progress = $state.raw<TaskProgress | null>(null);
  private readonly stop = new AbortController();

  constructor(title: string) {
    this.title = title;
  }

  get watched(): Watched {
    return { onProgress: (progress) => (this.progress = progress), signal: this.stop.signal };
  }

  cancel(): void {
    this.stop.abort();
  }
}

/** All that is going on now; the title line tells of the newest. They outlive the view that began them. */
export class Tasks {
  all = $state.raw<readonly Task[]>([]);

  /** Runs `work`, and says how it ended: its value, that it was cancelled (`null`), or an ApiError thrown. */
  async run<T>(title: string, work: (watched: Watched) => Promise<T>, begun?: (task: Task) => void): Promise<T | null> {
    const task = new Task(title);
    this.all = [...this.all, task];
    begun?.(task);
    try {
      return await work(task.watched);
    } catch (e) {
      const error: ApiError = asApiError(e);
      if (error.code === "cancelled") return null;
      throw error;
    } finally {
      this.all = this.all.filter((other) => other !== task);
    }
  }
}
