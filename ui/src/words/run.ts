// Words of the run's page.

import type { RunStatus, TaskKind } from "../backend";
import type { Asked } from "../state/live-run.svelte";
import type { Told } from "../state/story";
import { count, DASH } from "../words";
import { roughly } from "./plan";
import { answersWithHead } from "./task";

/** Tabs of the page. */
export const TAB = {
  course: "Course",
  answers: "Answers",
  report: "Report",
  log: "Log",
  plan: "Plan",
  export: "Export",
};
export type Tab = keyof typeof TAB;

/** Those that mean something: what writes has answers to read, what has a result has a report. */
export function tabsOf(task: TaskKind, result: string | null): Tab[] {
  return (Object.keys(TAB) as Tab[]).filter((tab) => {
    if (tab === "answers") return !answersWithHead(task);
    return tab !== "report" || result !== null;
  });
}

// ---- times ------------------------------------------------------------------------------------------------------
const DAY_MS = 86_400_000;
const midnight = (ms: number): number => new Date(ms).setHours(0, 0, 0, 0);

/** `14:32`; `07:00 tomorrow`; `07:00 on Mon 23 Nov`. */
export function clock(ms: number, now: number): string {
  const time = new Date(ms).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  const days = Math.round((midnight(ms) - midnight(now)) / DAY_MS);
  if (days === 0) return time;
  if (days === 1) return `${time} tomorrow`;
  const day = new Date(ms).toLocaleDateString("en-GB", { weekday: "short", day: "numeric", month: "short" });
  return `${time} on ${day.replace(",", "")}`;
}

/** To the second, for the log; with the day where it is another one than today. */
export function logTime(ms: number, now: number): string {
  const time = new Date(ms).toLocaleTimeString("en-GB");
  if (midnight(ms) === midnight(now)) return time;
  return `${new Date(ms).toLocaleDateString("en-GB", { day: "numeric", month: "short" })}, ${time}`;
}

/** The next time the clock shows what was typed: `7:00`, `7`, `19.30`, `7 pm`; null if that is no time. */
export function next(typed: string, now: number): number | null {
  const [, hour, minute = "0", half] = /^(\d{1,2})(?:[:.](\d{2}))?\s*([ap]m)?$/i.exec(typed.trim()) ?? [];
  if (hour === undefined) return null;
  const hours = half ? (Number(hour) % 12) + (half.toLowerCase() === "pm" ? 12 : 0) : Number(hour);
  if (hours > 23 || Number(minute) > 59 || (half && Number(hour) > 12)) return null;
  const day = (ms: number) => new Date(ms).setHours(hours, Number(minute), 0, 0);
  return day(now) > now ? day(now) : day(midnight(now) + 1.5 * DAY_MS);
}

// ---- numbers ----------------------------------------------------------------------------------------------------
/** A rate as people write it: `0.000187`; very small ones as `1.9e-6`. */
export function rate(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return DASH;
  if (value === 0) return "0";
  return Math.abs(value) < 1e-5 ? value.toExponential(1) : String(Number(value.toPrecision(3)));
}

export const pace = (value: number | null): string =>
  value === null || !Number.isFinite(value) ? DASH : count(Number(value.toPrecision(3)));

export const times = (epochs: number | null): string => (epochs === null ? DASH : epochs.toFixed(2));

/** Large numbers of numbers: `4.9 million`. */
export function many(n: number): string {
  if (n >= 1e9) return `${(n / 1e9).toFixed(1)} billion`;
  return n >= 1e6 ? `${(n / 1e6).toFixed(1)} million` : count(n);
}

export const forecast = (secs: number): string => roughly(secs);

/** A checkpoint by its folder: `step 540`. */
export function keptIn(checkpoint: string | null): string {
  const step = /^step-(\d+)$/.exec(checkpoint ?? "")?.[1];
  return step === undefined ? (checkpoint ?? DASH) : `step ${count(Number(step))}`;
}

// ---- what the computer does -------------------------------------------------------------------------------------
type Doing = {
  status: RunStatus;
  asked: Asked;
  story: readonly Told[];
  step: number;
  of: number | null;
  /** Steps between two looks at the validation data; null where nobody looks. */
  every: number | null;
};

/** What the computer does for this run at the moment. */
export function doing({ status, asked, story, step, of, every }: Doing): string {
  if (asked === "resume") return "Asking for the device";
  if (status !== "running") return standing(status);
  if (asked === "pause") return "Finishing this step, then saving and pausing";
  if (asked === "stop") return "Finishing this step, then saving what was learned";
  const last = story.findLast(({ event }) => event.kind === "started" || event.kind === "ready")?.event.kind;
  if (last === undefined) return "Starting the training process";
  if (last === "started") return "Reading model and data";
  const looks = every !== null && (step % every === 0 || step === of);
  const looked = story.some(({ event }) => event.kind === "evaluated" && event.step === step);
  if (looks && !looked) return "Looking at the validation data";
  return step === 0 ? "Taking the first step" : "Training";
}

function standing(status: RunStatus): string {
  switch (status) {
    case "queued":
      return "Waits for the device";
    case "running":
      return "Training";
    case "paused":
      return "Paused; resume goes on from here";
    case "stopped":
      return "Stopped; what was learned is kept";
    case "finished":
      return "Finished";
    case "failed":
      return "Broke off";
    case "interrupted":
      return "Interrupted";
    default:
      return status satisfies never;
  }
}
