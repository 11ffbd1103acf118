import type { ApiError, DiskUse, LocalModel, ModelOffer, ModelState, TokenState } from "../backend";
import { bytes } from "../words";
import { hubOf, type Standing } from "../words/models";
import type { App } from "./app.svelte";
import { Downloads } from "./downloads.svelte";
import { asApiError } from "./errors";
import { ModelSearch } from "./model-search.svelte";

/** What could not be done with which model or path, told where it stands. */
export type Refused = { what: string; title: string; error: ApiError };

/** The models: those here, those worth having, those found and those on their way. Outlives its view. */
export class Models {
  /** Null until they were read once. */
  here = $state.raw<readonly LocalModel[] | null>(null);
  offers = $state.raw<readonly ModelOffer[] | null>(null);
  /** Why they cannot be read just now; what was read before stays. */
  trouble = $state.raw<ApiError | null>(null);
  disk = $state.raw<DiskUse | null>(null);
  token = $state.raw<TokenState | null>(null);
  /** A path that is being looked at before it is added. */
  adding = $state<string | null>(null);
  refused = $state.raw<Refused | null>(null);
  /** The one that was last added, to be brought into sight. */
  added = $state<string | null>(null);
  /** The path that was last to be added. */
  asked = $state<string | null>(null);
  readonly downloads: Downloads;
  readonly search: ModelSearch;

  constructor(private readonly app: App) {
    this.downloads = new Downloads(
      app,
      () => this.read(),
      (id) => this.stateOf(id),
    );
    this.search = new ModelSearch(app.backend, (found) => this.downloads.settle(found.map((model) => model.id)));
  }

  /** The first that is recommended: small, and known to work everywhere. */
  get starter(): ModelOffer | null {
    return this.recommended[0] ?? null;
  }

  /** Nothing is here, nor on its way beside what is recommended. */
  get isEmpty(): boolean {
    return this.here?.length === 0 && this.strays.length === 0;
  }

  /** Where models come from. */
  get hub(): string {
    return hubOf(this.app.settings?.hf_endpoint ?? null);
  }

  /** The same as people say it: `huggingface.co`. */
  get host(): string {
    return this.hub.replace(/^https?:\/\//, "");
  }

  /** Those worth starting from. */
  get recommended(): readonly ModelOffer[] {
    return this.offers?.filter(({ entry }) => entry.good_for !== "") ?? [];
  }

  /** Unfinished ones that a search found: nothing recommends them. */
  get strays(): readonly [string, Standing][] {
    const unfinished = ["coming", "paused", "failed"];
    const begun = this.offers?.filter(({ entry }) => entry.good_for === "") ?? [];
    const before = begun.map(({ entry, state }) => [entry.id, this.downloads.of(entry.id, state)] as const);
    const all = new Map([...before, ...this.downloads.all]);
    for (const { entry } of this.recommended) all.delete(entry.id);
    return [...all].filter(([, standing]) => unfinished.includes(standing.kind));
  }

  private stateOf(id: string): ModelState | undefined {
    const { now } = this.search;
    const found = now.kind === "found" ? now.models.find((model) => model.id === id) : undefined;
    return this.offers?.find(({ entry }) => entry.id === id)?.state ?? found?.state;
  }

  async read(): Promise<void> {
    const { backend } = this.app;
    const beside = Promise.allSettled([backend.diskUse(), backend.tokenState()]);
    try {
      [this.here, this.offers] = await Promise.all([backend.models(), backend.catalogue()]);
      this.downloads.settle(this.offers.map((offer) => offer.entry.id));
      this.trouble = null;
    } catch (e) {
      this.trouble = asApiError(e);
    }
    const [disk, token] = await beside;
    if (disk.status === "fulfilled") this.disk = disk.value;
    if (token.status === "fulfilled") this.token = token.value;
  }

  /** A folder or file of the person's own, chosen or dropped. It stays where it lies. */
  async add(path: string): Promise<void> {
    this.adding = this.asked = path;
    this.refused = null;
    try {
      const model = await this.app.backend.addModel(path);
      await this.read();
      this.added = model.id;
      this.app.toasts.say(`${model.name} is in the list; its files stay where they are.`);
    } catch (e) {
      this.refused = { what: path, title: "This could not be added", error: asApiError(e) };
    } finally {
      this.adding = null;
    }
  }

  /** The trouble was read. */
  forgive(): void {
    this.refused = null;
  }

  async choose(kind: "folder" | "gguf"): Promise<void> {
    await this.app.attempt(async () => {
      const path = await this.app.backend.chooseModel(kind);
      if (path !== null) await this.add(path);
    });
  }

  /** Deletes a downloaded one, forgets one of the person's own; true when that is done. */
  async remove(model: LocalModel): Promise<boolean> {
    const { backend, toasts } = this.app;
    try {
      await backend.removeModel(model.id);
    } catch (e) {
      this.refused = { what: model.id, title: `${model.name} could not be removed`, error: asApiError(e) };
      return false;
    }
    this.refused = null;
    this.here = this.here?.filter((other) => other.id !== model.id) ?? null;
    if (model.origin === "own") {
      toasts.say(`${model.name} is forgotten; its files are where they were.`, {
        label: "Undo",
        run: () => void this.add(model.path),
      });
    } else {
      this.downloads.gone(model.id);
      const again = { label: "Download again", run: () => void this.downloads.begin(model.id, model.name) };
      toasts.say(`${model.name} is removed: ${bytes(model.bytes)} freed.`, again);
    }
    await this.read();
    return true;
  }
}

const known = new WeakMap<App, Models>();

/** The one of this app: downloads and searches go on while another view is open. */
export function modelsOf(app: App): Models {
  const models = known.get(app) ?? new Models(app);
  known.set(app, models);
  return models;
}
