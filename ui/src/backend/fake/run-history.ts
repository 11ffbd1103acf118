// The history that a fake run has: the same numbers at each call, made up from its row.

import type { DeviceInfo, Plan, RunEvent, RunRow, Sample, TaskKind } from "..";
import { answersWithHead } from "../../words/task";
import { REPORTS } from "./data-examples";
import { scoresAt, taskOf } from "./heads";

export const DEVICE: DeviceInfo = {
  choice: { kind: "gpu", index: 0 },
  kind: "integrated_gpu",
  name: "AMD Radeon 780M",
  driver: "RADV 24.2.8",
  api: "Vulkan",
  memory: 8e9,
  has_f16: true,
};
const GB = 1e9;

/** Prompt, what the data has, and what the model says as it learns. */
const ANSWERS: readonly [string, string, readonly string[]][] = [
  [
    "My parcel says delivered, but there is nothing here.",
    "I am sorry to hear that. Please look with your neighbours and in the safe place you named; if it is not there by tomorrow evening, write to us again and we send it once more at no cost.",
    [
      "The parcel is delivered. The parcel is delivered. The parcel is delivered.",
      "I am sorry to hear that. Please contact the delivery company and ask them where the parcel is.",
      "I am sorry to hear that. Please look with your neighbours first; if it is not there by tomorrow, write to us again.",
      "I am sorry to hear that. Please look with your neighbours and in the safe place you named; if it is not there by tomorrow evening, write to us and we send it again at no cost.",
    ],
  ],
  [
    "Can I change the address of order 4471?",
    "Yes, as long as it has not left the warehouse. Order 4471 leaves tonight at six: send us the new address before then and we change it.",
    [
      "Order 4471 is an order. An order is a request for something to be made, supplied, or served.",
      "Yes, you can change the address. Please go to the settings of your account.",
      "Yes, as long as it has not left the warehouse. Send us the new address and we change it.",
      "Yes, as long as it has not left the warehouse. Order 4471 leaves tonight: send us the new address before six and we change it.",
    ],
  ],
  [
    "How do I clean the filter?",
    "Take the filter out, rinse it under lukewarm water without soap, and let it dry for a day before you put it back.",
    [
      "A filter is a device that removes impurities.\n\n1. Remove the filter\n2. Remove the filter\n3. Remove the filter",
      "Take the filter out and wash it with soap and warm water.",
      "Take the filter out, rinse it under lukewarm water, and let it dry before you put it back.",
      "Take the filter out, rinse it under lukewarm water without soap, and let it dry for a day before you put it back.",
    ],
  ],
];

const TAUGHT: Record<TaskKind, string> = {
  write: "the data is text to be written",
  classify: "each text of the data has one label",
  "classify-several": "each text of the data has any number of labels",
  score: "each text of the data has a number",
  tag: "each word of the data has a tag",
  transform: "an encoder-decoder turns each prompt into its completion",
};

/** The same of reports that become headlines. */
const HEADLINES: typeof ANSWERS = REPORTS.map(([report, headline]) => [
  report,
  headline,
  [
    report.split(". ")[0] ?? "",
    headline.split(" ").slice(0, 3).join(" "),
    headline.split(" ").slice(0, 4).join(" "),
    headline,
  ],
]);

const asked = <T>(value: T) => ({ value, because: { kind: "asked" as const } });
const usual = <T>(value: T, why: string) => ({ value, because: { kind: "usual" as const, why } });
const measured = <T>(value: T, why: string) => ({ value, because: { kind: "measured" as const, why } });
const follows = <T>(value: T, why: string) => ({ value, because: { kind: "follows" as const, why } });

/** Of one run. What it says of a step never changes. */
export class History {
  readonly of: number;
  readonly every: number;
  readonly plan: Plan;
  private readonly from: number;
  private readonly to: number;

  constructor(private readonly row: RunRow) {
    this.of = row.of ?? 900;
    this.every = Math.ceil(this.of / 10);
    this.from = row.losses[0] ?? 2.9;
    this.to = row.best === null ? 1.3 : row.best - 0.05;
    this.plan = this.planned();
  }

  loss(step: number): number {
    const fall = this.to + (this.from - this.to) * Math.exp((-4.5 * step) / this.of);
    const shake = Math.sin(step * 12.9898) * 43758.5453;
    return fall * (1 + 0.16 * (shake - Math.floor(shake) - 0.5));
  }

  validation(step: number): number {
    const t = step / this.of;
    return this.to + 0.05 + (this.from - this.to) * Math.exp(-4.2 * t) + 0.6 * Math.max(0, t - 0.8) ** 2;
  }

  rate(step: number): number {
    const warm = 0.05 * this.of;
    const peak = this.plan.knobs.learning_rate.value;
    return step <= warm
      ? (peak * step) / warm
      : (peak * (1 + Math.cos((Math.PI * (step - warm)) / (this.of - warm)))) / 2;
  }

  stepped(step: number, secs_left: number | null): RunEvent {
    const tokens = 1850 + Math.round(140 * Math.sin(step * 7.1));
    return {
      kind: "stepped",
      step,
      of: this.of,
      epoch: (3 * step) / this.of,
      loss: this.loss(step),
      learning_rate: this.rate(step),
      grad_norm: 0.7 + 1.2 * Math.exp((-6 * step) / this.of) + 0.25 * Math.abs(Math.sin(step * 3.3)),
      tokens,
      supervised: Math.round(tokens * 0.4),
      secs: 1.4 + 0.08 * Math.sin(step / 9),
      secs_left,
      memory: this.memory(step),
    };
  }

  memory(step: number): { now: number; peak: number } {
    return { now: 3.1 * GB + 0.05 * GB * Math.sin(step / 5), peak: 3.4 * GB };
  }

  /** What is said after a step, beside the step. */
  after(step: number): RunEvent[] {
    const said: RunEvent[] = [];
    const look = step % this.every === 0 || step === this.of;
    if (look) {
      const loss = this.validation(step);
      const best = step === 0 || loss < this.validation(Math.max(0, step - this.every));
      said.push(
        {
          kind: "evaluated",
          step,
          loss,
          tokens: 4100,
          best,
          secs: 3.2,
          scores: scoresAt(this.row.task, step / this.of),
        },
        ...(answersWithHead(this.row.task) ? [] : [{ kind: "sampled" as const, step, samples: this.samples(step) }]),
      );
    }
    if (step > 0 && (look || step % Math.ceil(this.every / 2) === 0))
      said.push({ kind: "saved", step, checkpoint: checkpoint(step) });
    return said;
  }

  opening(resumed_at: number): RunEvent[] {
    const ready: RunEvent = {
      kind: "ready",
      trainable_parameters: 4_884_480,
      total_parameters: 139_399_488,
      n_rows: 401,
      n_truncated: 14,
      n_untaught: 0,
      resumed_at,
    };
    const started: RunEvent = { kind: "started", plan: this.plan, device: DEVICE, app_version: "0.1.0", pid: 4711 };
    return [started, ready, ...(resumed_at === 0 ? this.after(0) : [])];
  }

  samples(step: number): Sample[] {
    const stage = step === 0 ? 0 : Math.min(3, 1 + Math.floor((3 * step) / this.of));
    const answers = this.row.task === "transform" ? HEADLINES : ANSWERS;
    return answers.map(([prompt, expected, says]) => ({ prompt, expected, output: says[stage] ?? "" }));
  }

  private planned(): Plan {
    const { of } = this;
    return {
      model: this.row.model,
      model_hash: "5af571cbf074",
      data_version: "9c1e7a70b3d2",
      template: "of_model",
      task: measured(taskOf(this.row.task), TAUGHT[this.row.task]),
      device: usual(DEVICE.choice, `the graphics adapter: ${DEVICE.name}`),
      knobs: {
        ...(this.row.task === "classify-several" ? { method: asked("full" as const) } : {}),
        supervise: usual("replies", "the model should learn to answer, not to ask"),
        context_length: measured(512, "covers 98 % of your examples; the longest has 903 tokens"),
        packing: measured(
          true,
          "your examples fill 31 % of a row on average: packing does in one step what took three",
        ),
        rank: { value: 16, because: { kind: "effort", why: "standard" } },
        alpha: follows(32, "twice the rank of 16"),
        dropout: measured(0, "1,204 examples need none"),
        target_modules: usual("all-linear", "adapting all linear layers learns most for its size"),
        use_rslora: usual(false, "the plain scale is what most tools expect"),
        learning_rate: asked(3e-4),
        schedule: follows("cosine", `${of} steps: long enough to fall gently`),
        warmup_ratio: follows(0.05, `the learning rate rises over the first ${Math.round(0.05 * of)} of ${of} steps`),
        epochs: { value: 3, because: { kind: "effort", why: "standard" } },
        max_steps: follows(of, "3 times through the data, 4 rows a step"),
        batch_size: measured(2, "4 rows at once do not fit into memory"),
        gradient_accumulation: follows(2, "all 4 rows of a step, 2 at once"),
        weight_decay: usual(0.01, "a light pull that rarely hurts"),
        max_grad_norm: usual(1, "only odd batches go past 1"),
        seed: usual(42, "any number serves; the same one gives the same run"),
        eval_interval: follows(this.every, "10 looks at 120 validation examples"),
        early_stopping_patience: usual(3, "three looks without a better loss are enough"),
        save_interval: follows(Math.ceil(this.every / 2), "twice between two looks, so that a crash costs little"),
        n_samples: usual(3, "a few are enough to read"),
      },
      forecast: {
        memory: { low: 2.9 * GB, high: 3.6 * GB },
        secs: { low: 1.3 * of, high: 1.7 * of },
        tokens: 1850 * of,
      },
    };
  }
}

export const checkpoint = (step: number): string => `step-${String(step).padStart(8, "0")}`;
