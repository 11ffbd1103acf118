// The log of a run, and how it ended, in plain sentences.

import { count, duration, loss, percent } from "../words";
import type { Told, ToldEvent } from "../state/story";
import { deviceName } from "./plan";
import { keptIn, many } from "./run";

/** As a sentence, with its full stop. */
export const full = (text: string): string => (/[.?]$/.test(text.trim()) ? text.trim() : `${text.trim()}.`);

/** What of the log is shown. */
export const STORY = {
  all: "Everything",
  loss: "Losses",
  saved: "Checkpoints",
  course: "Starts and ends",
  notes: "Notes",
};
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
    case "profiled":
    case "failed":
      return "notes";
    default:
      return event satisfies never;
  }
}

const each = (n: number, one: string): string => (n === 1 ? `1 ${one}` : `${count(n)} ${one}s`);

/** An event in plain sentences. */
export function sentence(event: ToldEvent): string {
  switch (event.kind) {
    case "started":
      return `A training process started on ${event.device.name} (${deviceName(event.device).toLowerCase()}, ${event.device.api}).`;
    case "ready": {
      const said = [
        `Model and data are read: ${many(event.trainable_parameters)} of ${many(event.total_parameters)} numbers learn, ${each(event.n_rows, "row")} make an epoch.`,
      ];
      said.push(...losses(event.n_truncated, event.n_untaught));
      if (event.resumed_at > 0) said.push(`Going on after step ${count(event.resumed_at)}.`);
      return said.join(" ");
    }
    case "evaluated":
      if (event.step === 0) return `Before training, the validation loss is ${loss(event.loss)}.`;
      return `Validation loss ${loss(event.loss)} at step ${count(event.step)}${event.best ? ", the lowest so far" : ""}.`;
    case "sampled":
      return `Answered ${each(event.n, "validation prompt")} at step ${count(event.step)}.`;
    case "profiled": {
      const { secs, threads, product_secs } = event.profile;
      const share = percent(product_secs / (secs * threads));
      return `A step takes ${secs.toFixed(2)} s, ${share} of it in matrix products. Each piece of work is in ${event.trace}.`;
    }
    case "saved":
      return `Saved a checkpoint at step ${count(event.step)}.`;
    case "warned":
      return full(event.message);
    case "paused":
      return `Paused at step ${count(event.step)}.`;
    case "ended":
      return `${ENDED[event.reason]} at step ${count(event.step)}; what it knew at ${keptIn(event.checkpoint)} is the result.`;
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
  if (n_truncated > 0)
    said.push(
      `${each(n_truncated, "example")} ${n_truncated === 1 ? "is" : "are"} longer than the context length; the end is cut off.`,
    );
  if (n_untaught > 0)
    said.push(
      `${each(n_untaught, "example")} ${n_untaught === 1 ? "teaches" : "teach"} nothing and ${n_untaught === 1 ? "is" : "are"} left out.`,
    );
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

/** Why it ended, as a heading. */
export function ending(story: readonly Told[], secs: number | null): string {
  const end = story.findLast(({ event }) => event.kind === "ended")?.event;
  if (end?.kind !== "ended") return "Ended";
  const after = secs === null ? `at step ${count(end.step)}` : `after ${duration(secs)}`;
  if (end.reason === "done") return `Finished ${after}`;
  return end.reason === "early_stopped" ? `Ended early ${after}` : `Stopped ${after}`;
}

/** How far the loss fell, in a sentence. */
export function outcome(best: { step: number; loss: number } | null, before: number | null): string {
  if (!best) return "Nothing was held against validation data, so the last checkpoint is the result.";
  if (before === null) return `The validation loss was lowest at step ${count(best.step)}.`;
  if (best.loss >= before)
    return `The validation loss did not fall below the ${loss(before)} that it had before training.`;
  return `Before training the validation loss was ${loss(before)}; it was lowest at step ${count(best.step)}.`;
}
