// Plays scenes in a browser, for development and tests: ?scene=full, empty, trouble, late-trouble, waiting, live, long.

import type { Backend, RunRow, RunsUpdate, RunStatus } from ".";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A loss that falls from `from` to `to` and trembles on its way; the same at each call. */
function falling(from: number, to: number, points = 60): number[] {
  return Array.from({ length: points }, (_, i) => {
    const fall = to + (from - to) * Math.exp((-3.2 * i) / points);
    return fall + (from - to) * 0.05 * Math.sin(i * 12.9898) * Math.cos(i * 4.1);
  });
}

let births = 0;

function row(name: string, status: RunStatus, age: number, more: Partial<RunRow> = {}): RunRow {
  births += 1;
  return {
    id: `01938a00-0000-7000-8000-${String(births).padStart(12, "0")}`,
    name,
    model: "HuggingFaceTB/SmolLM2-135M-Instruct",
    data: "support-replies.jsonl",
    status,
    created_ms: Date.now() - age,
    step: 0,
    of: null,
    loss: null,
    best: null,
    secs_left: null,
    losses: [],
    error: null,
    ...more,
  };
}

const curve = (from: number, to: number, step: number, of: number): Partial<RunRow> => {
  const losses = falling(from, to);
  return { step, of, losses, loss: losses[losses.length - 1] ?? null, best: to + 0.07 };
};

function full(): RunRow[] {
  const model = "HuggingFaceTB/SmolLM2-360M-Instruct";
  const hint = "Try a shorter context: 1024 instead of 2048.";
  const error = { code: "out_of_memory" as const, message: "The GPU ran out of memory at step 3.", hint };
  return [
    row("Support replies, second try", "running", 4 * MINUTE, { ...curve(2.91, 1.32, 312, 900), secs_left: 380 }),
    row("Symptom to diagnosis", "queued", 2 * MINUTE, { model, data: "symptom_to_diagnosis" }),
    row("Release notes in our voice", "paused", 3 * HOUR, { ...curve(3.2, 1.74, 140, 400), data: "notes/" }),
    row("Support replies", "finished", DAY, curve(2.9, 1.38, 600, 600)),
    row("Alpaca, thorough", "failed", DAY + 3 * HOUR, { model, step: 3, of: 1200, losses: [2.1, 2.06, 2.2], loss: 2.2, error }),
    row("Alpaca", "stopped", 2 * DAY, { ...curve(1.62, 1.21, 220, 600), model, data: "alpaca_en_demo.json" }),
    row("Haiku", "interrupted", 9 * DAY, { ...curve(4.1, 2.6, 75, 300), data: "haiku.csv" }),
    row("First steps", "finished", 40 * DAY, { ...curve(2.4, 0.0123, 60, 60), data: "demo" }),
  ];
}

function long(): RunRow[] {
  const name = "Donaudampfschifffahrtsgesellschaftskapitänsanwärterprüfungsfragen".repeat(2);
  const message = `The folder ${"a-rather-deep-folder/".repeat(12)} may not be written.`;
  const error = { code: "disk" as const, message, hint: "Choose another folder, or change who may write there." };
  const odd = row(name, "failed", HOUR, { model: `someone/${"x".repeat(200)}`, step: 41_312, of: 1_000_000, error });
  const many = Array.from({ length: 10_000 }, (_, i) =>
    row(`Run ${10_000 - i}`, "finished", (i + 1) * HOUR, curve(2.9, 1.3, 600, 600)));
  return [odd, ...many];
}

const trouble: RunsUpdate = {
  kind: "trouble",
  error: {
    code: "disk",
    message: "The list of runs, tunesmith.db, cannot be opened: the disk is full.",
    hint: "Free some space; nothing that was saved is lost.",
  },
};

/** A run that moves ten times a second. */
function live(tell: (update: RunsUpdate) => void): void {
  const losses = falling(2.9, 1.3, 900);
  let step = 0;
  setInterval(() => {
    step = Math.min(step + 1, 900);
    const seen = losses.slice(0, step);
    const thin = seen.filter((_, i) => i % Math.ceil(seen.length / 60) === 0);
    const now = { step, of: 900, losses: thin, loss: seen[step - 1] ?? null, secs_left: (900 - step) / 10 };
    tell({ kind: "runs", rows: [row("Support replies", step < 900 ? "running" : "finished", MINUTE, now)] });
  }, 100);
}

export function fake(query: URLSearchParams): Backend {
  return {
    async watchRuns(onUpdate) {
      const scene = query.get("scene") ?? "full";
      const rows = (rows: RunRow[]) => onUpdate({ kind: "runs", rows });
      if (scene === "full") rows(full());
      else if (scene === "empty") rows([]);
      else if (scene === "long") rows(long());
      else if (scene === "live") live(onUpdate);
      else if (scene === "trouble") onUpdate(trouble);
      else if (scene === "late-trouble") {
        rows(full());
        onUpdate(trouble);
      }
    },
  };
}
