import { SvelteMap } from "svelte/reactivity";

import type { ApiError, Exported, ExportForm, ExportRecord, Parameters, Precision, RunId, SavedAt } from "../backend";
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
  /** Weights, to say how large an export gets. */
  readonly detail: { readonly parameters: Parameters | null } | null;
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
  kind = $state<ExportForm["kind"]>("adapter");
  precision = $state<Precision>("bf16");
  target = $state.raw<Target>({ kind: "usual" });
  outcome = $state.raw<Outcome>({ kind: "none" });
  /** Made since the run was opened. */
  private readonly made = new SvelteMap<string, ExportRecord>();

  constructor(
    private readonly app: App,
    private readonly id: RunId,
  ) {}

  get form(): ExportForm {
    return this.kind === "adapter" ? { kind: "adapter" } : { kind: "merged", precision: this.precision };
  }

  /** Of the new folder within a chosen one. */
  folderName(run: Exportable): string {
    const typed = this.target.kind === "chosen" ? this.target.name : null;
    return typed ?? folderName(run.name, this.form);
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
    const form = this.form;
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

/** Bytes of an export, beside tokenizer and card; null where the run does not say. Its total counts the adapter too. */
export function sizeOf(form: ExportForm, parameters: Parameters | null | undefined): number | null {
  if (!parameters) return null;
  return form.kind === "adapter"
    ? 4 * parameters.trainable
    : BYTES[form.precision] * (parameters.total - parameters.trainable);
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
