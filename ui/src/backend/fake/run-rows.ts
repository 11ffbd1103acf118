// The runs that scenes begin with.

import type { ApiError, RunRow, RunStatus } from "..";
import { scoresAt } from "./heads";

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export const STARTER = "HuggingFaceTB/SmolLM2-135M-Instruct";
const BIGGER = "HuggingFaceTB/SmolLM2-360M-Instruct";

/** A loss that falls from `from` to `to` and trembles on its way; the same at each call. */
export function falling(from: number, to: number, points = 60): number[] {
  return Array.from({ length: points }, (_, i) => {
    const fall = to + (from - to) * Math.exp((-3.2 * i) / points);
    return fall + (from - to) * 0.05 * Math.sin(i * 12.9898) * Math.cos(i * 4.1);
  });
}

/** The `n`th run of a scene; `age` in milliseconds. */
export function row(n: number, name: string, status: RunStatus, age: number, more: Partial<RunRow> = {}): RunRow {
  return {
    id: `01938a00-0000-7000-8000-${String(n).padStart(12, "0")}`,
    name,
    status,
    model: STARTER,
    data: "support-replies.jsonl",
    task: "write",
    created_ms: Date.now() - age,
    queued_ms: status === "queued" ? Date.now() - age : null,
    step: 0,
    of: null,
    loss: null,
    best: null,
    score: null,
    secs_left: null,
    losses: [],
    error: null,
    ...more,
  };
}

export const curve = (from: number, to: number, step: number, of: number): Partial<RunRow> => {
  const losses = falling(from, to);
  return { step, of, losses, loss: losses.at(-1) ?? null, best: to + 0.07 };
};

const OUT_OF_MEMORY: ApiError = {
  code: "out_of_memory",
  message: "The GPU ran out of memory at step 3.",
  hint: "Try a shorter context: 1024 instead of 2048.",
};

function full(): RunRow[] {
  const broken = { step: 3, of: 1200, losses: [2.1, 2.06, 2.2], loss: 2.2, error: OUT_OF_MEMORY };
  return [
    row(1, "Support replies, second try", "running", 4 * MINUTE, { ...curve(2.91, 1.32, 312, 900), secs_left: 380 }),
    row(2, "Symptom to diagnosis", "queued", 2 * MINUTE, { model: BIGGER, data: "symptom_to_diagnosis" }),
    row(3, "Release notes in our voice", "paused", 3 * HOUR, { ...curve(3.2, 1.74, 140, 400), data: "notes/" }),
    row(4, "Support replies", "finished", DAY, curve(2.9, 1.38, 600, 600)),
    row(5, "Alpaca, thorough", "failed", DAY + 3 * HOUR, { model: BIGGER, ...broken }),
    row(6, "Alpaca", "stopped", 2 * DAY, {
      ...curve(1.62, 1.21, 220, 600),
      model: BIGGER,
      data: "alpaca_en_demo.json",
    }),
    row(7, "Haiku", "interrupted", 9 * DAY, { ...curve(4.1, 2.6, 75, 300), data: "haiku.csv" }),
    row(8, "First steps", "finished", 40 * DAY, { ...curve(2.4, 0.0123, 60, 60), data: "demo" }),
  ];
}

/** Runs that learn labels, numbers and tags. */
function heads(): RunRow[] {
  const MINILM = "sentence-transformers/all-MiniLM-L6-v2";
  const learned = (task: RunRow["task"], from: number, to: number, step: number, of: number): Partial<RunRow> => ({
    ...curve(from, to, step, of),
    model: MINILM,
    task,
    score: scoresAt(task, step / of)[0] ?? null,
  });
  return [
    row(1, "Names in news", "running", 4 * MINUTE, {
      ...learned("tag", 1.9, 0.12, 312, 600),
      data: "Names in news",
      secs_left: 130,
    }),
    row(2, "Symptom to diagnosis", "finished", HOUR, {
      ...learned("classify", 2.5, 0.21, 600, 600),
      data: "Symptom to diagnosis",
    }),
    row(3, "How alike two sentences are", "finished", 5 * HOUR, {
      ...learned("score", 4.2, 0.4, 300, 300),
      data: "Sentence pairs",
    }),
    row(4, "Support topics", "stopped", DAY, {
      ...learned("classify-several", 0.7, 0.15, 200, 400),
      data: "Support topics",
    }),
    row(5, "Support replies", "finished", 2 * DAY, curve(2.9, 1.38, 600, 600)),
    row(6, "Headlines", "finished", 3 * DAY, {
      ...learned("transform", 3.4, 1.62, 400, 400),
      model: "google/flan-t5-small",
      data: "Reports and headlines",
    }),
  ];
}

function busy(): RunRow[] {
  const waiting = Array.from({ length: 6 }, (_, i) =>
    row(20 + i, `Night batch, part ${6 - i}`, "queued", (i + 1) * MINUTE, { queued_ms: Date.now() - (i + 1) * 10_000 }),
  );
  return [...waiting, ...full()];
}

function long(): RunRow[] {
  const name = "Donaudampfschifffahrtsgesellschaftskapitänsanwärterprüfungsfragen".repeat(3);
  const message = `The folder ${"a-rather-deep-folder/".repeat(12)} may not be written.`;
  const error = { code: "disk" as const, message, hint: "Choose another folder, or change who may write there." };
  const odd = row(0, name, "failed", MINUTE, {
    model: `someone/${"x".repeat(200)}`,
    step: 41_312,
    of: 1_000_000,
    error,
  });
  const many = Array.from({ length: 10_000 }, (_, i) =>
    row(i + 1, `Run ${10_000 - i}`, "finished", (i + 1) * HOUR, curve(2.9, 1.3 - (i % 97) / 1000, 600, 600)),
  );
  return [odd, ...many];
}

export function rowsOf(scene: string): RunRow[] {
  switch (scene) {
    case "empty":
    case "first":
    case "offline":
    case "sample":
      return [];
    case "sampled":
      return [
        row(1, "Sample: the lighthouse keeper", "finished", 0, { ...curve(2.9, 1.3, 30, 30), data: "Lighthouse log" }),
      ];
    case "heads":
      return heads();
    case "long":
      return long();
    case "busy":
      return busy();
    case "live":
      return [row(1, "Support replies", "running", MINUTE, { of: 900, secs_left: 90 })];
    default:
      return full();
  }
}
