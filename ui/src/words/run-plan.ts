// A run's plan, as a sheet to read.

import type { Because, Decided, DeviceInfo, Knob, RunDetail } from "../backend";
import { bytes, count, range } from "../words";
import { because, choice, deviceName, effortLabel, grouped, time } from "./plan";
import { rate } from "./run";

export type PlanRow = { label: string; help?: string; value: string; because: string; asked: boolean };
export type PlanGroup = { title: string; rows: readonly PlanRow[] };

function reason(of: Because): string {
  switch (of.kind) {
    case "asked":
      return "You set it.";
    case "effort":
      return `Goes with ${effortLabel(of.why)}.`;
    case "usual":
    case "measured":
    case "follows":
      return because(of.why);
    default:
      return of satisfies never;
  }
}

/** A decision; plans of older versions lack the knobs that came later. */
type Decision = NonNullable<Decided[keyof Decided]>;

function shown(key: string, value: Decision["value"]): string {
  if (typeof value === "boolean") return value ? "on" : "off";
  if (typeof value === "string") return choice(key, value);
  if (typeof value === "object") return (Array.isArray(value) ? value : value.named).join(", ");
  return Number.isInteger(value) && key !== "seed" ? count(value) : rate(value);
}

/** A key as a name, for one that nobody named. */
const spelled = (key: string): string => key.charAt(0).toUpperCase() + key.slice(1).replaceAll("_", " ");

const device = (of: DeviceInfo): string => `${of.name} (${deviceName(of).toLowerCase()}, ${of.api})`;

export function planGroups({ plan, row, device: taken, parameters }: RunDetail, knobs: readonly Knob[]): PlanGroup[] {
  const said = (label: string, value: string, why: string, asked = false): PlanRow => ({
    label,
    value,
    because: why,
    asked,
  });
  const what = [
    said("Model", plan.model, "What it starts from."),
    said("Data", row.data, `Version ${plan.data_version.slice(0, 12)}.`),
    said(
      "Device",
      taken ? device(taken) : plan.device.value.kind,
      reason(plan.device.because),
      plan.device.because.kind === "asked",
    ),
    said("Memory", range(plan.forecast.memory, bytes), "As forecast, at the most."),
    said("Time", time(plan.forecast.secs), `As forecast, for ${count(plan.forecast.tokens)} tokens.`),
  ];
  if (parameters)
    what.push(said("Numbers that learn", count(parameters.trainable), `Of ${count(parameters.total)} in all.`));
  const named = new Map(knobs.map((knob) => [knob.key, knob]));
  const all = Object.keys(plan.knobs).map(
    (key): Knob => named.get(key) ?? { key, label: spelled(key), help: "", kind: { kind: "switch" } },
  );
  const groups = grouped(all).map((group) => ({
    title: group.title,
    rows: group.knobs.flatMap(({ key, label, help }) => {
      const decision: Decision | undefined = plan.knobs[key as keyof Decided];
      if (!decision) return [];
      const { value, because: why } = decision;
      return [{ label, help, value: shown(key, value), because: reason(why), asked: why.kind === "asked" }];
    }),
  }));
  return [{ title: "Run", rows: what }, ...groups];
}
