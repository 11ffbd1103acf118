// The sample tour: from one button to an exported adapter. It brings data and model, opens the review, and then only
// watches where the person is and what became of the run. It goes on when the window was closed meanwhile.

import type { ApiError, DatasetInfo, RunRow } from "../backend";
import type { TourStep } from "../words/home";
import type { App } from "./app.svelte";
import { asApiError } from "./errors";
import { modelsOf } from "./models.svelte";
import { forget, recalled, remember } from "./remembered";
import type { View } from "./router.svelte";
import type { Task } from "./tasks.svelte";

export const STARTER = "HuggingFaceTB/SmolLM2-135M-Instruct";
const NAME = "Sample: the lighthouse keeper";

const KEY = "sample-tour";
/** What is remembered of a tour: everything else follows from what the app knows. */
type Begun = { data: string; began: number };

function begun(): Begun | null {
  const { data, began } = (recalled(KEY) ?? {}) as Partial<Begun>;
  return typeof data === "string" && typeof began === "number" ? { data, began } : null;
}

export class SampleTour {
  /** Data and model are being brought. */
  preparing = $state(false);
  /** The download, if there is one. */
  task = $state.raw<Task | null>(null);
  /** Why they could not be brought. */
  trouble = $state.raw<ApiError | null>(null);
  /** Where the person cancelled: what has come is kept. */
  cancelled = $state(false);
  private data = $state.raw<DatasetInfo | null>(null);
  private exported = $state(false);
  private began = 0;

  constructor(private readonly app: App) {}

  /** The run that was started from the review: the first since then that learns from the sample. */
  readonly run: RunRow | null = $derived.by(() => {
    const data = this.data;
    if (!data) return null;
    const mine = (row: RunRow) => row.created_ms >= this.began && row.data === data.name;
    return this.app.runs.rows?.findLast(mine) ?? null;
  });

  /** What the strip tells; null when there is no tour. */
  readonly step: TourStep | null = $derived.by(() => {
    if (!this.data) return null;
    const place = this.app.router.place;
    if (!this.run) return { kind: "review", here: place.view === "new" };
    if (this.exported) return { kind: "exported" };
    if (place.view === "try") return { kind: "try" };
    return { kind: "run", status: this.run.status, here: place.view === "run" && place.id === this.run.id };
  });

  /** The first button: brings what is missing, then opens the review. */
  async begin(): Promise<void> {
    if (this.preparing) return;
    this.preparing = true;
    this.cancelled = false;
    this.trouble = null;
    try {
      const data = await this.app.backend.importSample();
      if (await this.bringModel()) await this.ready(data);
      else this.cancelled = true;
    } catch (e) {
      this.trouble = asApiError(e);
    } finally {
      this.preparing = false;
      this.task = null;
    }
  }

  /** False if the person cancelled. */
  private async bringModel(): Promise<boolean> {
    const here = await this.app.backend.models();
    if (here.some((model) => model.id === STARTER && model.trouble === null)) return true;
    const bring = async (watched: Task["watched"]) => {
      await modelsOf(this.app).downloads.bring(STARTER, watched);
      return true;
    };
    return (await this.app.tasks.run("Downloading the starter model", bring, (task) => (this.task = task))) !== null;
  }

  /** Goes on with the tour that was on its way when the window was closed, if its data is still there. */
  async goOn(): Promise<void> {
    const before = begun();
    if (!before) return;
    try {
      const { info } = await this.app.backend.dataset(before.data, null);
      if (this.data) return;
      this.data = info;
      this.began = before.began;
    } catch (e) {
      // Gone, the tour is over; not readable just now, it goes on another time.
      if (asApiError(e).code === "not_found") forget(KEY);
    }
  }

  private async ready(data: DatasetInfo): Promise<void> {
    this.data = data;
    this.exported = false;
    this.began = Date.now();
    remember(KEY, { data: data.id, began: this.began } satisfies Begun);
    const waited: View = this.app.router.place.view;
    await this.app.change({ welcomed: true });
    if (waited === "runs") this.review();
    else this.app.toasts.say("The sample is ready.", { label: "Review it", run: () => this.review() });
  }

  review(): void {
    const data = this.data;
    if (!data) return;
    const spec = { name: NAME, model: STARTER, data: data.id, data_version: data.version, effort: "quick" as const };
    this.app.router.go({ view: "new", spec });
  }

  showRun(): void {
    if (this.run) this.app.router.go({ view: "run", id: this.run.id });
  }

  /** Whether it was exported meanwhile; asked when something ended or the person went somewhere. */
  async look(): Promise<void> {
    const run = this.run;
    if (!run || this.exported || (run.status !== "finished" && run.status !== "stopped")) return;
    try {
      const view = await this.app.backend.openRun(run.id);
      this.exported = view.exports.length > 0;
    } catch {
      // The run's own page says why it cannot be read.
    }
  }

  end(): void {
    forget(KEY);
    this.data = null;
    this.exported = false;
  }
}

const known = new WeakMap<App, SampleTour>();

/** The one of this app: it goes on from view to view. */
export function tourOf(app: App): SampleTour {
  const tour = known.get(app) ?? new SampleTour(app);
  known.set(app, tour);
  return tour;
}
