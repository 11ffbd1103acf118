// How an answer is chosen, as the person sets it; the ranges are what the generator can use.

import type { Beams, Sampling, Search, TaskKind } from "../backend";

/** `seed` null: a new one for each question. */
export type How = Omit<Sampling, "seed"> &
  Pick<Beams, "num_beams" | "length_penalty"> & { search: Search["kind"]; seed: number | null; max_tokens: number };

export type Preset = "greedy" | "balanced" | "lively";

/** What can be turned: a number each. */
export type Dial = Exclude<keyof How, "search">;

type Picking = Omit<Sampling, "seed">;

export const PRESETS: Record<Preset, Picking> = {
  greedy: { temperature: 0, top_p: 1, top_k: 0, repetition_penalty: 1 },
  balanced: { temperature: 0.7, top_p: 0.9, top_k: 40, repetition_penalty: 1.1 },
  lively: { temperature: 1, top_p: 0.95, top_k: 0, repetition_penalty: 1.1 },
};

const BEGIN = { search: "sample", num_beams: 4, length_penalty: 1, seed: null, max_tokens: 256 } as const;
const TALK: How = { ...PRESETS.balanced, ...BEGIN };
/** As it was looked at while it learned. */
const TRANSFORM: How = { ...PRESETS.greedy, ...BEGIN };

/** What a model of that kind begins with. */
export const usual = (kind: TaskKind): How => (kind === "transform" ? TRANSFORM : TALK);

export const LIMITS = {
  temperature: { min: 0, max: 2, step: 0.05 },
  top_p: { min: 0.05, max: 1, step: 0.05 },
  top_k: { min: 0, max: 1000, step: 1 },
  repetition_penalty: { min: 1, max: 2, step: 0.05 },
  num_beams: { min: 2, max: 16, step: 1 },
  length_penalty: { min: -5, max: 5, step: 0.1 },
  seed: { min: 0, max: 4_294_967_295, step: 1 },
  max_tokens: { min: 1, max: 4096, step: 1 },
} satisfies Record<Dial, { min: number; max: number; step: number }>;

/** What has a say in each search, in the order of the form. */
export const DIALS_OF: Record<Search["kind"], readonly Dial[]> = {
  sample: ["temperature", "top_p", "top_k", "repetition_penalty", "seed", "max_tokens"],
  beams: ["num_beams", "length_penalty", "max_tokens"],
};

/** The preset that `how` is, or that it is the person's own. */
export function presetOf(how: How): Preset | "own" {
  const is = (preset: Preset) =>
    (Object.keys(PRESETS[preset]) as (keyof Picking)[]).every((key) => PRESETS[preset][key] === how[key]);
  return (Object.keys(PRESETS) as Preset[]).find(is) ?? "own";
}

/** What is asked of the generator. */
export function searchOf(how: How, seed: number): Search {
  switch (how.search) {
    case "sample": {
      const { temperature, top_p, top_k, repetition_penalty } = how;
      return { kind: "sample", sampling: { temperature, top_p, top_k, repetition_penalty, seed } };
    }
    case "beams": {
      const { num_beams, length_penalty } = how;
      const beams: Beams = { num_beams, length_penalty, early_stopping: "when_unlikely", no_repeat_ngram_size: 0 };
      return { kind: "beams", beams };
    }
    default:
      return how.search satisfies never;
  }
}

export const anySeed = (): number => Math.floor(Math.random() * 1_000_000);
