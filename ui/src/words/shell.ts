// What the computer is doing now, for the title line; what the keys of the window do.

import type { RunId, RunRow, TaskProgress } from "../backend";
import { activity, count, percent, timeLeft } from "../words";

/** One thing that goes on. `headline` changes only when it is another thing: that is worth saying aloud. */
export type Doing = { text: string; headline: string; share: number | null } & (
  { kind: "idle" } | { kind: "run"; id: RunId } | { kind: "task"; cancel: () => void }
);

type Going = { title: string; progress: TaskProgress | null; cancel: () => void };

function task(of: Going, others: number): Doing {
  const { title, progress } = of;
  const share = progress?.total ? Math.min(1, progress.done / progress.total) : null;
  const how = [share === null ? "" : percent(share), progress ? timeLeft(progress) : ""].filter(Boolean).join(", ");
  const more = others === 0 ? "" : `; ${count(others)} more`;
  return {
    kind: "task",
    text: `${title}${how && `: ${how}`}${more}`,
    headline: title,
    share,
    cancel: () => of.cancel(),
  };
}

/** The newest task, then the run that trains; idle if there is neither. Nothing while the runs are not read. */
export function doing(rows: readonly RunRow[] | null, tasks: readonly Going[]): Doing[] {
  const newest = tasks.at(-1);
  const run = rows?.find((row) => row.status === "running");
  const all: Doing[] = [];
  if (newest) all.push(task(newest, tasks.length - 1));
  if (run) {
    const share = run.of ? run.step / run.of : null;
    const text = activity(newest ? [run] : rows); // beside a task there is no room for those that wait
    all.push({ kind: "run", id: run.id, text, headline: `Training “${run.name}”`, share });
  }
  if (all.length === 0 && rows) all.push({ kind: "idle", text: activity(rows), headline: "Idle", share: null });
  return all;
}

/** How a key is written on it: ⌘ on a Mac. */
export const keyNames = (keys: string): string[] =>
  keys.split("+").map((key) => (key === "Mod" ? (/Mac/.test(navigator.userAgent) ? "⌘" : "Ctrl") : key));
