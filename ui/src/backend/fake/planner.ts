// A small plan of crate plan's kind: close enough to its numbers and its words for the page to be true to life.

import type {
  Asked,
  Because,
  CheckedDevice,
  Chosen,
  Decided,
  DeviceFit,
  Effort,
  Example,
  Plan,
  Planned,
  RunSpec,
  TaskKind,
} from "..";
import { count } from "../../words";
import { answersWithHead, kindOf } from "../../words/task";
import { taskOf } from "./heads";
import { fit, LADDER, memory, secs, tooLarge } from "./planned-needs";
import { refusal } from "./scene";

export type Facts = {
  /** Of the data: its name, how many to learn from, and the lengths of some, sorted. */
  data: string;
  version: string;
  train: number;
  validation: number;
  kind: Example["kind"];
  /** What goes with the data, the usual first. */
  tasks: readonly TaskKind[];
  lengths: readonly number[];
  devices: readonly CheckedDevice[];
};

const BUDGETS = {
  quick: { rank: 8, epochs: 1, least: 30, secs: 300, context: 512 },
  standard: { rank: 16, epochs: 3, least: 60, secs: 7200, context: 2048 },
  thorough: { rank: 32, epochs: 5, least: 120, secs: 43_200, context: 8192 },
} satisfies Record<Effort, object>;
const usual = <T>(value: T, why: string): Chosen<T> => ({ value, because: { kind: "usual", why } });
const measured = <T>(value: T, why: string): Chosen<T> => ({ value, because: { kind: "measured", why } });
const follows = <T>(value: T, why: string): Chosen<T> => ({ value, because: { kind: "follows", why } });

function said(because: Because): string {
  if (because.kind === "asked") return "you set it";
  return because.kind === "effort" ? `goes with ${because.why}` : because.why;
}

const WHY: Record<Example["kind"], string> = {
  text: "the data is text to be written",
  completion: "the data is text to be written",
  chat: "the data is text to be written",
  labelled: "each text of the data has one label",
  scored: "each text of the data has a number",
  tagged: "each word of the data has a tag",
};

type Value = string | number | boolean | string[] | { named: string[] };
const shown = (value: Value): string => {
  if (typeof value === "boolean") return value ? "on" : "off";
  return typeof value === "object" ? (Array.isArray(value) ? value : value.named).join(",") : String(value);
};

/** The shortest length that holds nearly all examples, within what the effort and the memory allow. */
function context(facts: Facts, most: number, fits: (length: number) => boolean): Chosen<number> {
  const { lengths } = facts;
  const longest = lengths.at(-1) ?? 0;
  const wanted = lengths[Math.floor(0.98 * (lengths.length - 1))] ?? 512;
  const enough = Math.min(LADDER.find((rung) => rung >= wanted) ?? 8192, most);
  const value = LADDER.findLast((rung) => rung <= enough && fits(rung)) ?? 64;
  const whole = lengths.filter((length) => length <= value).length / lengths.length;
  const covers =
    whole === 1 ? "holds all your examples" : `covers ${Math.min(99, Math.round(100 * whole))} % of your examples`;
  return measured(
    value,
    `${covers}; ${value < enough ? "more does not fit into memory" : `the longest has ${count(longest)} tokens`}`,
  );
}

function supervise({ kind }: Facts): Decided["supervise"] {
  if (kind === "text") return usual("everything", "running text has no replies: all of it is taught");
  return usual(
    "replies",
    kind === "chat"
      ? "the model should learn to answer, not to ask"
      : "the model should learn the completions, not the prompts",
  );
}

function decide(spec: RunSpec, facts: Facts, has: number): { knobs: Decided; rowTokens: number } {
  const effort = spec.effort ?? "standard";
  const budget = BUDGETS[effort];
  const asked: Asked = spec.knobs;
  type Settled<K extends keyof Decided> = NonNullable<Decided[K]>;
  const or = <K extends keyof Decided>(key: K, made: Settled<K>): Settled<K> =>
    (asked[key] ?? null) === null ? made : ({ value: asked[key], because: { kind: "asked" } } as Settled<K>);
  const rank = or("rank", { value: budget.rank, because: { kind: "effort", why: effort } });
  const fits = (batch: number, tokens: number) => memory(spec, rank.value, batch, tokens).high <= has;
  const context_length = or(
    "context_length",
    context(facts, budget.context, (length) => fits(asked.batch_size ?? 1, length)),
  );
  const limit = context_length.value;
  const capped = facts.lengths.map((length) => Math.min(length, limit));
  const mean = capped.reduce((sum, length) => sum + length, 0) / capped.length;
  const median = facts.lengths[Math.floor(facts.lengths.length / 2)] ?? 0;
  const shares = Math.floor(limit / median);
  const packing = or(
    "packing",
    shares >= 2
      ? measured(true, `half of your examples have at most ${count(median)} tokens, so ${shares} or more share a row`)
      : measured(false, `half of your examples have ${count(median)} tokens or more, which leaves no room to share`),
  );
  const rows = packing.value ? Math.ceil((facts.train * mean) / (0.95 * limit)) : facts.train;
  const rowTokens = (facts.train * mean) / rows;
  const goal = Math.max(1, Math.min(8, packing.value ? Math.round(2048 / rowTokens) : 8));
  const together = [goal, goal >> 1, goal >> 2, 1].find((batch) => batch > 0 && fits(batch, limit)) ?? 1;
  const batch_size = or(
    "batch_size",
    together === goal
      ? follows(goal, `all ${goal} rows of a step at once`)
      : measured(together, `${goal} rows at once do not fit into memory`),
  );
  const gradient_accumulation = or(
    "gradient_accumulation",
    follows(
      Math.max(1, Math.ceil(goal / batch_size.value)),
      `makes ${goal} rows and about ${count(Math.round(goal * rowTokens))} tokens a step, which keeps it steady`,
    ),
  );
  const perEpoch = Math.max(1, Math.ceil(rows / (batch_size.value * gradient_accumulation.value)));
  const times = Math.max(budget.epochs, Math.min(20, Math.ceil(budget.least / perEpoch)));
  const free: Chosen<number> = asked.max_steps
    ? follows(
        asked.max_steps / perEpoch,
        `${count(asked.max_steps)} steps, and once through the data takes ${count(perEpoch)}`,
      )
    : times > budget.epochs
      ? measured(
          times,
          `once through your data takes ${perEpoch} steps, and fewer than ${budget.least} in all teach little`,
        )
      : { value: times, because: { kind: "effort", why: effort } };
  const epochs = or("epochs", free);
  const steps = Math.ceil(epochs.value * perEpoch);
  const max_steps = or(
    "max_steps",
    follows(
      steps,
      `${epochs.value === 1 ? "once" : `${epochs.value} times`} through the data, ${count(perEpoch)} steps${epochs.value === 1 ? "" : " each"}`,
    ),
  );
  const looks = Math.max(1, Math.ceil(max_steps.value / 10));
  const knobs: Decided = {
    supervise: or("supervise", supervise(facts)),
    context_length,
    packing,
    quantization: or("quantization", usual("none", "exact weights, since there is memory for them")),
    mixed_precision: or(
      "mixed_precision",
      usual("no", "32 bits are the surest; fp16 halves the frozen weights and is quicker on most cards"),
    ),
    rank,
    alpha: or("alpha", follows(2 * rank.value, `twice the rank of ${rank.value}`)),
    dropout: or(
      "dropout",
      facts.train < 500
        ? measured(0.05, `${count(facts.train)} examples are few, and this keeps them from being learned by heart`)
        : measured(0, `${count(facts.train)} examples need none`),
    ),
    target_modules: or("target_modules", usual("all-linear", "adapting all linear layers learns most for its size")),
    use_rslora: or("use_rslora", usual(false, "the plain scale is what most tools expect")),
    learning_rate: or(
      "learning_rate",
      usual(0.0002, "adapters of small models learn well at 0.0002; full training would want a tenth of it"),
    ),
    schedule: or(
      "schedule",
      steps < 100
        ? follows("linear", `${steps} steps: a straight fall suits a short run`)
        : follows("cosine", `${count(steps)} steps: long enough to fall gently`),
    ),
    warmup_ratio: or(
      "warmup_ratio",
      follows(0.05, `the learning rate rises over the first ${Math.ceil(0.05 * steps)} of ${count(steps)} steps`),
    ),
    epochs,
    max_steps,
    batch_size,
    gradient_accumulation,
    weight_decay: or("weight_decay", usual(0.01, "a light pull that rarely hurts")),
    max_grad_norm: or("max_grad_norm", usual(1, "only odd batches go past 1")),
    seed: or("seed", usual(42, "any number serves; the same one gives the same run")),
    eval_interval: or(
      "eval_interval",
      follows(looks, `10 looks at your ${count(facts.validation)} validation examples in the run`),
    ),
    early_stopping_patience: or(
      "early_stopping_patience",
      usual(3, "after three looks without gain, more training only learns by heart"),
    ),
    save_interval: or("save_interval", follows(looks, "at each look at the validation data")),
    n_samples: or("n_samples", usual(3, "enough to read at a glance, and quick to write")),
  };
  return { knobs, rowTokens };
}

const quoted = (text: string): string => (/^[\w./:-]+$/.test(text) ? text : `"${text}"`);

function command(spec: RunSpec, facts: Facts): string {
  const device = spec.device && (spec.device.kind === "cpu" ? "cpu" : `gpu:${spec.device.index}`);
  const knobs = (Object.entries(spec.knobs) as [string, Value | null][]).filter(([, value]) => value !== null) as [
    string,
    Value,
  ][];
  return [
    "tunesmith train",
    `--model ${quoted(spec.model)}`,
    `--data ${quoted(facts.data)}`,
    ...(spec.name ? [`--name ${quoted(spec.name)}`] : []),
    ...(spec.effort ? [`--effort ${spec.effort}`] : []),
    ...(device ? [`--device ${device}`] : []),
    ...knobs.map(([key, value]) => `--${key.replaceAll("_", "-")} ${shown(value)}`),
  ].join(" ");
}

/** A graphics adapter, unless its check failed. */
function best(devices: readonly CheckedDevice[]) {
  const usable = devices.filter(({ check }) => check === null || check.verdict.kind === "right");
  return (usable.find(({ device }) => device.kind !== "cpu") ?? usable[0] ?? devices[0])?.device;
}

export function planned(spec: RunSpec, facts: Facts): Planned {
  const same = (one: unknown) => JSON.stringify(one) === JSON.stringify(spec.device);
  const named = facts.devices.find((one) => same(one.device.choice));
  const device = named?.device ?? best(facts.devices);
  if (!device) throw refusal("device", "No device was found.");
  const failed = named?.check?.verdict;
  if (failed && failed.kind !== "right")
    throw refusal(
      "device",
      `${device.name} ${failed.kind === "wrong" ? "computes wrongly" : "failed its last check"}: ${failed.what}`,
      "Check this computer again after an update of the driver, or train on the processor.",
    );
  const { knobs, rowTokens } = decide(spec, facts, device.memory ?? 8e9);
  const step = knobs.batch_size.value * knobs.gradient_accumulation.value * rowTokens;
  const tokens = Math.round(knobs.max_steps.value * step);
  const longest = knobs.packing.value
    ? knobs.context_length.value
    : Math.min(knobs.context_length.value, facts.lengths.at(-1) ?? 512);
  const needs = memory(spec, knobs.rank.value, knobs.batch_size.value, longest);
  const fits = facts.devices.map(({ device: one, check }): DeviceFit => ({
    device: one,
    check,
    fit: fit(needs, one.memory),
    memory: needs,
    available: one.memory,
    secs: secs(spec, one, tokens),
    chosen: one === device,
  }));
  const chosen = fits.find((one) => one.chosen) as DeviceFit;
  if (chosen.fit.kind === "too_large") throw tooLarge(spec, knobs, device, needs);
  const because: Because = spec.device
    ? { kind: "asked" }
    : { kind: "usual", why: `the ${device.kind === "cpu" ? "processor" : "graphics adapter"}: ${device.name}` };
  const plan: Plan = {
    model: spec.model,
    model_hash: "9f2c".repeat(16),
    data_version: spec.data_version ?? facts.version,
    device: { value: device.choice, because },
    task: spec.task
      ? { value: taskOf(spec.task), because: { kind: "asked" } }
      : measured(taskOf(facts.tasks[0] ?? "write"), WHY[facts.kind]),
    template: facts.kind === "chat" ? "of_model" : "none",
    knobs,
    forecast: { memory: needs, secs: chosen.secs, tokens },
  };
  const head = answersWithHead(kindOf(plan.task));
  const all = Object.entries(knobs) as [string, Chosen<Value>][];
  const rows = head ? all.filter(([key]) => !["supervise", "packing", "n_samples"].includes(key)) : all;
  return {
    plan,
    tasks: [...facts.tasks],
    devices: fits,
    command: command(spec, facts),
    name: spec.name ?? `${facts.data} on ${spec.model.split("/").at(-1)}`,
    knobs: rows.map(([key, { value, because }]) => ({
      key,
      value: shown(value),
      because: said(because),
      asked: because.kind === "asked",
    })),
  };
}
