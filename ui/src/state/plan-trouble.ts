// Why there is no plan: which step it concerns, and what would help.

import type { ApiError, DeviceChoice, DeviceInfo, LocalModel } from "../backend";
import { bytes } from "../words";
import type { StepId } from "../words/plan";

export type Remedy =
  | { kind: "knobs"; label: string; set: readonly [key: string, value: string][] }
  | { kind: "device"; label: string; device: DeviceChoice }
  | { kind: "step"; label: string; step: StepId }
  | { kind: "data"; label: string }
  | { kind: "again"; label: string };

/** What is known of the question that was refused. */
export type Question = {
  model: LocalModel | null;
  /** Examples to train on. */
  trains: number | null;
  supervise: string | null;
  /** The keys of all knobs. */
  knobs: readonly string[];
  devices: readonly DeviceInfo[];
};

/** The step where the answer lies. */
export function concern(error: ApiError, { model }: Question): StepId {
  switch (error.code) {
    case "bad_model":
    case "network":
    case "forbidden":
      return "model";
    case "not_found":
      return model ? "data" : "model";
    case "bad_data":
      // A conversation needs a template, which such a model has not.
      return model?.skill === "goes_on" ? "model" : "data";
    case "nothing_to_learn":
      return "data";
    case "out_of_memory":
    case "usage":
    case "device":
      return "how";
    default:
      return "review";
  }
}

/** A refusal names what helps: "It fits with batch size 2 instead of 8 and context length 512 instead of 1,024." */
const NAMED = /([a-z][a-z ]*?) ([\d,]+) instead of [\d,]+/g;

function named(error: ApiError, knobs: readonly string[]): Remedy[] {
  const found = [...(error.hint ?? "").matchAll(NAMED)].map(([, words = "", value = ""]) => {
    const key = knobs.find((knob) => words.endsWith(knob.replaceAll("_", " ")));
    return key ? ([key, value.replaceAll(",", "")] as [string, string]) : null;
  });
  const set = found.filter((one) => one !== null);
  if (set.length === 0 || set.length < found.length) return [];
  const said = set
    .map(([key, value]) => `${key.replaceAll("_", " ")} ${Number(value).toLocaleString("en")}`)
    .join(" and ");
  return [{ kind: "knobs", label: `Use ${said}`, set }];
}

/** Devices with more memory than the one that the refusal names. */
function larger(error: ApiError, devices: readonly DeviceInfo[]): Remedy[] {
  const asked = devices.find((device) => error.message.includes(device.name));
  return devices
    .filter((device) => (device.memory ?? 0) > (asked?.memory ?? Infinity))
    .map(({ choice, name, memory }) => ({
      kind: "device",
      label: `Compute on ${name} (${bytes(memory)})`,
      device: choice,
    }));
}

/** What would help, the likeliest first. */
export function remedies(error: ApiError, question: Question): Remedy[] {
  const another: Remedy = { kind: "step", label: "Choose another model", step: "model" };
  const look: Remedy = { kind: "data", label: "Look at the data" };
  switch (error.code) {
    case "out_of_memory":
      return [...named(error, question.knobs), ...larger(error, question.devices), another];
    case "nothing_to_learn": {
      const all: Remedy = { kind: "knobs", label: "Teach everything", set: [["supervise", "everything"]] };
      const can = question.trains !== 0 && question.supervise !== "everything";
      return can ? [all, look] : [look];
    }
    case "bad_data":
      return question.model?.skill === "goes_on" ? [another, look] : [look];
    case "bad_model":
    case "network":
    case "forbidden":
      return [another, { kind: "again", label: "Try again" }];
    case "not_found":
      return question.model ? [{ kind: "step", label: "Choose other data", step: "data" }] : [another];
    case "device":
      return [{ kind: "device", label: "Use the processor", device: { kind: "cpu" } }];
    case "usage":
      return [{ kind: "step", label: "Show every knob", step: "how" }];
    default:
      return [{ kind: "again", label: "Try again" }];
  }
}
