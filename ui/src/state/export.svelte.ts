import { SvelteMap } from "svelte/reactivity";

import type {
  ApiError,
  Decided,
  Exported,
  ExportForm,
  ExportRecord,
  Parameters,
  Precision,
  RunId,
  SavedAt,
  TaskKind,
} from "../backend";
import { badFolderName, folderName, within } from "../words/models";
import type { App } from "./app.svelte";
import { asApiError } from "./errors";
import type { Task } from "./tasks.svelte";

/** What an export needs to know of a run. */
export type Exportable = {
  readonly id: RunId;
  readonly name: string;
  readonly exports: readonly ExportRecord[];
  /** Checkpoints so far. */
  readonly saved: readonly SavedAt[];
  /** What it ended with. */
  readonly result: string | null;
  /** What it learned to do. */
  readonly task: TaskKind;
  /** Weights, to say how large an export gets, and how they were trained. */
  readonly detail: {
    readonly parameters: Parameters | null;
    readonly plan: { readonly knobs: Pick<Decided, "method"> };
  } | null;
  /** Told of one that was made. */
  exported?(record: ExportRecord): void;
};

/** Where it goes: the usual folder, or a new one within a chosen one; `name` null: named after run and form. */
export type Target = { kind: "usual" } | { kind: "chosen"; folder: string; name: string | null };

export type Outcome =
  | { kind: "none" }
  | { kind: "going"; task: Task | null }
  | { kind: "cancelled" }
  | { kind: "failed"; error: ApiError }
  | { kind: "done"; form: ExportForm; exported: Exported };

const BYTES: Record<Precision, number> = { f32: 4, bf16: 2, f16: 2 };

/** The export of a run: what is asked, how far it is, what came of it. Outlives its view. */
export class Exporting {
  /** Which form the person chose; null: nobody chose yet. */
  private chosen = $state<ExportForm["kind"] | null>(null);
  precision = $state<Precision>("bf16");
  target = $state.raw<Target>({ kind: "usual" });
  outcome = $state.raw<Outcome>({ kind: "none" });
  /** Made since the run was opened. */
  private readonly made = new SvelteMap<string, ExportRecord>();

  constructor(
    private readonly app: App,
    private readonly id: RunId,
  ) {}

  pick(kind: ExportForm["kind"]): void {
    this.chosen = kind;
  }

  /** The adapter unless another form is chosen, or there is none because the model's own weights were trained. */
  form(run: Exportable): ExportForm {
    const kind = isWhole(run) ? "merged" : (this.chosen ?? "adapter");
    return kind === "adapter" ? { kind } : { kind, precision: this.precision };
  }

  /** Of the new folder within a chosen one. */
  folderName(run: Exportable): string {
    const typed = this.target.kind === "chosen" ? this.target.name : null;
    return typed ?? folderName(run.name, this.form(run));
  }

  path(run: Exportable): string | null {
    return this.target.kind === "usual" ? null : within(this.target.folder, this.folderName(run).trim());
  }

  /** Why it cannot begin, in words; null where it can. */
  problem(run: Exportable): string | null {
    return this.target.kind === "usual" ? null : badFolderName(this.folderName(run));
  }

  /** Newest first; a folder that was written again counts once. */
  records(run: Exportable): readonly ExportRecord[] {
    const before = run.exports.filter((record) => !this.made.has(record.path));
    return [...this.made.values(), ...before].sort((a, b) => b.at_ms - a.at_ms);
  }

  async choose(): Promise<void> {
    await this.app.attempt(async () => {
      const folder = await this.app.backend.chooseFolder("Where should the export go?");
      if (folder !== null) this.target = { kind: "chosen", folder, name: null };
    });
  }

  rename(name: string): void {
    if (this.target.kind === "chosen") this.target = { ...this.target, name };
  }

  async begin(run: Exportable): Promise<void> {
    if (this.outcome.kind === "going" || this.problem(run) !== null) return;
    const form = this.form(run);
    const { backend, tasks } = this.app;
    this.outcome = { kind: "going", task: null };
    try {
      const exported = await tasks.run(
        `Exporting ${run.name}`,
        (watched) => backend.exportRun(this.id, form, this.path(run), watched),
        (task) => (this.outcome = { kind: "going", task }),
      );
      this.outcome = exported ? { kind: "done", form, exported } : { kind: "cancelled" };
      if (exported) this.keep(run, form, exported);
    } catch (e) {
      this.outcome = { kind: "failed", error: asApiError(e) };
      if (!this.isShown()) this.app.toasts.complain(asApiError(e));
    }
  }

  /** Whether there is something to export yet. */
  isReady = (run: Exportable): boolean => run.result !== null || run.saved.length > 0;

  cancel(): void {
    if (this.outcome.kind === "going") this.outcome.task?.cancel();
  }

  private keep(run: Exportable, form: ExportForm, { path, bytes, difference, snippet }: Exported): void {
    const record = { path, form, bytes, difference, at_ms: Date.now(), there: true, snippet };
    this.made.set(path, record);
    run.exported?.(record);
    this.tellOf(run.name, path);
  }

  private tellOf(name: string, path: string): void {
    if (this.isShown()) return;
    const run = () => void this.app.attempt(() => this.app.backend.reveal(path));
    this.app.toasts.say(`“${name}” is exported and read back.`, { label: "Show the folder", run });
  }

  private isShown(): boolean {
    const { place } = this.app.router;
    return place.view === "run" && place.id === this.id;
  }
}

/** That the model's own weights were trained, so that no adapter stands beside them. */
export const isWhole = (run: Exportable): boolean => run.detail?.plan.knobs.method?.value === "full";

/** Bytes of an export, beside tokenizer and card; null where the run does not say. The total counts an adapter too. */
export function sizeOf(form: ExportForm, run: Exportable): number | null {
  const parameters = run.detail?.parameters;
  if (!parameters) return null;
  const { trainable, total } = parameters;
  return form.kind === "adapter" ? 4 * trainable : BYTES[form.precision] * (total - (isWhole(run) ? 0 : trainable));
}

const known = new WeakMap<App, Map<RunId, Exporting>>();

/** The one of this run: an export goes on while another view is open. */
export function exportOf(app: App, id: RunId): Exporting {
  const runs = known.get(app) ?? new Map<RunId, Exporting>();
  known.set(app, runs);
  const mine = runs.get(id) ?? new Exporting(app, id);
  runs.set(id, mine);
  return mine;
}
