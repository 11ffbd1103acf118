// What Compare says of its figures.

import { count, DASH, duration, loss } from "../words";

/** Of eight, in the order in which runs were chosen; the same in chart and table. */
export const COLOURS = ["data-1", "data-2", "data-3", "data-4", "data-5", "data-6", "data-7", "data-8"] as const;
export type Colour = (typeof COLOURS)[number];

export type Figure = {
  key: "best" | "bestStep" | "training" | "steps" | "tokensPerSec" | "secs" | "trainable";
  label: string;
  help: string;
  say: (value: number | null) => string;
  /** What the best one is called, which end is best, and by what share it must lead to be more than chance. */
  best?: { word: string; end: "low" | "high"; lead: number };
};

export const FIGURES: readonly Figure[] = [
  {
    key: "best",
    label: "Best validation loss",
    help: "on examples it never learned from; lower is better",
    say: loss,
    best: { word: "lowest", end: "low", lead: 0 },
  },
  { key: "bestStep", label: "Lowest at step", help: "when it was that low", say: count },
  {
    key: "training",
    label: "Training loss at the end",
    help: "mean of the last 20 steps",
    say: loss,
  },
  { key: "steps", label: "Steps done", help: "how many times the adapter was moved", say: count },
  {
    key: "tokensPerSec",
    label: "Speed",
    help: "tokens per second, of the middle step",
    say: (value) => (value === null ? DASH : `${count(Math.round(value))} tokens/s`),
    best: { word: "fastest", end: "high", lead: 0.03 },
  },
  {
    key: "secs",
    label: "Duration",
    help: "while it worked; pauses left out",
    say: duration,
    best: { word: "shortest", end: "low", lead: 0.03 },
  },
  { key: "trainable", label: "Numbers that learn", help: "trainable parameters", say: count },
];

export const REFUSED = "Eight at most: a chart has eight colours that can be told apart. Take one out first.";

export function pickHint(n: number): string {
  if (n === 0) return "Pick two runs or more.";
  return n === 1 ? "Pick one more." : "";
}
