// What a chart says at a step: every series there. Pure.

import type { LiveRun, StepKey } from "./live-run.svelte";
import { type Curve, near, type Point, smoothed } from "./curve";

export type Reading = {
  /** The last step of the stretch that is read. */
  step: number;
  /** Steps it is the mean of. */
  n: number;
  training: Point<StepKey> | null;
  smoothed: number | null;
  /** The look nearest to it. */
  validation: { step: number; loss: number } | null;
};

/** The smoothed line, for as long as neither the steps nor the weight change. */
export const smoothLine = (steps: Curve<StepKey>, weight: number): readonly number[] =>
  weight === 0 ? [] : smoothed(steps.points, weight);

/** At `at`, or at the end where nobody looks anywhere. */
export function readingAt(
  run: Pick<LiveRun, "steps" | "evals">,
  smooth: readonly number[],
  at: number | null,
): Reading | null {
  const { points } = run.steps;
  const looks = run.evals.points;
  const step = at ?? points.at(-1)?.step ?? looks.at(-1)?.step;
  if (step === undefined) return null;
  const training = near(points, step);
  const look = near(looks, step);
  const index = training ? points.indexOf(training) : -1;
  return {
    step: training?.step ?? step,
    n: training?.n ?? 1,
    training,
    smoothed: smooth[index] ?? null,
    validation: look && { step: look.step, loss: look.loss },
  };
}
