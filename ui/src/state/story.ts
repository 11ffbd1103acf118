// What a run said, step by step aside: kept short, without what a resume made void. Pure.

import type { RunEvent, SampledAt, Stamped } from "../backend";

/** An event of the log. Of the model's answers only their number is kept here. */
export type ToldEvent =
  Exclude<RunEvent, { kind: "stepped" } | { kind: "sampled" }> | { kind: "sampled"; step: number; n: number };
export type Told = { readonly seq: number; readonly at_ms: number; readonly event: ToldEvent };

/** Entries of the log, and looks with their answers, that a page keeps. */
export const MOST_TOLD = 2000;
export const MOST_LOOKS = 200;

/** As the log has it; null for a step. */
export function told({ seq, at_ms, event }: Stamped): Told | null {
  if (event.kind === "stepped") return null;
  if (event.kind !== "sampled") return { seq, at_ms, event };
  return { seq, at_ms, event: { kind: "sampled", step: event.step, n: event.samples.length } };
}

/** The step an event is about; null for those that hold whatever comes. */
function stepOf(event: ToldEvent): number | null {
  switch (event.kind) {
    case "evaluated":
    case "sampled":
    case "saved":
    case "paused":
    case "ended":
      return event.step;
    case "started":
    case "ready":
    case "warned":
    case "profiled":
    case "failed":
      return null;
    default:
      return event satisfies never;
  }
}

/** What still holds after the run went back to `step`. */
export const holds = (story: readonly Told[], step: number): readonly Told[] =>
  story.filter(({ event }) => (stepOf(event) ?? 0) <= step);

/** Routine entries go first, the oldest of them. */
export function shortened(story: readonly Told[]): readonly Told[] {
  let over = story.length - MOST_TOLD;
  if (over <= 0) return story;
  const routine = new Set<ToldEvent["kind"]>(["sampled", "saved", "evaluated"]);
  return story.filter(({ event }) => !routine.has(event.kind) || over-- <= 0);
}

/** With one more look. Of very many, every second goes; the first and the newest stay. */
export function withLook(looks: readonly SampledAt[], look: SampledAt): readonly SampledAt[] {
  const all = [...looks.filter((other) => other.step < look.step), look];
  return all.length <= MOST_LOOKS ? all : all.filter((_, i) => i % 2 === 0 || i === all.length - 1);
}

/** Seconds that a worker was at it, pauses left out; it goes on until `now` where no end is told. */
export function worked(story: readonly Told[], now: number): number | null {
  let [sum, since]: [number, number | null] = [0, null];
  let seen = false;
  for (const { at_ms, event } of story) {
    if (event.kind === "started") {
      // A worker that went without a word: nobody knows when.
      since = at_ms;
      seen = true;
    } else if (since !== null && (event.kind === "paused" || event.kind === "ended" || event.kind === "failed")) {
      sum += at_ms - since;
      since = null;
    }
  }
  if (!seen) return null;
  return (sum + (since === null ? 0 : Math.max(0, now - since))) / 1000;
}
