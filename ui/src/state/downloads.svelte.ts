import { SvelteMap } from "svelte/reactivity";

import type { ApiError, ModelState, TaskProgress, Watched } from "../backend";
import { parted, standing, type Standing } from "../words/models";
import type { App } from "./app.svelte";
import { asApiError } from "./errors";

/** A moment of a download, to tell its pace from. */
type Mark = { at: number; done: number };
const PACE_OVER_MS = 4000;

const BUSY: ApiError = {
  code: "busy",
  message: "This model is being downloaded already.",
  hint: "Wait for it; the models’ page shows how far it is.",
};

/** Models on their way: several at once, and whichever view is open. */
export class Downloads {
  /** What is newer than what the disk was last asked: by id, in the order they began. */
  readonly all = new SvelteMap<string, Standing>();
  private readonly stops = new Map<string, AbortController>();

  constructor(
    private readonly app: App,
    /** Reads what is on the disk again. */
    private readonly reread: () => Promise<void>,
    /** What the disk said of it when it was last asked. */
    private readonly known: (id: string) => ModelState | undefined,
  ) {}

  of(id: string, state: ModelState): Standing {
    return this.all.get(id) ?? standing(state);
  }

  /** Begins, or goes on where it stopped. */
  async begin(id: string, name: string = parted(id).name): Promise<void> {
    if (this.stops.has(id)) return;
    try {
      const came = await this.app.tasks.run(`Downloading ${name}`, async (watched) => {
        await this.bring(id, watched);
        return "came";
      });
      if (came !== null) this.tellOf(name, id);
    } catch (e) {
      if (this.app.router.place.view !== "models") this.app.toasts.complain(asApiError(e));
    }
  }

  /** The same as a part of something larger, which is told of it and is cancelled where the download is paused. */
  async bring(id: string, watched: Watched): Promise<void> {
    if (this.stops.has(id)) throw BUSY;
    const stop = new AbortController();
    watched.signal?.addEventListener("abort", () => stop.abort(), { once: true });
    const before = this.of(id, this.known(id) ?? { kind: "absent" });
    let { done, total } = "done" in before ? before : { done: 0, total: null };
    const marks: Mark[] = [];
    this.stops.set(id, stop);
    this.all.set(id, { kind: "coming", progress: null, speed: null });
    const onProgress = (progress: TaskProgress) => {
      watched.onProgress?.(progress);
      if (progress.unit === "bytes") {
        ({ done, total } = progress);
        marks.push({ at: performance.now(), done });
      }
      this.all.set(id, { kind: "coming", progress, speed: pace(marks) });
    };
    try {
      await this.app.backend.downloadModel(id, { onProgress, signal: stop.signal });
      await this.reread();
      this.all.set(id, { kind: "here", bytes: total ?? done });
    } catch (e) {
      const error = asApiError(e);
      this.all.set(
        id,
        error.code === "cancelled" ? { kind: "paused", done, total } : { kind: "failed", error, done, total },
      );
      void this.reread();
      throw error;
    } finally {
      this.stops.delete(id);
    }
  }

  /** Stops it and keeps what came. */
  pause(id: string): void {
    this.stops.get(id)?.abort();
  }

  /** Throws away what came. */
  async discard(id: string): Promise<void> {
    await this.app.attempt(async () => {
      await this.app.backend.discardDownload(id);
      this.all.set(id, { kind: "absent" });
      await this.reread();
    });
  }

  /** The disk was asked about these just now: what it says is newer than what was remembered of those at rest. */
  settle(ids: readonly string[]): void {
    for (const id of ids) {
      const kind = this.all.get(id)?.kind;
      if (kind === "absent" || kind === "paused" || kind === "here") this.all.delete(id);
    }
  }

  /** After it was removed from the disk. */
  gone(id: string): void {
    this.all.set(id, { kind: "absent" });
  }

  /** On the models' page its row says so, and a new run takes it; elsewhere somebody has to. */
  private tellOf(name: string, model: string): void {
    const { router, toasts } = this.app;
    if (router.place.view === "models" || router.place.view === "new") return;
    const run = () => router.go({ view: "new", spec: { model } });
    toasts.say(`${name} is on this computer.`, { label: "Train with it", run });
  }
}

/** Bytes a second over the last seconds; null until a second has passed. */
function pace(marks: Mark[]): number | null {
  const newest = marks.at(-1);
  while (marks.length > 2 && newest && newest.at - (marks[0]?.at ?? 0) > PACE_OVER_MS) marks.shift();
  const oldest = marks[0];
  if (!newest || !oldest || newest.at - oldest.at < 1000) return null;
  return ((newest.done - oldest.done) * 1000) / (newest.at - oldest.at);
}
