// What a new run says: steps, efforts, knobs and what a plan expects. Unknown is a dash, never 0.

import type {
  Counts,
  DeviceChoice,
  DeviceInfo,
  Effort,
  Knob,
  LocalModel,
  Plan,
  Range,
  Seen,
  Supervise,
} from "../backend";
import { bytes, count, DASH, percent, range } from "../words";
import { parts } from "./data";
import { deviceKind } from "./home";
import { context, parameters, skill } from "./models";

export type StepId = "model" | "data" | "how" | "review";
export const STEPS: readonly StepId[] = ["model", "data", "how", "review"];

const TITLES: Record<StepId, string> = { model: "Model", data: "Data", how: "How", review: "Review" };
const QUESTIONS: Record<StepId, string> = {
  model: "What the run starts from. It stays as it is; what is learned is kept beside it.",
  data: "The examples that the model learns from.",
  how: "How much time to spend. Everything else follows, and can be changed.",
  review: "",
};
export const stepTitle = (step: StepId): string => TITLES[step];
export const question = (step: StepId): string => QUESTIONS[step];

export const EFFORTS: readonly { value: Effort; label: string; says: string }[] = [
  { value: "quick", label: "Quick", says: "A first look: whether it learns at all." },
  { value: "standard", label: "Standard", says: "What serves most: enough to be of use." },
  { value: "thorough", label: "Thorough", says: "The most that the data gives." },
];
/** What an effort is for; where the most takes no more steps than Standard, what it has instead. */
export function effortSays(effort: Effort, plan: Plan | null, standard: Plan | null): string {
  const says = EFFORTS.find(({ value }) => value === effort)?.says ?? DASH;
  if (effort !== "thorough" || !plan || !standard || effortSteps(plan) !== effortSteps(standard)) return says;
  return JSON.stringify(values(plan)) === JSON.stringify(values(standard))
    ? "The same as Standard here: the data gives no more."
    : "As often through the data as Standard, and more of the model learns.";
}
const values = ({ knobs }: Plan) => Object.entries(knobs).map(([key, { value }]) => [key, value]);

export const effortLabel = (of: Effort | null): string =>
  EFFORTS.find((effort) => effort.value === (of ?? "standard"))?.label ?? DASH;

export const SUPERVISED: readonly { value: Supervise; label: string }[] = [
  { value: "replies", label: "Replies" },
  { value: "last-reply", label: "Last reply" },
  { value: "everything", label: "Everything" },
];

// ---- knobs -------------------------------------------------------------------------------------------------------
export type KnobGroup = { title: string; knobs: readonly Knob[] };

/** In the order of the form. A knob that is in none stands under "More", so that no new one is lost. */
const GROUPS: readonly [title: string, keys: readonly string[]][] = [
  ["What is taught", ["supervise", "source_prefix"]],
  ["What is trained", ["method", "trainable", "quantization", "mixed_precision"]],
  ["Adapter", ["rank", "alpha", "dropout", "target_modules", "use_rslora"]],
  ["Learning", ["learning_rate", "schedule", "warmup_ratio", "weight_decay", "max_grad_norm", "class_weights", "seed"]],
  [
    "Length and batch",
    ["context_length", "packing", "group_by_length", "epochs", "max_steps", "batch_size", "gradient_accumulation"],
  ],
  ["Memory", ["gradient_checkpointing", "optim"]],
  ["Checks", ["eval_interval", "eval_examples", "early_stopping_patience", "save_interval", "n_samples"]],
];

export function grouped(knobs: readonly Knob[]): KnobGroup[] {
  const known = new Set(GROUPS.flatMap(([, keys]) => keys));
  const named = GROUPS.map(([title, keys]) => ({ title, knobs: knobs.filter((knob) => keys.includes(knob.key)) }));
  return [...named, { title: "More", knobs: knobs.filter((knob) => !known.has(knob.key)) }].filter(
    (group) => group.knobs.length > 0,
  );
}

const CHOICES: Record<string, string> = {
  everything: "Everything",
  replies: "Replies",
  "last-reply": "Last reply",
  linear: "Straight down",
  cosine: "Gently down",
  constant: "As it is",
  lora: "A small adapter (LoRA)",
  full: "The model itself (full)",
};
/** A knob's word in plain words, with the word itself where it is a standard term. */
export function choice(key: string, word: string): string {
  const plain = CHOICES[word] ?? word;
  return key === "schedule" ? `${plain} (${word})` : plain;
}

/** What the planner says in passing, as a sentence of its own. */
export function sentence(said: string): string {
  const plain = said.replace(/`([^`]*)`/g, "“$1”");
  const whole = plain.charAt(0).toUpperCase() + plain.slice(1);
  return /[.?]$/.test(whole) ? whole : `${whole}.`;
}

/** The reason of a value. */
export function because(why: string): string {
  const effort = /^goes with (quick|standard|thorough)$/.exec(why)?.[1] as Effort | undefined;
  return sentence(effort ? `goes with ${effortLabel(effort)}` : why);
}

export const knobsSet = (n: number): string => (n === 0 ? "" : `${n === 1 ? "1 knob" : `${n} knobs`} set by you`);
export const changed = (n: number): string => (n === 0 ? "" : `${count(n)} set by you`);

// ---- what it costs -----------------------------------------------------------------------------------------------
/** As exact as a forecast can be: `40 s`, `12 min`, `2.5 h`. */
export function roughly(secs: number): string {
  if (secs < 90) return `${Math.max(1, Math.round(secs < 20 ? secs : secs / 5) * (secs < 20 ? 1 : 5))} s`;
  if (secs < 90 * 60) return `${Math.round(secs / 60)} min`;
  return `${Number((secs / 3600).toFixed(secs < 36_000 ? 1 : 0))} h`;
}

export const time = (secs: Range): string => range(secs, roughly);

/** `2.1–2.9 of 8 GB`; without the whole where it is not known. */
export function memory(needs: Range, available: number | null): string {
  if (available === null) return range(needs, bytes);
  const unit = available >= 1e9 ? 1e9 : 1e6;
  const [low, high] = [needs.low, needs.high].map((n) => (n / unit).toFixed(unit === 1e9 ? 1 : 0));
  const whole = Number((available / unit).toFixed(1));
  return `${low === high ? low : `${low}–${high}`} of ${whole} ${unit === 1e9 ? "GB" : "MB"}`;
}

/** `60 steps, 3 times through the data`. */
export function effortSteps(plan: Plan): string {
  const { max_steps, epochs } = plan.knobs;
  const steps = max_steps.value === 1 ? "1 step" : `${count(max_steps.value)} steps`;
  const n = Number(epochs.value.toPrecision(2));
  return `${steps}, ${n === 1 ? "once" : `${count(n)} times`} through the data`;
}

export const deviceName = (device: DeviceInfo): string => deviceKind(device.kind);

// ---- what is chosen ----------------------------------------------------------------------------------------------
export const modelFacts = (model: LocalModel): string[] => [
  parameters(model.n_parameters),
  bytes(model.bytes),
  context(model.context),
  ...(model.skill === null ? [] : [skill(model.skill)]),
];

/** `4,331 to train, 481 to validate · an earlier version`. */
export const dataFacts = (counts: Counts | null, older: string | null): string =>
  [...(counts ? [parts(counts)] : []), ...(older ? ["an earlier version"] : [])].join(" · ");

// ---- what the model will see -------------------------------------------------------------------------------------
/** White space as something that can be seen; the rest as it is. */
export const visible = (piece: string): string => piece.replace(/ /g, "·").replace(/\t/g, "→").replace(/\r?\n/g, "↵");

/** `12 of 187 tokens taught`. */
export const taughtOf = (taught: number, all: number): string => `${count(taught)} of ${count(all)} tokens taught`;

/** `187 tokens`. */
export const tokensOf = (all: number): string => (all === 1 ? "1 token" : `${count(all)} tokens`);

/** Of all examples, how many are longer than the context; `longer`: one that would hold them, if there is. */
export function cutShare(share: number, measured: number, of: number, longer: number | null): string {
  const many = measured < of ? `About ${percent(share)}` : percent(share);
  const end = longer === null ? " A longer context does not fit this model and this memory." : "";
  return `${many} of the examples are longer than the context and lose their end.${end}`;
}

/** What the tokens do not reach: the text after the last of them. Marks added around the text are none of it. */
export function cutText(seen: Seen): string {
  if (seen.n_cut === 0) return "";
  const reached = seen.tokens.reduce((at, { piece }) => (seen.text.startsWith(piece, at) ? at + piece.length : at), 0);
  return seen.text.slice(reached);
}

/** Whether the model will learn where to stop. */
export function endWords(seen: Seen): { tone: "good" | "warn"; words: string } {
  const end = seen.end_token;
  if (end === null) return { tone: "warn", words: "This model has no end token, so nothing teaches it where to stop." };
  if (seen.end_is_taught)
    return { tone: "good", words: `The end token ${end} is taught: the model learns where to stop.` };
  const why = seen.n_cut > 0 ? "is cut off" : "is not taught";
  return {
    tone: "warn",
    words: `The end token ${end} ${why}: from this example the model does not learn where to stop.`,
  };
}

export const deviceId = (of: DeviceChoice): string => (of.kind === "cpu" ? "cpu" : `gpu:${of.index}`);

/** From and to, as shares of what there is. */
export const shares = (needs: Range, available: number | null): [number, number] | null =>
  available === null || available <= 0
    ? null
    : [Math.min(1, needs.low / available), Math.min(1, needs.high / available)];
