import type {
  ApiError,
  ColumnRole,
  DatasetSheet,
  DatasetSummary,
  ImportRequest,
  Mapping,
  Preview,
  Shape,
  ShapeSheet,
  SplitFractions,
} from "../backend";
import { nameOf, pathParts } from "../words/data";
import type { App } from "./app.svelte";
import { asApiError } from "./errors";
import { carried, gaps, picked } from "./mapping";
import type { Task } from "./tasks.svelte";

/** Rows looked at before an import. */
export const LOOKED_AT = 50;
/** Data sets whose sources are compared; older ones are hardly imported again. */
const COMPARED = 20;

/** Files on their way to a data set: what they are taken for, what the person says of it, and how it went. */
export class ImportDraft {
  preview = $state.raw<Preview | null>(null);
  /** Why the files cannot be looked at, or not under this mapping. */
  unreadable = $state.raw<ApiError | null>(null);
  shapes = $state.raw<readonly ShapeSheet[]>([]);
  /** As picked so far; it may lack a column. */
  mapping = $state.raw<Mapping | null>(null);
  /** Whether the mapping is the machine's guess or the person's. */
  chosen = $state<"guessed" | "picked">("guessed");
  split = $state.raw<SplitFractions>({ validation: 0.1, test: 0, seed: 42 });
  own = $state.raw<{ validation: readonly string[]; test: readonly string[] }>({ validation: [], test: [] });
  name = $state("");
  /** The data set that this could be a new version of. */
  twin = $state.raw<DatasetSummary | null>(null);
  into = $state<string | null>(null);
  task = $state.raw<Task | null>(null);
  failed = $state.raw<ApiError | null>(null);
  cancelled = $state(false);
  /** What came of it. */
  done = $state.raw<DatasetSheet | null>(null);
  readonly sheet = $derived(this.shapes.find((sheet) => sheet.shape === this.mapping?.shape) ?? null);
  readonly missing = $derived<readonly ColumnRole[]>(gaps(this.mapping, this.sheet));
  /** That the shares leave nothing to learn from. */
  readonly overfull = $derived(
    (this.own.validation.length > 0 ? 0 : this.split.validation) + (this.own.test.length > 0 ? 0 : this.split.test) >=
      1,
  );
  readonly ready = $derived(
    this.preview !== null && this.mapping !== null && this.missing.length === 0 && !this.overfull,
  );
  /** Of the files in all, where the rows looked at are all there are. */
  readonly rows = $derived.by(() => {
    const known = this.preview?.n_files === 1 && this.preview.rows.length < LOOKED_AT;
    return known ? (this.preview?.rows.length ?? null) : null;
  });
  private turn = 0;
  private left = false;

  constructor(
    private readonly app: App,
    readonly paths: readonly string[],
    into: string | null,
  ) {
    this.into = into;
    this.name = nameOf(paths[0] ?? "");
  }

  async begin(): Promise<void> {
    const look = this.look(null);
    try {
      this.shapes = await this.app.backend.shapes();
    } catch (e) {
      this.unreadable = asApiError(e);
    }
    await look;
    if (this.preview) await this.findTwin();
  }

  setShape(shape: Shape): void {
    const sheet = this.shapes.find((known) => known.shape === shape);
    if (sheet) this.map(carried(this.mapping, sheet));
  }

  pick(role: ColumnRole, column: string | null): void {
    if (this.mapping) this.map(picked(this.mapping, role, column));
  }

  setPart(part: "validation" | "test", files: readonly string[]): void {
    this.own = { ...this.own, [part]: files };
  }

  async import(): Promise<void> {
    this.failed = null;
    this.cancelled = false;
    const file = pathParts(this.paths[0] ?? "").name;
    const what = this.paths.length > 1 ? `${file} and ${this.paths.length - 1} more` : file;
    try {
      const run = (task: Task) => (this.task = task);
      const { backend, tasks } = this.app;
      const info = await tasks.run(`Importing ${what}`, (watched) => backend.importData(this.request(), watched), run);
      if (info) await this.finish(info.id, info.version);
      this.cancelled = info === null;
    } catch (e) {
      this.failed = asApiError(e);
      if (this.left) this.app.toasts.complain(this.failed);
    } finally {
      this.task = null;
    }
  }

  /** Shows the data set; nothing leads back to a form that is done with. */
  show(id: string): void {
    this.app.router.replace({ view: "data", id });
  }

  train(id: string): void {
    this.show(id);
    this.app.router.go({ view: "new", spec: { data: id } });
  }

  /** The page is gone; what runs goes on, and says at the foot of the window how it ended. */
  leave(): void {
    this.left = true;
  }

  private async finish(id: string, version: string): Promise<void> {
    const sheet = await this.app.backend.dataset(id, version);
    this.done = sheet;
    if (!this.left) return;
    const show = () => this.app.router.go({ view: "data", id });
    this.app.toasts.say(`“${sheet.info.name}” is imported.`, { label: "Show", run: show });
  }

  private request(): ImportRequest {
    const given = this.chosen === "picked" ? this.mapping : null;
    const name = this.into === null ? this.name.trim() || nameOf(this.paths[0] ?? "") : (this.twin?.name ?? null);
    const own = { validation: [...this.own.validation], test: [...this.own.test] };
    return { paths: [...this.paths], ...own, name, mapping: given, split: this.split, into: this.into };
  }

  private map(mapping: Mapping): void {
    this.mapping = mapping;
    this.chosen = "picked";
    if (this.missing.length === 0) void this.look(mapping);
    else if (this.preview) this.preview = { ...this.preview, examples: [] };
  }

  /** Of several looks on their way, the last one counts; what was seen before stays until then. */
  private async look(mapping: Mapping | null): Promise<void> {
    const turn = ++this.turn;
    try {
      const preview = await this.app.backend.previewData([...this.paths], mapping, LOOKED_AT);
      if (turn !== this.turn) return;
      this.preview = preview;
      this.unreadable = null;
      if (mapping === null) this.mapping = preview.mapping ?? { shape: "prompt_completion", columns: {} };
    } catch (e) {
      if (turn === this.turn) this.unreadable = asApiError(e);
    }
  }

  /** The data set of the same sources, or else of the same name. The same sources are most likely a new version. */
  private async findTwin(): Promise<void> {
    try {
      const sets = await this.app.backend.datasets();
      const given = sets.find((set) => set.id === this.into);
      if (given) {
        this.twin = given;
        return;
      }
      const same = JSON.stringify([...this.paths].sort());
      for (const set of sets.slice(0, COMPARED)) {
        const { info } = await this.app.backend.dataset(set.id, null);
        if (JSON.stringify([...info.sources].sort()) !== same) continue;
        this.twin = set;
        this.into = set.id;
        return;
      }
      this.twin = sets.find((set) => set.name === this.name) ?? null;
    } catch {
      // An offer only: without the list it is a data set of its own.
      this.twin = null;
    }
  }
}
