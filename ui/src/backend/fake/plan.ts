// Planning: knobs, a plan, what the model will see, and the start. The address asks for more: `&plan=` one of the
// refusals below, `slow` or `never`; `&start=` a refusal of the start, or `slow`; `&see=disk`, once.

import type { ApiError, Asked, RunSpec, TaskKind, Watched } from "..";
import { exampleAt, type Kind } from "./data-examples";
import { type FakeSet, sample, setsOf } from "./data-sets";
import { KNOBS, setKnob } from "./knobs";
import { type Facts, planned } from "./planner";
import { runsOf } from "./runs";
import { type Piece, refusal, type Scene, wait, work } from "./scene";
import { seen } from "./see";
import { devicesOf } from "./settings";
import { checkOf } from "./device-checks";

const REFUSALS: Record<string, ApiError> = {
  nothing_to_learn: refusal(
    "nothing_to_learn",
    "None of the tokens would be taught, so nothing would be learned.",
    "Check which column holds the replies, or set supervise to everything.",
  ),
  no_rows: refusal(
    "nothing_to_learn",
    "There are no training examples.",
    "Set fewer aside for validation and test, or add rows to the data set.",
  ),
  bad_data: refusal(
    "bad_data",
    "The data holds conversations, and this model has no chat template to write them with.",
    "Choose a model that was taught to chat, or map the columns to a prompt and a completion.",
  ),
  bad_model: refusal("bad_model", "model.safetensors ends in the middle of a tensor.", "Download the model again."),
  device: refusal(
    "device",
    "There is no device gpu:1 on this computer.",
    "Choose one that is in the list; the processor always works.",
  ),
  disk: refusal(
    "disk",
    "The lengths of the examples could not be kept: the disk is full.",
    "Free some space, then try again.",
  ),
};
const NOT_STARTED = refusal(
  "disk",
  "The folder of the run could not be made: the disk is full.",
  "Free some space, then start again; what you set is kept.",
);

/** What data that is not to be written teaches, the usual first. */
const TASKS: Partial<Record<Kind, readonly TaskKind[]>> = {
  labels: ["classify", "classify-several"],
  several: ["classify-several"],
  alike: ["score"],
  names: ["tag"],
};

/** What becomes of a question for which the address asks a refusal: some can be mended. */
function refused(kind: string, { knobs, device, model }: RunSpec): ApiError | null {
  if (kind === "nothing_to_learn" && knobs.supervise === "everything") return null;
  if (kind === "device" && device?.kind === "cpu") return null;
  if (kind === "bad_data" && model.includes("Instruct")) return null;
  return REFUSALS[kind] ?? null;
}

/** Sorted lengths, spread as the fake's histogram spreads them: many short, few long. */
function lengthsOf(set: FakeSet, model: string): number[] {
  const long = set.kind === "odd" ? 40 : set.kind === "notes" ? 6 : 1;
  const middle = (180 + (model.length % 5) * 12) * Math.sqrt(long);
  const of = Array.from({ length: 400 }, (_, i) => Math.round((1500 * long * (i + 0.5)) / 400));
  return of.flatMap((length) => {
    const at = Math.log(length / middle);
    return Array.from({ length: Math.round(20 * Math.exp(-(at * at) / 0.7)) }, () => length);
  });
}

export function plan(scene: Scene): Piece {
  const kind = scene.query.get("plan") ?? (scene.name === "busy" ? "slow" : "");
  const sets = setsOf(scene);
  const setOf = (id: string): FakeSet => sets.find((set) => set.info.id === id) ?? sample();
  let hashed = false;
  let seenBefore = false;

  /** The weights are hashed once, the examples made into tokens once. */
  async function measure(watched?: Watched): Promise<void> {
    if (kind === "never") await wait(1e8, watched?.signal);
    if (kind === "slow" && !hashed) {
      await work(watched, "Reading the weights", { total: 272e6, unit: "bytes", secs: 2.5 });
      await work(watched, "Counting tokens", { total: 4331, unit: "pieces", secs: 2 });
    }
    hashed = true;
    await wait(60, watched?.signal);
  }

  function facts(of: RunSpec): Facts {
    const set = setOf(of.data);
    const { info } = set;
    return {
      data: info.name,
      version: info.version,
      train: info.counts.train,
      validation: info.counts.validation,
      kind: exampleAt(set.kind, 0).kind,
      tasks: TASKS[set.kind] ?? (of.model.includes("t5") ? ["transform"] : ["write"]),
      lengths: lengthsOf(set, of.model),
      devices: devicesOf(scene.name).map((device) => ({ device, check: checkOf(scene, device) })),
    };
  }

  return {
    knobs: async () => KNOBS,
    setKnob: async (asked: Asked, key, value) => setKnob(asked, key, value),
    async plan(spec, watched) {
      await measure(watched);
      const error = refused(kind, spec);
      if (error) throw error;
      return planned(spec, facts(spec));
    },
    async startRun(spec, watched) {
      if (scene.query.get("start") === "slow")
        await work(watched, "Writing the rows", { total: 4331, unit: "pieces", secs: 4 });
      await wait(100, watched?.signal);
      if (scene.query.get("start") === "disk") throw NOT_STARTED;
      const { name, plan } = planned(spec, facts(spec));
      return runsOf(scene).start({ ...spec, name }, setOf(spec.data).info.name, plan.knobs.max_steps.value);
    },
    async see(id, _version, _model, supervise, context, offset, n) {
      await wait(60);
      if (scene.query.get("see") === "disk" && !seenBefore) {
        seenBefore = true;
        throw refusal(
          "disk",
          "The stored examples cannot be read: the disk does not answer.",
          "Check that the disk is there.",
        );
      }
      return Array.from({ length: n }, (_, i) => seen(exampleAt(setOf(id).kind, offset + i), supervise, context));
    },
  };
}
