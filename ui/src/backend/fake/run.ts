// One run: opened, followed, steered; its chart. What happens to it is told by the list of runs.
// Scenes of its own: begun (no step yet), failed-<code>, interrupted, warned, endless (100,000 steps, a long name), and
// flood: as many steps as ?steps says, each told to the page while it watches.

import type { ApiError, RunId, RunSpec, RunView, SmallerRun } from "..";
import { reportOn } from "./heads";
import { drawn } from "./run-chart";
import { FakeRun } from "./run-told";
import { type FakeRuns, runsOf } from "./runs";
import { type Piece, refusal, type Scene, wait, work } from "./scene";

const BATCH_MS = 100;

const CODES: Record<string, [string, string | null]> = {
  out_of_memory: ["The GPU ran out of memory at step 231.", "Try a shorter context: 1024 instead of 2048."],
  diverged: [
    "The loss is not a number any more at step 231.",
    "Start again with half the learning rate. The last checkpoint is kept.",
  ],
  device: [
    "The device gave up: the graphics driver lost it.",
    "Resume on the processor, or update the graphics driver. The last checkpoint is kept.",
  ],
  disk: [
    "The checkpoint of step 231 could not be written: the disk is full.",
    "Free some space and resume. The last checkpoint is kept.",
  ],
  nothing_to_learn: ["There is nothing to learn: none of the tokens in the training data is taught.", null],
  bad_model: [
    "The model’s config.json asks for 30 layers; its weights have 12.",
    "Download the model again, or choose another.",
  ],
  bad_data: [
    "The data set’s file train.jsonl ends in the middle of a row.",
    "Import the data again and start a new run.",
  ],
  internal: [
    "Training ended by a defect: index 7 is out of range.",
    "Please report it with the run’s worker.log. The last checkpoint is kept.",
  ],
};

const FIRST = "01938a00-0000-7000-8000-000000000001";
/** Those that end a run before its first step. */
const EARLY = ["nothing_to_learn", "bad_model", "bad_data"];

function setTheScene(name: string, list: FakeRuns): void {
  if (!list.rows.some((row) => row.id === FIRST)) return;
  const code = name.replace(/^failed-/, "") as ApiError["code"];
  const said = CODES[code];
  if (name.startsWith("failed-") && said) {
    const none = { step: 0, losses: [], loss: null, best: null, created_ms: Date.now() - 60_000 };
    const error = refusal(code, said[0], said[1]);
    list.change(FIRST, { status: "failed", secs_left: null, error, ...(EARLY.includes(code) ? none : { step: 231 }) });
  }
  if (name === "interrupted") {
    const error = refusal(
      "internal",
      "The training process is gone: it was killed, or the computer was switched off",
      "All up to step 315 is kept: resume the run to go on from there.",
    );
    list.change(FIRST, { status: "interrupted", secs_left: null, step: 331, error });
  }
  if (name === "begun")
    list.change(FIRST, { step: 0, losses: [], loss: null, best: null, secs_left: null, created_ms: Date.now() - 9000 });
  if (name === "endless") {
    const long = "Antworten des Kundendienstes, Donaudampfschifffahrtsgesellschaft, ".repeat(4).slice(0, 200);
    list.change(FIRST, { name: long, step: 100_000, of: 120_000, secs_left: 31_000, created_ms: Date.now() - 9e7 });
    setInterval(() => {
      const step = list.row(FIRST).step + 40;
      if (step < 120_000) list.change(FIRST, { step });
    }, BATCH_MS);
  }
}

/** All at once would be one long batch, which the machine never sends. */
function flood(list: FakeRuns, of: number): void {
  list.change(FIRST, { step: 0, of, losses: [], loss: null, best: null, secs_left: 60 });
  const timer = setInterval(() => {
    const step = Math.min(of, list.row(FIRST).step + 2500);
    list.change(FIRST, { step });
    if (step === of) clearInterval(timer);
  }, BATCH_MS / 2);
}

/** With less memory as ?smaller says: none helps, anew, or the same result. */
function smaller(scene: Scene, spec: RunSpec): SmallerRun | null {
  const asked = scene.query.get("smaller");
  if (asked === "none") return null;
  const other = { ...spec, name: `${spec.name} (smaller)` };
  if (asked === "anew") {
    const says = "Cuts examples at 512 tokens instead of 1,024: frees 1.2 GB; another result.";
    return {
      says,
      frees: 1.2e9,
      same_result: false,
      spec: { ...other, knobs: { ...spec.knobs, context_length: 512 } },
    };
  }
  const says = "Makes layers again instead of keeping them: frees 820 MB; same result.";
  const knobs = { ...spec.knobs, gradient_checkpointing: "layer" as const };
  return { says, frees: 0.82e9, same_result: true, spec: { ...other, knobs } };
}

export function run(scene: Scene): Piece {
  const list = runsOf(scene);
  setTheScene(scene.name, list);
  if (scene.name === "flood") flood(list, Number(scene.query.get("steps") ?? 100_000));
  const open = new Map<RunId, FakeRun>();
  const stops = new Map<RunId, { at_ms: number; timer: ReturnType<typeof setTimeout> }>();

  function find(id: RunId): FakeRun {
    const there = open.get(id) ?? new FakeRun(list.row(id));
    if (!open.has(id) && (scene.name === "warned" || scene.name === "endless")) {
      there.warn("3 train examples were left out: the conversation has two system messages");
    }
    open.set(id, there);
    return there;
  }
  list.watch(({ kind }) => {
    if (kind !== "runs") return;
    for (const row of list.rows) if (open.has(row.id) && open.get(row.id)?.row !== row) open.get(row.id)?.follow(row);
  });

  const piece: Piece = {
    async openRun(id) {
      if (scene.name === "waiting") return new Promise(() => {});
      await wait(20);
      return structuredClone<RunView>(find(id).view(stops.get(id)?.at_ms ?? null));
    },
    followRun: (id, fromSeq, onEvents) => find(id).listen(fromSeq, onEvents),
    async pauseRun(id) {
      await wait(400);
      list.change(id, { status: "paused", secs_left: null });
    },
    async resumeRun(id) {
      const run = find(id);
      list.change(id, { status: "queued", queued_ms: Date.now(), error: null });
      await wait(300);
      list.change(id, { status: "running", queued_ms: null, step: Math.min(run.step, run.kept ?? 0), error: null });
      list.train(id);
    },
    async stopRun(id) {
      if (list.row(id).status !== "running" && find(id).kept === null) {
        throw refusal(
          "usage",
          "The run has no checkpoint yet, so there is nothing to keep.",
          "Resume it, or delete it.",
        );
      }
      await wait(400);
      list.change(id, { status: "stopped", secs_left: null });
    },
    async stopRunAt(id, at_ms) {
      clearTimeout(stops.get(id)?.timer);
      stops.delete(id);
      if (at_ms === null) return;
      const timer = setTimeout(() => void piece.stopRun?.(id), Math.min(at_ms - Date.now(), 2 ** 31 - 1));
      stops.set(id, { at_ms, timer });
    },
    async duplicateRun(id) {
      const { spec } = find(id).view(null).detail;
      return { ...spec, name: `${spec.name} (copy)` };
    },
    async smallerRun(id) {
      await wait(20);
      const { spec } = find(id).view(null).detail;
      return smaller(scene, spec);
    },
    async resumeSmaller(id) {
      const found = smaller(scene, find(id).view(null).detail.spec);
      if (!found) throw refusal("usage", "Nothing would need clearly less memory.", "Choose a smaller model.");
      if (found.same_result) {
        await piece.resumeRun?.(id);
        return id;
      }
      return list.start(found.spec, list.row(id).data, 300);
    },
    async drawChart(request) {
      if (scene.name === "trouble") throw refusal("internal", "The chart cannot be drawn.");
      return drawn(
        request,
        request.runs.map((id) => ({ name: list.row(id).name, step: list.row(id).step, history: find(id).history })),
      );
    },
    async reportRun(id, watched) {
      const secs = scene.query.get("report") === "slow" ? 60 : 0.3;
      await work(watched, "Evaluating", { total: 212, unit: "pieces", secs });
      if (scene.query.get("report") === "none")
        throw refusal(
          "bad_data",
          "The data set has no test part",
          "Import it with a share set aside, or look at another part.",
        );
      return reportOn(list.row(id));
    },
    saveReport: async () => "/home/ada/Documents/report.html",
    saveChart: async () => "/home/ada/Pictures/loss.svg",
  };
  return piece;
}
