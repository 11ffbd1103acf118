import type { ApiError, DatasetSummary } from "../backend";
import type { App } from "./app.svelte";
import { asApiError } from "./errors";

/** The data sets of this computer, and what can be done with one as a whole. */
export class DataSets {
  /** Newest first; null until they were read once. */
  rows = $state.raw<readonly DatasetSummary[] | null>(null);
  /** Why they cannot be read just now; the rows read before stay. */
  trouble = $state.raw<ApiError | null>(null);
  query = $state("");
  /** While the sample is on its way. */
  fetching = $state(false);
  readonly shown = $derived.by(() => {
    const words = this.query.toLowerCase().split(/\s+/).filter(Boolean);
    return (this.rows ?? []).filter((row) => words.every((word) => row.name.toLowerCase().includes(word)));
  });

  constructor(private readonly app: App) {}

  async read(): Promise<void> {
    try {
      this.rows = await this.app.backend.datasets();
      this.trouble = null;
    } catch (e) {
      this.trouble = asApiError(e);
    }
  }

  /** Brings the sample in, and shows it. */
  async sample(): Promise<void> {
    this.fetching = true;
    await this.app.attempt(async () => {
      const info = await this.app.backend.importSample();
      await this.read();
      this.app.router.go({ view: "data", id: info.id });
    });
    this.fetching = false;
  }

  async rename(id: string, name: string): Promise<void> {
    const before = this.rows;
    this.rows = before?.map((row) => (row.id === id ? { ...row, name } : row)) ?? null;
    try {
      await this.app.backend.renameDataset(id, name);
    } catch (e) {
      this.rows = before;
      this.app.toasts.complain(asApiError(e));
    }
  }

  /** Takes it out of the list; a sentence at the foot of the window brings it back. */
  async remove(id: string, runs: number): Promise<void> {
    await this.app.attempt(async () => {
      const name = this.rows?.find((row) => row.id === id)?.name ?? "the data set";
      await this.app.backend.deleteDataset(id);
      this.rows = this.rows?.filter((row) => row.id !== id) ?? null;
      const place = this.app.router.place;
      if (place.view === "data" && place.id === id) this.app.router.replace({ view: "data" });
      const kept =
        runs === 0
          ? ""
          : runs === 1
            ? " The run that learned from it stays."
            : ` The ${runs} runs that learned from it stay.`;
      this.app.toasts.say(`“${name}” is deleted.${kept}`, { label: "Undo", run: () => void this.bringBack() });
    });
  }

  private async bringBack(): Promise<void> {
    await this.app.attempt(async () => {
      const id = await this.app.backend.undoDeleteDataset();
      await this.read();
      if (id && this.app.router.place.view === "data") this.app.router.replace({ view: "data", id });
    });
  }
}
