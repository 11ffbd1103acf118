// Exports: written, read back, and told of. ?scene=busy holds one at 41 %; trouble has a full disk; differs reads back
// something else. ?pick=… is the folder that a dialog gives back; one with "thesis" in it holds a person's own files.

import type { ExportForm, Exported, ExportRecord, RunId, RunRow, TaskKind, TaskProgress, Watched } from "..";
import { answersWithHead } from "../../words/task";
import { runsOf } from "./runs";
import { type Piece, refusal, type Scene, wait, work } from "./scene";

const EXPORTS = "/home/ada/.local/share/tunesmith/exports";
const BASE = "HuggingFaceTB/SmolLM2-135M-Instruct";

const CLASSES: Record<TaskKind, string> = {
  write: "AutoModelForCausalLM",
  classify: "AutoModelForSequenceClassification",
  "classify-several": "AutoModelForSequenceClassification",
  score: "AutoModelForSequenceClassification",
  tag: "AutoModelForTokenClassification",
  transform: "AutoModelForSeq2SeqLM",
};

/** How an export of a model that learned `task` is loaded. */
function snippet(form: ExportForm, folder: string, task: TaskKind = "write", base = BASE): string {
  const name = CLASSES[task];
  const [config, labels] = answersWithHead(task)
    ? ["AutoConfig, ", ", config=AutoConfig.from_pretrained(folder)"]
    : ["", ""];
  const tokenizer = `folder = "${folder}"\ntokenizer = AutoTokenizer.from_pretrained(folder)\n`;
  return form.kind === "adapter"
    ? `from peft import PeftModel
from transformers import ${config}${name}, AutoTokenizer

${tokenizer}base = ${name}.from_pretrained("${base}"${labels})
model = PeftModel.from_pretrained(base, folder)
`
    : `from transformers import ${name}, AutoTokenizer

${tokenizer}model = ${name}.from_pretrained(folder, dtype="auto")
`;
}

const HOUR = 3_600_000;

/** Of each run. The fourth has two from before; one of them lay on a drive that is not there any more. */
const records = new Map<RunId, ExportRecord[]>([
  [
    "01938a00-0000-7000-8000-000000000004",
    [
      {
        path: `${EXPORTS}/0004-merged-bf16`,
        form: { kind: "merged", precision: "bf16" },
        at_ms: Date.now() - 5 * HOUR,
        bytes: 269_060_552,
        difference: 0.03125,
        there: true,
        snippet: snippet({ kind: "merged", precision: "bf16" }, `${EXPORTS}/0004-merged-bf16`),
      },
      {
        path: "/media/ada/usb/support-replies-adapter",
        form: { kind: "adapter" },
        at_ms: Date.now() - 20 * HOUR,
        bytes: 22_413_912,
        difference: 3.0994e-6,
        there: false,
        snippet: snippet({ kind: "adapter" }, "/media/ada/usb/support-replies-adapter"),
      },
    ],
  ],
]);

export const recordsOf = (id: RunId): ExportRecord[] => records.get(id) ?? [];

const BYTES = { f32: 538_090_408, bf16: 269_060_552, f16: 269_060_552 };

function made(path: string, form: ExportForm, { task, model }: RunRow): Exported {
  const lines = snippet(form, path, task, model);
  if (form.kind === "adapter") {
    return { path, files: 6, bytes: 22_413_912, difference: 3.0994e-6, moved: 11.9, snippet: lines };
  }
  const difference = form.precision === "f32" ? 2.61e-5 : 0.03125;
  return { path, files: 7, bytes: BYTES[form.precision], difference, moved: 11.9, snippet: lines };
}

async function write(scene: Scene, watched?: Watched): Promise<void> {
  if (scene.name === "busy") {
    const held: TaskProgress = { doing: "Writing", done: 111, total: 272, unit: "pieces", secs_left: 24 };
    watched?.onProgress?.(held);
    await wait(1e8, watched?.signal);
  }
  await work(watched, "Reading the model", { total: 0, secs: 0.3, steps: 3 });
  await work(watched, "Writing", { total: 272, unit: "pieces", secs: 1 });
  await work(watched, "Reading back", { total: 272, unit: "pieces", secs: 0.6, steps: 12 });
}

export function exports(scene: Scene): Piece {
  return {
    async exportRun(id, form, target, watched) {
      const usual = `${EXPORTS}/${id.slice(-4)}-${form.kind === "adapter" ? "adapter" : `merged-${form.precision}`}`;
      const path = target ?? usual;
      if (path.includes("thesis")) {
        throw refusal(
          "usage",
          `${path} holds chapter-1.tex, which no export wrote, so it is not overwritten.`,
          "Choose another folder.",
        );
      }
      await write(scene, watched);
      if (scene.name === "trouble") {
        throw refusal(
          "disk",
          "The export needs about 87 MB, and the disk has 12 MB left.",
          "Free some space, or choose a folder on another disk.",
        );
      }
      if (scene.name === "differs") {
        throw refusal(
          "mismatch",
          "The export was read back and its answers differ from the model’s in the app by 0.5 where 0.001 is allowed, so it was thrown away.",
          "This is a defect of the program: please report it.",
        );
      }
      const exported = made(path, form, runsOf(scene).row(id));
      const { bytes, difference, snippet: lines } = exported;
      const others = recordsOf(id).filter((record) => record.path !== path);
      records.set(id, [{ path, form, bytes, difference, snippet: lines, at_ms: Date.now(), there: true }, ...others]);
      return exported;
    },
    async reveal() {},
    async chooseFolder() {
      return (scene.query.get("pick") ?? "/home/ada/Documents") || null;
    },
  };
}
