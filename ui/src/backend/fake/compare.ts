// Runs beside each other. Scenes of its own: no-validation, no-history (nothing can be read), alike (nothing that was planned differs).

import type { Comparison, Difference, EvalPoint, RunRow, Series, StepPoint } from "..";
import { scoresAt } from "./heads";
import { KNOBS } from "./knobs";
import { History } from "./run-history";
import { runsOf } from "./runs";
import { type Piece, refusal, type Scene, wait } from "./scene";

function series(row: RunRow, validated: boolean): Series {
  const history = new History(row);
  const every = Math.max(1, Math.ceil(row.step / 2000));
  const steps = Array.from({ length: Math.floor(row.step / every) }, (_, i): StepPoint => {
    const event = history.stepped((i + 1) * every, null);
    if (event.kind !== "stepped") throw new Error("a step is a step");
    const { step, loss, learning_rate, grad_norm, tokens, secs } = event;
    return { step, loss, learning_rate, grad_norm, tokens_per_sec: tokens / secs };
  });
  const looks = validated ? Math.floor(row.step / history.every) : 0;
  const evals = Array.from({ length: looks }, (_, i): EvalPoint => {
    const step = (i + 1) * history.every;
    return { step, loss: history.validation(step), best: false, scores: scoresAt(row.task, step / history.of) };
  });
  return { steps, evals };
}

function said(value: string | number | boolean | object): string {
  if (typeof value === "boolean") return value ? "on" : "off";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** What was planned, each by its label; some of it turned from run to run. */
function planned(row: RunRow, n: number, alike: boolean): [string, string][] {
  const { plan } = new History(row);
  const turned: Record<string, string | number> = alike
    ? {}
    : { rank: [16, 8, 32][n % 3] ?? 16, learning_rate: n % 2 ? 2e-4 : 3e-4 };
  const knobs = KNOBS.map(({ key, label }): [string, string] => {
    const decided = plan.knobs[key as keyof typeof plan.knobs]?.value;
    return [label, said(turned[key] ?? decided ?? "–")];
  });
  return [
    ["Model", row.model],
    ["Data", row.data],
    ["Data version", row.data.slice(0, 7)],
    ["Device", plan.device.value.kind],
    ...knobs,
  ];
}

export function compare(scene: Scene): Piece {
  return {
    async compareRuns(ids): Promise<Comparison> {
      await wait(150);
      if (scene.name === "no-history")
        throw refusal("disk", "The history cannot be read: the disk is full.", "Free some space.");
      const alike = scene.name === "alike";
      const runs = ids.map((id) => runsOf(scene).row(id));
      const plans = runs.map((row, n) => planned(row, n, alike));
      const rows = (plans[0] ?? []).map(([label], i): Difference => ({
        label,
        values: plans.map((plan) => plan[i]?.[1] ?? ""),
      }));
      const isSame = ({ values }: Difference) => alike || values.every((value) => value === values[0]);
      return {
        runs,
        series: runs.map((row) => series(row, scene.name !== "no-validation")),
        differences: rows.filter((row) => !isSame(row)),
        same: rows.filter(isSame),
      };
    },
  };
}
