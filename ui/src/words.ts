// Numbers and moments as people say them. Unknown is a dash, never 0.

import type { RunRow, RunStatus, TaskProgress } from "./backend";

/** What stands where a number is not known. */
export const DASH = "–";

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

export const count = (n: number | null): string => (n === null ? DASH : n.toLocaleString("en"));

/** `6 min 20 s`; two units at most. */
export function duration(secs: number | null): string {
  if (secs === null || !Number.isFinite(secs)) return DASH;
  const s = Math.max(0, Math.round(secs));
  if (s < 60) return `${s} s`;
  if (s < 600) return s % 60 === 0 ? `${s / 60} min` : `${Math.floor(s / 60)} min ${s % 60} s`;
  const m = Math.round(s / 60);
  if (m < 60) return `${m} min`;
  return m % 60 === 0 ? `${m / 60} h` : `${Math.floor(m / 60)} h ${m % 60} min`;
}

const UNITS = [
  ["GB", 1e9],
  ["MB", 1e6],
  ["kB", 1e3],
  ["B", 1],
] as const;

const unitOf = (n: number) => UNITS.find(([, size]) => n >= size) ?? UNITS[3];

/** Three digits: `1.2`, `41.6`, `272`. */
const inUnit = (n: number, size: number): string => (n / size).toFixed(size === 1 || n / size >= 99.95 ? 0 : 1);

/** `1.2 GB`, as disks and downloads are labelled. */
export function bytes(n: number | null): string {
  if (n === null || !Number.isFinite(n)) return DASH;
  const [unit, size] = unitOf(n);
  return `${inUnit(n, size)} ${unit}`;
}

/** `3.1 of 8.0 GB`: both in the unit of the whole. */
export function bytesOf(n: number | null, whole: number): string {
  const [unit, size] = unitOf(whole);
  return `${n === null ? DASH : inUnit(n, size)} of ${inUnit(whole, size)} ${unit}`;
}

/** Of a share of one: `41 %`. Only the whole is 100 %, only nothing is 0 %. */
export function percent(share: number | null): string {
  if (share === null || !Number.isFinite(share)) return DASH;
  if (share > 0 && share < 0.01) return "< 1 %";
  return `${share >= 1 ? Math.round(share * 100) : Math.floor(share * 100)} %`;
}

/** A forecast, in the words of `say`: `12 min to 15 min`; one value where both say the same. */
export function range(of: { low: number | null; high: number | null }, say: (n: number) => string): string {
  if (of.low === null || of.high === null) return DASH;
  const [low, high] = [say(of.low), say(of.high)];
  if (low === high) return low;
  // The unit once, where both have the same: 12–15 min.
  const [, number, unit] = /^([\d.,]+) (\D+)$/.exec(low) ?? [];
  return number && unit && high.endsWith(` ${unit}`) && /^[\d.,]+ \D+$/.test(high)
    ? `${number}–${high}`
    : `${low} to ${high}`;
}

/** How much of a task is done: `120 of 290 MB`, `3 of 7`; nothing where nobody counts. */
export function amount(of: TaskProgress): string {
  if (of.unit === "none") return "";
  if (of.unit === "bytes") return of.total === null ? bytes(of.done) : bytesOf(of.done, of.total);
  return of.total === null ? count(of.done) : `${count(of.done)} of ${count(of.total)}`;
}

export const timeLeft = (of: TaskProgress): string => (of.secs_left === null ? "" : `${duration(of.secs_left)} left`);

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
