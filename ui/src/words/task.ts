// What a model learns to do, and how well it does it: tasks and metrics in plain words, the standard term beside them.

import type { Metric, Report, Score, Task, TaskKind } from "../backend";
import { count, DASH } from "../words";
import { partName, things } from "./data";

type Named = { label: string; term: string; help: string };

const TASKS: Record<TaskKind, Named> = {
  write: { label: "Write", term: "text generation", help: "Answers a person, or goes on from a text." },
  classify: {
    label: "Give each text one label",
    term: "text classification",
    help: "Exactly one of the labels holds.",
  },
  "classify-several": {
    label: "Give each text any number of labels",
    term: "multi-label classification",
    help: "Each label holds or does not, for itself.",
  },
  score: { label: "Give each text a number", term: "regression", help: "How good, how alike, how much." },
  tag: { label: "Label the words of a text", term: "token classification", help: "Finds names, places and the like." },
  transform: { label: "Turn one text into another", term: "sequence to sequence", help: "Summaries, translations." },
};
export const taskOf = (kind: TaskKind): Named => TASKS[kind];

/** Whether it says labels, numbers or tags, rather than writing. */
export const answersWithHead = (kind: TaskKind): boolean => kind !== "write" && kind !== "transform";

/** What the older plans had no word for was to write. */
export const kindOf = (task: { value: Task } | undefined): TaskKind => task?.value.kind ?? "write";

/** Two texts that belong together can be asked about, where words are not labelled one by one. */
export const takesPairs = (kind: TaskKind): boolean => answersWithHead(kind) && kind !== "tag";

const METRICS: Record<Metric, { label: string; help: string; best: "high" | "low" }> = {
  accuracy: { label: "Accuracy", help: "share of right answers", best: "high" },
  macro_f1: { label: "Macro F1", help: "every label counts alike", best: "high" },
  micro_f1: { label: "Micro F1", help: "over all labels together", best: "high" },
  weighted_f1: { label: "Weighted F1", help: "frequent labels count more", best: "high" },
  matthews: { label: "Matthews", help: "correlation; 0 is as good as guessing", best: "high" },
  subset_accuracy: { label: "All labels right", help: "share of texts, subset accuracy", best: "high" },
  entity_f1: { label: "Entity F1", help: "kind and both ends right", best: "high" },
  entity_precision: { label: "Entity precision", help: "share of those found that are right", best: "high" },
  entity_recall: { label: "Entity recall", help: "share of those there that are found", best: "high" },
  pearson: { label: "Pearson", help: "correlation of the numbers; 1 is perfect", best: "high" },
  spearman: { label: "Spearman", help: "correlation of the order; 1 is perfect", best: "high" },
  mean_squared_error: { label: "Mean squared error", help: "lower is better", best: "low" },
  mean_absolute_error: { label: "Mean absolute error", help: "lower is better", best: "low" },
  rouge1: { label: "ROUGE-1", help: "words in common", best: "high" },
  rouge2: { label: "ROUGE-2", help: "pairs of words in common", best: "high" },
  rouge_l: { label: "ROUGE-L", help: "longest run in common", best: "high" },
  rouge_lsum: { label: "ROUGE-Lsum", help: "longest runs in common, line by line", best: "high" },
  bleu: { label: "BLEU", help: "runs of words in common, of 100", best: "high" },
  chrf: { label: "chrF", help: "runs of characters in common, of 100", best: "high" },
  perplexity: { label: "Perplexity", help: "how many next tokens seem possible; lower is better", best: "low" },
};
export const metricOf = (metric: Metric): { label: string; help: string; best: "high" | "low" } => METRICS[metric];

/** Three digits after the point, as papers have them; one of what counts up to a hundred. */
export const measure = (value: number | null | undefined): string =>
  value === null || value === undefined || !Number.isFinite(value) ? DASH : value.toFixed(Math.abs(value) < 10 ? 3 : 1);

/** `Accuracy 0.941`. */
export const scored = (score: Score): string => `${METRICS[score.metric].label} ${measure(score.value)}`;

/** The better of two values of a metric. */
export const better = (metric: Metric, one: number, other: number): boolean =>
  METRICS[metric].best === "high" ? one > other : one < other;

/** One digit after the point where that tells values apart: `94.1 %`, `< 0.1 %`. */
export function chance(probability: number): string {
  if (probability > 0 && probability < 0.001) return "< 0.1 %";
  return `${(100 * probability).toFixed(1)} %`;
}

const PART = "each example of the test part, or of the validation part where there is none.";
const REPORTS: Record<"labels" | "written" | "foreseen", { what: string; busy: string; worst: string; none: string }> =
  {
    labels: {
      what: `The result is asked about ${PART} The report has the numbers with how sure they are, what is mixed up, and the worst answers.`,
      busy: "Asking the model about each example",
      worst: "Where it errs most",
      none: "It answered every example rightly.",
    },
    written: {
      what: `The result writes of ${PART} The report has the numbers with how sure they are, beside the model it started from, and the worst answers.`,
      busy: "Letting the model write of each example",
      worst: "Where it errs most",
      none: "It wrote every example as it stands in the data.",
    },
    foreseen: {
      what: `The result reads ${PART} The report says how well it foresees them, beside the model it started from, and what it would have written where it was surprised most.`,
      busy: "Letting the model read each example",
      worst: "What surprises it most",
      none: "None of the examples has a prompt and an end within the context, so there is nothing to set beside an answer.",
    },
  };

/** What a report of such a run is, before, while and after it is made. */
export const reportWords = (kind: TaskKind) =>
  REPORTS[kind === "write" ? "foreseen" : kind === "transform" ? "written" : "labels"];

/** What a report looked at: `Test part of Symptoms: 212 examples, 3 texts cut at the end. Mean loss 0.214.` */
export function reported({ split, data, n, of, n_truncated, loss, base_loss }: Report): string {
  const some = n < of ? `${count(n)} of ${things(of, "example")}` : things(n, "example");
  const cut = n_truncated > 0 ? `, ${things(n_truncated, "text")} cut at the end` : "";
  const before = base_loss === null ? "" : `, before training ${base_loss.toPrecision(3)}`;
  return `${partName(split)} part of ${data}: ${some}${cut}. Mean loss ${loss.toPrecision(3)}${before}.`;
}
