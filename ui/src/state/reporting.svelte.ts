import type { ApiError, Report, RunId } from "../backend";
import type { App } from "./app.svelte";
import { asApiError } from "./errors";
import type { Task } from "./tasks.svelte";

/** The report of a run: made when it is asked for, kept while the window is open. */
export class Reporting {
  report = $state.raw<Report | null>(null);
  trouble = $state.raw<ApiError | null>(null);
  task = $state.raw<Task | null>(null);

  constructor(
    private readonly app: App,
    private readonly id: RunId,
  ) {
    this.report = known(app).get(id) ?? null;
  }

  async make(name: string): Promise<void> {
    if (this.task) return;
    this.trouble = null;
    try {
      const made = await this.app.tasks.run(
        `Report on ${name}`,
        (watched) => this.app.backend.reportRun(this.id, watched),
        (task) => (this.task = task),
      );
      if (!made) return; // the person thought better of it
      this.report = made;
      known(this.app).set(this.id, made);
    } catch (e) {
      this.trouble = asApiError(e);
    } finally {
      this.task = null;
    }
  }

  save(): Promise<void> {
    return this.app.attempt(async () => {
      const path = this.report && (await this.app.backend.saveReport(this.report));
      if (path) this.app.toasts.say(`The report is saved as ${path}.`);
    });
  }
}

const made = new WeakMap<object, Map<RunId, Report>>();

function known(app: App): Map<RunId, Report> {
  const there = made.get(app.backend) ?? new Map<RunId, Report>();
  made.set(app.backend, there);
  return there;
}
