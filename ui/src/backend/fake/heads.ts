// Models that answer with a head: what they learn, how well they do, and what they say of a text.

import type { Metric, Predicted, Report, RunRow, Score, Task, TaskKind } from "..";
import { REPORTS } from "./data-examples";

export const DIAGNOSES = [
  "allergy",
  "cervical spondylosis",
  "chicken pox",
  "common cold",
  "dengue",
  "drug reaction",
  "fungal infection",
  "impetigo",
  "malaria",
  "migraine",
  "peptic ulcer disease",
  "urinary tract infection",
];
const TOPICS = ["delivery", "payment", "returns", "praise"];
const TAGS = ["B-LOC", "B-ORG", "B-PER", "I-LOC", "I-ORG", "I-PER", "O"];

export function taskOf(kind: TaskKind): Task {
  switch (kind) {
    case "classify":
      return { kind, labels: DIAGNOSES };
    case "classify-several":
      return { kind, labels: TOPICS };
    case "tag":
      return { kind, labels: TAGS };
    case "write":
    case "score":
    case "transform":
      return { kind };
    default:
      return kind satisfies never;
  }
}

const MEASURED: Record<TaskKind, readonly [Metric, number, number][]> = {
  classify: [
    ["accuracy", 0.05, 0.953],
    ["macro_f1", 0.01, 0.948],
    ["weighted_f1", 0.02, 0.951],
    ["matthews", 0.0, 0.949],
  ],
  "classify-several": [
    ["micro_f1", 0.2, 0.89],
    ["subset_accuracy", 0.05, 0.74],
  ],
  score: [
    ["pearson", 0.02, 0.87],
    ["spearman", 0.01, 0.86],
    ["mean_absolute_error", 2.1, 0.41],
  ],
  tag: [
    ["entity_f1", 0.02, 0.844],
    ["entity_precision", 0.01, 0.831],
    ["entity_recall", 0.04, 0.858],
    ["accuracy", 0.6, 0.971],
  ],
  write: [],
  transform: [
    ["rouge_l", 0.12, 0.41],
    ["rouge1", 0.14, 0.45],
    ["rouge2", 0.03, 0.22],
    ["bleu", 1.2, 18.4],
  ],
};

/** After a share `t` of the steps. */
export const scoresAt = (kind: TaskKind, t: number): Score[] =>
  MEASURED[kind].map(([metric, from, to]) => ({ metric, value: to + (from - to) * Math.exp(-5 * t) }));

/** As a text's words and the model's voice would have it; the same at each call. */
export function said(task: Task, text: string, sure: number): Predicted {
  const at = [...text].reduce((sum, c) => (sum * 31 + (c.codePointAt(0) ?? 0)) % 9973, 7);
  switch (task.kind) {
    case "classify": {
      const likely = at % task.labels.length;
      const rest = (1 - sure) / (task.labels.length - 1);
      const labels = task.labels.map((label, i) => ({ label, probability: i === likely ? sure : rest }));
      return { kind: "labels", one: true, labels: labels.sort((a, b) => b.probability - a.probability) };
    }
    case "classify-several": {
      const labels = task.labels.map((label, i) => ({ label, probability: ((at * (i + 3)) % 97) / 97 }));
      return { kind: "labels", one: false, labels: labels.sort((a, b) => b.probability - a.probability) };
    }
    case "score":
      return { kind: "score", score: (at % 500) / 100 };
    case "tag": {
      const names = [...text.matchAll(/\p{Lu}\p{L}+(?: \p{Lu}\p{L}+)*/gu)];
      const place = (index: number) => Array.from(text.slice(0, index)).length;
      const kinds = ["PER", "LOC", "ORG"];
      const entities = names.map((name, i) => ({
        label: kinds[i % 3] ?? "PER",
        start: place(name.index),
        end: place(name.index + name[0].length),
        text: name[0],
        probability: sure - 0.03 * i,
      }));
      return { kind: "entities", entities };
    }
    case "write":
    case "transform":
      throw new Error("it writes");
    default:
      return task satisfies never;
  }
}

/** Of texts that are written: beside the model as it was, and on a part of the test. */
function reportOnTexts(row: RunRow, kind: "write" | "transform"): Report {
  const writes = kind === "write";
  const measured: readonly [Metric, number, number][] = writes ? [["perplexity", 30.3, 5.05]] : MEASURED.transform;
  return {
    title: row.name,
    data: row.data,
    split: "test",
    n: 100,
    of: 212,
    n_truncated: 0,
    task: { kind },
    loss: 1.62,
    base_loss: 3.41,
    signatures: writes
      ? []
      : [
          "BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.5.1",
          "chrF2|nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:2.5.1",
        ],
    metrics: measured.map(([metric, base, value]) => ({
      metric,
      value,
      low: 0.9 * value,
      high: 1.1 * value,
      guess: null,
      base,
    })),
    classes: [],
    confusion: [],
    worst: REPORTS.map(([text, expected], i) => ({
      row: 5 + 20 * i,
      text,
      pair: null,
      expected,
      predicted: expected.split(" ").slice(-2).join(" "),
      loss: 3.1 - 0.4 * i,
    })),
  };
}

export function reportOn(row: RunRow): Report {
  if (row.task === "transform" || row.task === "write") return reportOnTexts(row, row.task);
  const task = taskOf(row.task);
  const names = "labels" in task ? (task.kind === "tag" ? ["LOC", "ORG", "PER"] : task.labels) : [];
  const n = 212;
  const confusion =
    task.kind === "classify"
      ? task.labels.map((_, right) =>
          task.labels.map((_, said) => (right === said ? 16 - (right % 4) : (right * 7 + said) % 11 === 0 ? 1 : 0)),
        )
      : [];
  const text = "I have a rash on my face that is getting worse. It is red, inflamed, and has <b>blisters</b>.";
  return {
    title: row.name,
    data: row.data,
    split: "test",
    n,
    of: n,
    n_truncated: 3,
    task,
    loss: 0.214,
    base_loss: null,
    signatures: [],
    metrics: scoresAt(row.task, 1).map(({ metric, value }, i) => ({
      metric,
      value,
      low: value - 0.031,
      high: value + 0.024,
      guess: i === 3 ? null : 0.08,
      base: null,
    })),
    classes: names.map((label, i) => ({
      label,
      precision: 0.99 - (i % 5) * 0.03,
      recall: 0.97 - (i % 4) * 0.04,
      f1: 0.98 - (i % 6) * 0.03,
      support: 9 + (i % 5),
    })),
    confusion,
    worst: Array.from({ length: 6 }, (_, i) => ({
      row: 3 + 17 * i,
      text,
      pair: null,
      expected: task.kind === "score" ? "4.5" : (names[i % names.length] ?? ""),
      predicted: task.kind === "score" ? "1.204" : (names[(i + 3) % names.length] ?? ""),
      loss: 4.2 - 0.5 * i,
    })),
  };
}
