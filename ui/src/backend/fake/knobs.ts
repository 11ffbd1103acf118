// The table of knobs, as crate spec has it, and how a typed value is taken or refused.

import type { Asked, Knob, KnobKind, TargetModules } from "..";
import { refusal } from "./scene";

const whole = (min: number, max: number): KnobKind => ({ kind: "whole", min, max });
const real = (min: number, max: number): KnobKind => ({ kind: "real", min, max });
const choice = (...of: string[]): KnobKind => ({ kind: "choice", of });
const onOff: KnobKind = { kind: "switch" };

export const KNOBS: Knob[] = [
  [
    "supervise",
    "What is taught",
    "Which tokens the model learns to write: everything, the replies, or only the last reply.",
    choice("everything", "replies", "last-reply"),
  ],
  [
    "context_length",
    "Context length",
    "The longest example in tokens; what is longer is cut. Longer needs more memory.",
    whole(8, 131_072),
  ],
  [
    "packing",
    "Packing",
    "Puts short examples into one row, so that no time goes into padding. They do not see each other.",
    onOff,
  ],
  [
    "quantization",
    "Frozen weights",
    "none keeps 32 bits; bf16 half, and is quicker where the processor multiplies such; q8_0 or nf4 (QLoRA) take a quarter or a seventh; stored leaves a GGUF's.",
    choice("none", "bf16", "stored", "nf4", "q8_0"),
  ],
  [
    "mixed_precision",
    "Mixed precision",
    "fp16 makes products on a graphics adapter in 16 bits: frozen weights take half the memory, and most cards are quicker.",
    choice("no", "fp16"),
  ],
  ["rank", "Rank", "How much the adapter can hold. Double it if the model does not pick up the task.", whole(1, 1024)],
  ["alpha", "Alpha", "How strongly the adapter speaks: its output is scaled by alpha / rank.", real(0.01, 4096)],
  [
    "dropout",
    "Dropout",
    "The share of the adapter's input left out at random in each step; helps on very little data.",
    real(0, 0.9),
  ],
  [
    "target_modules",
    "Target modules",
    "Which layers get an adapter. All of them learns most; attention alone is smaller.",
    { kind: "words", examples: ["all-linear", "attention", "q_proj,v_proj"] },
  ],
  [
    "use_rslora",
    "Rank-stabilised scale",
    "Scales by alpha / √rank instead, which keeps high ranks from fading.",
    onOff,
  ],
  ["learning_rate", "Learning rate", "How far each step moves the adapter. Halve it if the loss jumps.", real(1e-7, 1)],
  ["schedule", "Schedule", "How the learning rate falls towards the end.", choice("linear", "cosine", "constant")],
  ["warmup_ratio", "Warm-up", "The share of all steps over which the learning rate rises from zero.", real(0, 0.9)],
  ["epochs", "Epochs", "How often the model sees the whole training data.", real(0.001, 1000)],
  [
    "max_steps",
    "Steps",
    "How many times the adapter is moved. Follows from the epochs unless it is set.",
    whole(1, 10_000_000),
  ],
  ["batch_size", "Batch size", "Rows that go through the model at once. Fewer need less memory.", whole(1, 1024)],
  [
    "gradient_accumulation",
    "Accumulation",
    "Batches whose gradients are summed before the adapter moves. More are steadier and slower.",
    whole(1, 4096),
  ],
  ["weight_decay", "Weight decay", "Pulls the adapter towards zero a little in each step.", real(0, 1)],
  [
    "max_grad_norm",
    "Gradient clipping",
    "Longer gradients are shortened to this, so that one odd batch does no harm; 0 is off.",
    real(0, 1000),
  ],
  [
    "seed",
    "Seed",
    "Of everything random. The same seed on the same device gives the same run.",
    whole(0, Number.MAX_SAFE_INTEGER),
  ],
  ["eval_interval", "Validation interval", "Steps between two looks at the validation data.", whole(1, 1_000_000)],
  [
    "early_stopping_patience",
    "Early stopping",
    "Ends the run after this many looks without a better validation loss; 0 is off.",
    whole(0, 1000),
  ],
  [
    "save_interval",
    "Checkpoint interval",
    "Steps between two checkpoints: the most that a crash can cost.",
    whole(1, 1_000_000),
  ],
  ["n_samples", "Samples", "Validation prompts that the model answers at each look, for you to read.", whole(0, 16)],
].map(([key, label, help, kind]) => ({ key, label, help, kind }) as Knob);

function kindInWords(kind: KnobKind): string {
  switch (kind.kind) {
    case "whole":
      return `a whole number from ${kind.min} to ${kind.max}`;
    case "real":
      return `a number from ${kind.min} to ${kind.max}`;
    case "switch":
      return "on or off";
    case "choice":
      return `one of ${kind.of.join(", ")}`;
    case "words":
      return `such as ${kind.examples.join(" or ")}`;
    default:
      return kind satisfies never;
  }
}

function parse(kind: KnobKind, typed: string): unknown {
  switch (kind.kind) {
    case "whole":
    case "real": {
      const fits = kind.kind === "whole" ? /^\d+$/ : /^-?\d*\.?\d+(e-?\d+)?$/;
      const n = fits.test(typed) ? Number(typed) : NaN;
      return n >= kind.min && n <= kind.max ? n : null;
    }
    case "switch":
      return typed === "on" ? true : typed === "off" ? false : null;
    case "choice":
      return kind.of.includes(typed) ? typed : null;
    case "words":
      return modules(typed);
    default:
      return kind satisfies never;
  }
}

function modules(typed: string): TargetModules | null {
  if (typed === "all-linear" || typed === "attention") return typed;
  const named = typed.split(",").map((name) => name.trim());
  return named.every((name) => /^[\w.]+$/.test(name)) ? { named } : null;
}

export function setKnob(asked: Asked, key: string, typed: string): Asked {
  const knob = KNOBS.find((one) => one.key === key);
  if (!knob) throw refusal("usage", `There is no setting \`${key}\`.`);
  const value = parse(knob.kind, typed.trim());
  if (value === null) throw refusal("usage", `\`${typed}\` does not fit ${key}: it is ${kindInWords(knob.kind)}`);
  return { ...asked, [key]: value };
}
