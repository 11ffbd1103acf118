// Numbers and moments as people say them. Unknown is a dash, never 0.

import type { RunRow, RunStatus } from "./backend";

const DASH = "–";

const STATUS: Record<RunStatus, string> = {
  queued: "Waiting",
  running: "Training",
  paused: "Paused",
  stopped: "Stopped",
  finished: "Finished",
  failed: "Failed",
  interrupted: "Interrupted",
};

export const status = (of: RunStatus): string => STATUS[of];

/** Three significant digits: enough to see it move. */
export function loss(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return DASH;
  return Math.abs(value) >= 1000 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
}

export const count = (n: number): string => n.toLocaleString("en");

/** `6 min 20 s`; two units at most. */
export function duration(secs: number): string {
  const s = Math.max(0, Math.round(secs));
  if (s < 60) return `${s} s`;
  if (s < 600) return s % 60 === 0 ? `${s / 60} min` : `${Math.floor(s / 60)} min ${s % 60} s`;
  const m = Math.round(s / 60);
  if (m < 60) return `${m} min`;
  return m % 60 === 0 ? `${m / 60} h` : `${Math.floor(m / 60)} h ${m % 60} min`;
}

export function progress(run: RunRow): string {
  const steps = run.of === null ? `step ${count(run.step)}` : `step ${count(run.step)} of ${count(run.of)}`;
  if (run.status === "queued") return "starts when the device is free";
  if (run.step === 0 && run.of === null) return run.status === "running" ? "reading model and data" : DASH;
  if (run.status === "running" && run.secs_left !== null) return `${steps}, ${duration(run.secs_left)} left`;
  return run.status === "finished" ? `${count(run.step)} steps` : steps;
}

/** `just now`, `4 min ago`, `3 h ago`, then the day. */
export function ago(ms: number, now: number): string {
  const m = Math.round((now - ms) / 60_000);
  if (m < 1) return "just now";
  if (m < 60) return `${m} min ago`;
  if (m < 24 * 60) return `${Math.floor(m / 60)} h ago`;
  if (m < 48 * 60) return "yesterday";
  const day = new Date(ms);
  const sameYear = day.getFullYear() === new Date(now).getFullYear();
  return day.toLocaleDateString("en-GB", { day: "numeric", month: "short", ...(sameYear ? {} : { year: "numeric" }) });
}

export const moment = (ms: number): string =>
  new Date(ms).toLocaleString("en-GB", { dateStyle: "long", timeStyle: "short" });

/** What the computer is doing now, for the title line. */
export function activity(rows: readonly RunRow[] | null): string {
  if (rows === null) return "";
  const busy = rows.find((r) => r.status === "running");
  const waiting = rows.filter((r) => r.status === "queued").length;
  if (!busy) return waiting === 0 ? "Idle" : `Idle, ${count(waiting)} waiting`;
  return `Training “${busy.name}”: ${progress(busy)}${waiting === 0 ? "" : `; ${count(waiting)} waiting`}`;
}

/** The last part of a repository's name or a path: what tells models apart in a list. */
export const shortModel = (model: string): string => model.split(/[\\/]/).findLast((part) => part !== "") ?? model;
