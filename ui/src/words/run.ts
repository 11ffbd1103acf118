// Words of the run's page.

import type { ApiError, RunStatus } from "../backend";
import type { Remedy } from "../state/remedy";
import type { Asked } from "../state/live-run.svelte";
import type { Told, ToldEvent } from "../state/story";
import { count, DASH, duration, loss } from "../words";
import { deviceName, roughly } from "./plan";

/** Tabs of the page. */
export const TAB = { course: "Course", answers: "Answers", log: "Log", plan: "Plan", export: "Export" };
export type Tab = keyof typeof TAB;

// ---- times -------------------------------------------------------------------------------------------------------
const DAY_MS = 86_400_000;
const midnight = (ms: number): number => new Date(ms).setHours(0, 0, 0, 0);

/** `14:32`; `tomorrow, 07:00`; `Mon 23 Nov, 07:00`. */
export function clock(ms: number, now: number): string {
  const time = new Date(ms).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  const days = Math.round((midnight(ms) - midnight(now)) / DAY_MS);
  if (days === 0) return time;
  if (days === 1) return `tomorrow, ${time}`;
  const day = new Date(ms).toLocaleDateString("en-GB", { weekday: "short", day: "numeric", month: "short" });
  return `${day.replace(",", "")}, ${time}`;
}

/** To the second, for the log; with the day where it is another one than today. */
export function logTime(ms: number, now: number): string {
  const time = new Date(ms).toLocaleTimeString("en-GB");
  if (midnight(ms) === midnight(now)) return time;
  return `${new Date(ms).toLocaleDateString("en-GB", { day: "numeric", month: "short" })}, ${time}`;
}

/** The next time the clock shows `07:00`. */
export function next(time: string, now: number): number | null {
  const [, hours, minutes] = /^(\d{1,2}):(\d{2})$/.exec(time) ?? [];
  if (!hours || !minutes) return null;
  const at = new Date(now).setHours(Number(hours), Number(minutes), 0, 0);
  return at > now ? at : new Date(now + DAY_MS).setHours(Number(hours), Number(minutes), 0, 0);
}

// ---- numbers -----------------------------------------------------------------------------------------------------
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

// ---- what the computer does --------------------------------------------------------------------------------------
type Doing = {
  status: RunStatus; asked: Asked; story: readonly Told[]; step: number; of: number | null;
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

// ---- the log -----------------------------------------------------------------------------------------------------
/** What of the log is shown. */
export const STORY = { all: "Everything", loss: "Losses", saved: "Checkpoints", course: "Starts and ends", notes: "Notes" };
export type StoryFilter = keyof typeof STORY;

export function kindOf(event: ToldEvent): Exclude<StoryFilter, "all"> {
  switch (event.kind) {
    case "evaluated":
    case "sampled":
      return "loss";
    case "saved":
      return "saved";
    case "started":
    case "ready":
    case "paused":
    case "ended":
      return "course";
    case "warned":
    case "failed":
      return "notes";
    default:
      return event satisfies never;
  }
}

const full = (text: string): string => (/[.?]$/.test(text.trim()) ? text.trim() : `${text.trim()}.`);
const each = (n: number, one: string): string => (n === 1 ? `1 ${one}` : `${count(n)} ${one}s`);

/** An event in plain sentences. */
export function sentence(event: ToldEvent): string {
  switch (event.kind) {
    case "started":
      return `A training process started on ${event.device.name} (${deviceName(event.device).toLowerCase()}, ${event.device.api}).`;
    case "ready": {
      const said = [`Model and data are read: ${many(event.trainable_parameters)} of ${many(event.total_parameters)} numbers learn, ${each(event.n_rows, "row")} make an epoch.`];
      said.push(...losses(event.n_truncated, event.n_untaught));
      if (event.resumed_at > 0) said.push(`Going on after step ${count(event.resumed_at)}.`);
      return said.join(" ");
    }
    case "evaluated":
      if (event.step === 0) return `Before training, the validation loss is ${loss(event.loss)}.`;
      return `Validation loss ${loss(event.loss)} at step ${count(event.step)}${event.best ? ", the lowest so far" : ""}.`;
    case "sampled":
      return `Answered ${each(event.n, "validation prompt")} at step ${count(event.step)}.`;
    case "saved":
      return `Saved a checkpoint at step ${count(event.step)}.`;
    case "warned":
      return full(event.message);
    case "paused":
      return `Paused at step ${count(event.step)}.`;
    case "ended":
      return `${ENDED[event.reason]} at step ${count(event.step)}; ${event.checkpoint} is kept.`;
    case "failed":
      return [full(event.error.message), event.error.hint ?? ""].join(" ").trim();
    default:
      return event satisfies never;
  }
}

const ENDED = {
  done: "Everything planned is learned",
  early_stopped: "The validation loss no longer fell: ended early",
  stopped: "Stopped as asked",
};

/** What of the data is not learned whole. */
function losses(n_truncated: number, n_untaught: number): string[] {
  const said = [];
  if (n_truncated > 0) said.push(`${each(n_truncated, "example")} ${n_truncated === 1 ? "is" : "are"} longer than the context and cut.`);
  if (n_untaught > 0) said.push(`${each(n_untaught, "example")} ${n_untaught === 1 ? "teaches" : "teach"} nothing and ${n_untaught === 1 ? "is" : "are"} left out.`);
  return said;
}

/** What the person should know, each once. */
export function warnings(story: readonly Told[]): string[] {
  const said = story.flatMap(({ event }) => {
    if (event.kind === "warned") return [full(event.message)];
    return event.kind === "ready" ? losses(event.n_truncated, event.n_untaught) : [];
  });
  return [...new Set(said)];
}

// ---- the end -----------------------------------------------------------------------------------------------------
/** Why it ended, as a heading. */
export function ending(story: readonly Told[], secs: number | null): string {
  const end = story.findLast(({ event }) => event.kind === "ended")?.event;
  if (end?.kind !== "ended") return "Ended";
  const after = `after ${count(end.step)} steps${secs === null ? "" : ` and ${duration(secs)}`}`;
  if (end.reason === "done") return `Finished ${after}`;
  return end.reason === "early_stopped" ? `Ended early ${after}: the validation loss no longer fell` : `Stopped ${after}; what was learned is kept`;
}

/** How far the loss fell, in a sentence. */
export function outcome(best: { step: number; loss: number } | null, before: number | null): string {
  if (!best) return "Nothing was held against validation data, so the last checkpoint is the result.";
  if (before === null) return `The validation loss was lowest at step ${count(best.step)}.`;
  if (best.loss >= before) return `The validation loss did not fall below the ${loss(before)} that it had before training.`;
  return `Before training the validation loss was ${loss(before)}; it was lowest at step ${count(best.step)}.`;
}

// ---- what went wrong ---------------------------------------------------------------------------------------------
export function failureTitle(code: ApiError["code"]): string {
  switch (code) {
    case "out_of_memory":
      return "Memory ran out";
    case "diverged":
      return "The loss stopped being a number";
    case "device":
      return "The device gave up";
    case "disk":
      return "The disk took no more";
    case "nothing_to_learn":
      return "There was nothing to learn";
    case "bad_model":
      return "The model cannot be used";
    case "bad_data":
      return "The data cannot be used";
    case "internal":
      return "A defect of Tunesmith ended the run";
    case "busy":
    case "network":
    case "forbidden":
    case "usage":
    case "not_found":
    case "mismatch":
    case "cancelled":
      return "The run broke off";
    default:
      return code satisfies never;
  }
}
export const INTERRUPTED = "The training process is gone";

export const happened = (error: ApiError | null): string =>
  full(error?.message ?? "It ended without a word: it was killed, or the computer was switched off.");

export const keptUp = (step: number | null): string =>
  step === null ? "No checkpoint was saved yet, so nothing of this run." : `Everything up to step ${count(step)}.`;

/** What to do, and the button that does it. */
export function remedyWords(remedy: Remedy): { todo: string; button: string } {
  switch (remedy.kind) {
    case "resume":
      return remedy.from === null
        ? { todo: "Start again from the beginning.", button: "Start again" }
        : { todo: `Go on from step ${count(remedy.from)}; nothing before it is done twice.`, button: `Resume from step ${count(remedy.from)}` };
    case "smaller":
      return { todo: "Plan it again so that it needs less memory. You see the plan before it starts.", button: "Plan a smaller run" };
    case "half_rate":
      return { todo: "Start again with half the learning rate: steps half as long seldom run away.", button: "New run at half the rate" };
    case "processor":
      return { todo: "Train on the processor: slower, but it asks nothing of the graphics driver.", button: "New run on the processor" };
    case "disk":
      return { todo: "Free some space, then come back and resume.", button: "See what takes up space" };
    case "models":
      return { todo: "Download the model again, or choose another.", button: "Open the models" };
    case "data":
      return { todo: "Look at the data; import it again if its file is damaged.", button: "Open the data" };
    case "change":
      return { todo: "Change what is taught in a new run. Its review shows which words the model would learn.", button: "Change it in a new run" };
    default:
      return remedy satisfies never;
  }
}

// ---- the chart ---------------------------------------------------------------------------------------------------
type Read = {
  step: number; n: number;
  training: { loss: number } | null; smoothed: number | null; validation: { step: number; loss: number } | null;
};
export type ReadValue = { label: string; value: string; note?: string; line: "faint" | "full" | "points" | "none"; colour: "data-1" | "data-2" | "accent" };

/** Which step is read: the one looked at, or the latest. */
export function stepWords(read: Read | null, at: number | null): string {
  if (!read) return "No step yet";
  const steps = read.n > 1 ? `${count(read.step - read.n + 1)}–${count(read.step)}` : count(read.step);
  return at === null ? `Latest: step ${steps}` : `Step ${steps}`;
}

/** Each series at the step, in the look it has on the chart. */
export function readValues(read: Read | null, best: { step: number; loss: number } | null, smoothing: number): ReadValue[] {
  const training = read?.training?.loss ?? null;
  const values: ReadValue[] = [
    { label: "Training", value: loss(training), line: smoothing > 0 ? "faint" : "full", colour: "data-1" },
  ];
  if (smoothing > 0) values.push({ label: "Smoothed", value: loss(read?.smoothed ?? null), line: "full", colour: "data-1" });
  const look = read?.validation ?? null;
  values.push({ label: "Validation", value: loss(look?.loss ?? null), note: look ? `step ${count(look.step)}` : "", line: "points", colour: "data-2" });
  values.push({ label: "Best", value: loss(best?.loss ?? null), note: best ? `step ${count(best.step)}` : "", line: "none", colour: "accent" });
  return values;
}

export function heardReading(read: Read | null): string {
  if (!read) return "No step yet";
  const said = readValues(read, null, read.smoothed === null ? 0 : 1).slice(0, -1);
  return `Step ${count(read.step)}: ${said.map(({ label, value, note }) => `${label} ${value}${note ? `, ${note}` : ""}`).join("; ")}`;
}

// ---- answers -----------------------------------------------------------------------------------------------------
export const lookName = (step: number): string => (step === 0 ? "Before training" : `Step ${count(step)}`);

export const lookWords = (step: number, at: number | null): string =>
  `${lookName(step)}${at === null ? "" : `, validation loss ${loss(at)}`}`;
