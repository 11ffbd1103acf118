// How metrics go over the looks at the validation data: what each is now, and where it was best.

import type { EvalPoint, Metric, Score } from "../backend";
import { better } from "../words/task";

/** What a look came to; none where the model writes. */
export type Look = { step: number; scores: readonly Score[] };

export type Course = {
  metric: Metric;
  /** By look, oldest first. */
  values: readonly number[];
  now: number;
  best: { value: number; step: number };
};

export const looksOf = (evals: readonly EvalPoint[]): Look[] =>
  evals.map(({ step, scores }) => ({ step, scores: scores ?? [] }));

/** Each metric of the newest look that has any, in its order: the most telling first. */
export function courses(looks: readonly Look[]): Course[] {
  const last = looks.findLast((look) => look.scores.length > 0);
  return (last?.scores ?? []).map(({ metric, value }) => {
    const all = looks.flatMap(({ step, scores }) => {
      const score = scores.find((one) => one.metric === metric);
      return score && Number.isFinite(score.value) ? [{ value: score.value, step }] : [];
    });
    // What the untrained model does is no merit of the run.
    const trained = all.filter(({ step }) => step > 0);
    const [first, ...others] = trained.length > 0 ? trained : all;
    const begin = first ?? { value, step: last?.step ?? 0 };
    const best = others.reduce((best, one) => (better(metric, one.value, best.value) ? one : best), begin);
    return { metric, values: all.map((one) => one.value), now: value, best };
  });
}
