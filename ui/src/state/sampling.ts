// How the next token is picked, as the person sets it; the ranges are what the generator can use.

import type { Sampling } from "../backend";

/** `seed` null: a new one for each question. */
export type How = Omit<Sampling, "seed"> & { seed: number | null; max_tokens: number };

export type Preset = "greedy" | "balanced" | "lively";

type Pick = Omit<Sampling, "seed">;

export const PRESETS: Record<Preset, Pick> = {
  greedy: { temperature: 0, top_p: 1, top_k: 0, repetition_penalty: 1 },
  balanced: { temperature: 0.7, top_p: 0.9, top_k: 40, repetition_penalty: 1.1 },
  lively: { temperature: 1, top_p: 0.95, top_k: 0, repetition_penalty: 1.1 },
};

export const USUAL: How = { ...PRESETS.balanced, seed: null, max_tokens: 256 };

export const LIMITS = {
  temperature: { min: 0, max: 2, step: 0.05 },
  top_p: { min: 0.05, max: 1, step: 0.05 },
  top_k: { min: 0, max: 1000, step: 1 },
  repetition_penalty: { min: 1, max: 2, step: 0.05 },
  seed: { min: 0, max: 4_294_967_295, step: 1 },
  max_tokens: { min: 1, max: 4096, step: 1 },
} satisfies Record<keyof How, { min: number; max: number; step: number }>;

/** The preset that `how` is, or that it is the person's own. */
export function presetOf(how: How): Preset | "own" {
  const is = (preset: Preset) =>
    (Object.keys(PRESETS[preset]) as (keyof Pick)[]).every((key) => PRESETS[preset][key] === how[key]);
  return (Object.keys(PRESETS) as Preset[]).find(is) ?? "own";
}

/** What is asked of the generator. */
export function samplingOf({ temperature, top_p, top_k, repetition_penalty }: How, seed: number): Sampling {
  return { temperature, top_p, top_k, repetition_penalty, seed };
}

export const anySeed = (): number => Math.floor(Math.random() * 1_000_000);
