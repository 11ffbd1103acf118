// What Home shows of the runs: which stand on top, which were asked for and in what order, which are picked.

import type { RunId, RunRow, RunStatus } from "../backend";
import type { Group, SortBy } from "../words/home";
import type { App } from "./app.svelte";
import type { Runs } from "./runs.svelte";

export type Sort = { by: SortBy; order: "ascending" | "descending" };

/** A palette of eight; more lines than that nobody reads. */
export const MOST_COMPARED = 8;

export function groupOf(status: RunStatus): Exclude<Group, "all"> {
  switch (status) {
    case "queued":
    case "running":
    case "paused":
      return "active";
    case "stopped":
    case "finished":
      return "done";
    case "failed":
    case "interrupted":
      return "failed";
    default:
      return status satisfies never;
  }
}

const LIVELIEST: readonly RunStatus[] = ["running", "queued", "paused", "interrupted", "failed", "stopped", "finished"];

/** Broken off or put aside: the next step is the person's. */
const OPEN: readonly RunStatus[] = ["paused", "interrupted", "failed"];

const COMPARE: Record<SortBy, (a: RunRow, b: RunRow) => number> = {
  name: (a, b) => WORDS.compare(a.name, b.name),
  status: (a, b) => LIVELIEST.indexOf(a.status) - LIVELIEST.indexOf(b.status),
  loss: (a, b) => (a.loss ?? 0) - (b.loss ?? 0),
  best: (a, b) => (a.best ?? 0) - (b.best ?? 0),
  when: (a, b) => a.created_ms - b.created_ms,
};
const WORDS = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** What has no such number stands at the end, whichever way the list runs. */
const lacks = (run: RunRow, by: SortBy): boolean => (by === "loss" || by === "best") && run[by] === null;

export function sorted(rows: readonly RunRow[], { by, order }: Sort): RunRow[] {
  const way = order === "ascending" ? 1 : -1;
  return rows.toSorted((a, b) => Number(lacks(a, by)) - Number(lacks(b, by)) || way * COMPARE[by](a, b));
}

/** Each word of `text` somewhere in the name, the model or the data. */
export function found(rows: readonly RunRow[], text: string): readonly RunRow[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return rows;
  return rows.filter((run) => {
    const all = `${run.name}\n${run.model}\n${run.data}`.toLowerCase();
    return words.every((word) => all.includes(word));
  });
}

export class Home {
  search = $state("");
  group = $state<Group>("all");
  sort = $state.raw<Sort>({ by: "when", order: "descending" });
  private chosen = $state.raw<ReadonlySet<RunId>>(new Set());
  private last = $state.raw<RunId | null>(null);

  constructor(private readonly runs: Runs) {}

  private readonly matching = $derived.by(() => found(this.runs.rows ?? [], this.search));

  readonly counts = $derived.by(() => {
    const counts: Record<Group, number> = { all: this.matching.length, active: 0, done: 0, failed: 0 };
    for (const run of this.matching) counts[groupOf(run.status)] += 1;
    return counts;
  });

  /** The list, as asked for. */
  readonly shown = $derived.by(() => {
    const rows =
      this.group === "all" ? this.matching : this.matching.filter((run) => groupOf(run.status) === this.group);
    return sorted(rows, this.sort);
  });

  /**
   * What stands on top: those that train; else the one that did so last, so that a pause or an end changes it in
   * place; else the newest, if it waits for the person.
   */
  readonly current = $derived.by(() => {
    const rows = this.runs.rows ?? [];
    const training = rows.filter((run) => run.status === "running");
    if (training.length > 0) return training;
    const last = rows.find((run) => run.id === this.last) ?? rows.find((run) => run.status !== "queued");
    return last && (last.id === this.last || OPEN.includes(last.status)) ? [last] : [];
  });

  /** What waits for the device, the longest waiting first. */
  readonly queue = $derived.by(() => {
    const waiting = (this.runs.rows ?? []).filter((run) => run.status === "queued");
    return waiting.sort((a, b) => (a.queued_ms ?? 0) - (b.queued_ms ?? 0));
  });

  /** Picked runs that are still there, newest first. */
  readonly picked = $derived.by(() =>
    this.chosen.size === 0 ? [] : (this.runs.rows ?? []).filter((run) => this.chosen.has(run.id)),
  );

  /** Remembers who trains, for `current`. */
  notice(): void {
    const training = this.runs.rows?.find((run) => run.status === "running");
    if (training) this.last = training.id;
  }

  /** The same column again turns the order around; numbers start with the lowest, moments with the latest. */
  sortBy(by: SortBy): void {
    const turned = this.sort.order === "ascending" ? "descending" : "ascending";
    this.sort = { by, order: this.sort.by === by ? turned : by === "when" ? "descending" : "ascending" };
  }

  isPicked(id: RunId): boolean {
    return this.chosen.has(id);
  }

  pick(id: RunId): void {
    const next = new Set(this.chosen);
    if (!next.delete(id)) next.add(id);
    this.chosen = next;
  }

  unpick(): void {
    this.chosen = new Set();
  }

  unfilter(): void {
    this.search = "";
    this.group = "all";
  }
}

const known = new WeakMap<App, Home>();

/** The one of this app: what was searched and picked is still there when the person comes back. */
export function homeOf(app: App): Home {
  const home = known.get(app) ?? new Home(app.runs);
  known.set(app, home);
  return home;
}
