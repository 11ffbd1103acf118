// What the loss chart says at a step, and what the looks beside it are called.

import { count, loss } from "../words";

type Read = {
  step: number;
  n: number;
  training: { loss: number } | null;
  smoothed: number | null;
  validation: { step: number; loss: number } | null;
};
export type ReadValue = {
  label: string;
  value: string;
  note?: string;
  line: "faint" | "full" | "points" | "none";
  colour: "data-1" | "data-2" | "accent";
};

/** Which step is read: the one looked at, or the latest. */
export function stepWords(read: Read | null, at: number | null): string {
  if (!read) return "No step yet";
  if (at === null) return `Latest: step ${count(read.step)}`;
  return read.n === 1 ? `Step ${count(read.step)}` : `Steps ${count(read.step - read.n + 1)}–${count(read.step)}`;
}

/** Each series at the step, in the look it has on the chart. */
export function readValues(
  read: Read | null,
  best: { step: number; loss: number } | null,
  smoothing: number,
): ReadValue[] {
  const training = read?.training?.loss ?? null;
  const values: ReadValue[] = [
    { label: "Training", value: loss(training), line: smoothing > 0 ? "faint" : "full", colour: "data-1" },
  ];
  if (smoothing > 0)
    values.push({ label: "Smoothed", value: loss(read?.smoothed ?? null), line: "full", colour: "data-1" });
  const look = read?.validation ?? null;
  values.push({
    label: "Validation",
    value: loss(look?.loss ?? null),
    note: look ? `step ${count(look.step)}` : "",
    line: "points",
    colour: "data-2",
  });
  values.push({ label: "Best", value: loss(best?.loss ?? null), line: "none", colour: "accent" });
  return values;
}

export function heardReading(read: Read | null): string {
  if (!read) return "No step yet";
  const said = readValues(read, null, read.smoothed === null ? 0 : 1).slice(0, -1);
  return `Step ${count(read.step)}: ${said.map(({ label, value, note }) => `${label} ${value}${note ? `, ${note}` : ""}`).join("; ")}`;
}

export const lookName = (step: number): string => (step === 0 ? "Before training" : `Step ${count(step)}`);

export const lookWords = (step: number, at: number | null): string =>
  `${lookName(step)}${at === null ? "" : `, validation loss ${loss(at)}`}`;
