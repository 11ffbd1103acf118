// What is said of models, of those on their way, and of exports. Unknown is a dash, never 0.

import type {
  ApiError,
  ExportForm,
  FoundModel,
  Gate,
  LocalModel,
  ModelState,
  Precision,
  Skill,
  TaskKind,
  TaskProgress,
} from "../backend";
import { amount, bytes, count, DASH, percent, timeLeft } from "../words";

/** Where a model stands: what the disk says, and what a download says that goes on now. */
export type Standing =
  | { kind: "absent" }
  /** `speed`: bytes a second, once it is known. */
  | { kind: "coming"; progress: TaskProgress | null; speed: number | null }
  | { kind: "paused"; done: number; total: number | null }
  | { kind: "failed"; error: ApiError; done: number; total: number | null }
  | { kind: "here"; bytes: number };

export function standing(state: ModelState): Standing {
  switch (state.kind) {
    case "absent":
      return state;
    case "partial":
      return { kind: "paused", done: state.done, total: state.total };
    case "here":
      return { kind: "here", bytes: state.bytes };
    default:
      return state satisfies never;
  }
}

/** `135 M parameters`, `1.24 B parameters`. */
export function parameters(n: number | null): string {
  if (n === null) return `${DASH} parameters`;
  const [value, unit] = n >= 1e9 ? [n / 1e9, "B"] : n >= 1e6 ? [n / 1e6, "M"] : [n / 1e3, "k"];
  return `${value >= 100 ? Math.round(value) : Number(value.toPrecision(3))} ${unit} parameters`;
}

export const context = (tokens: number | null): string =>
  tokens === null ? `context ${DASH}` : `context ${count(tokens)} tokens`;

const SKILLS: Record<Skill, string> = {
  chats: "chats",
  goes_on: "continues text",
  transforms: "turns text into text",
  answers: "labels text",
  reads: "reads text, to be taught labels",
};

/** What a model can do as it lies there. */
export const skill = (skill: Skill | null): string => (skill === null ? DASH : SKILLS[skill]);

export function usedBy(nRuns: number): string {
  if (nRuns === 0) return "no runs yet";
  return nRuns === 1 ? "1 run" : `${count(nRuns)} runs`;
}

const LICENCES: Record<string, string> = {
  "apache-2.0": "Apache 2.0",
  mit: "MIT",
  "bsd-3-clause": "BSD 3-Clause",
  "cc-by-4.0": "CC BY 4.0",
  "cc-by-nc-4.0": "CC BY-NC 4.0",
  "cc-by-sa-4.0": "CC BY-SA 4.0",
  gemma: "Gemma licence",
  other: "Own licence",
};

/** The hub's abbreviation, as people write it. */
export function licence(id: string | null): string {
  if (id === null) return "licence not stated";
  const llama = /^llama(\d+(?:\.\d+)?)?$/.exec(id);
  if (llama) return `Llama ${llama[1] ?? ""} licence`.replace("  ", " ");
  return LICENCES[id] ?? id;
}

/** `HuggingFaceTB` and `SmolLM2-135M`; a path has no owner. */
export function parted(id: string): { owner: string; name: string } {
  const at = id.indexOf("/");
  return at > 0 ? { owner: id.slice(0, at), name: id.slice(at + 1) } : { owner: "", name: id };
}

/** What a download would fetch, where the hub does not say: most models are published at two bytes a parameter. */
export const guessedBytes = (n: number | null): number | null => (n === null ? null : 2 * n);

/** How popular it is; mirrors do not always say. */
export const popularity = (model: FoundModel): string[] =>
  model.downloads === null ? [] : [`${compact(model.downloads)} downloads`];

/** Three digits are enough to compare: `1.2 M`. */
const compact = (n: number): string =>
  new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 })
    .format(n)
    .replace(/(?=[A-Z]$)/, " ");

/** `40 %, 1.4 of 3.4 GB are here`. */
export function keptAt(share: number | null, done: number, total: number | null): string {
  if (done === 0) return "Nothing has come yet";
  const here = amount({ doing: "", done, total, unit: "bytes", secs_left: null });
  return `${share === null ? "" : `${percent(share)}, `}${here} kept`;
}

/** `41 %, 111.5 of 272.0 MB, 20 s left`, as much of it as is known. */
export function coming(progress: TaskProgress | null, speed: number | null): string {
  if (!progress) return "Asking for it";
  if (progress.unit !== "bytes") return progress.doing;
  const share = progress.total ? percent(progress.done / progress.total) : "";
  const pace = speed === null ? "" : `${bytes(speed)}/s`;
  return [share, amount(progress), timeLeft(progress) || pace].filter(Boolean).join(", ");
}

/** How much of it is here, 0 to 1; null where that is unknown. */
export function share(standing: Standing): number | null {
  const of =
    standing.kind === "coming"
      ? standing.progress
      : standing.kind === "paused" || standing.kind === "failed"
        ? standing
        : null;
  return of?.total ? Math.min(1, of.done / of.total) : null;
}

/** Bytes in all, where a download or the disk says. */
export function totalOf(standing: Standing): number | null {
  switch (standing.kind) {
    case "absent":
      return null;
    case "coming":
      return standing.progress?.unit === "bytes" ? standing.progress.total : null;
    case "paused":
    case "failed":
      return standing.total;
    case "here":
      return standing.bytes;
    default:
      return standing satisfies never;
  }
}

/** `4.7 GB in 5 models, 41.6 GB free on the disk`. */
export function diskUse(models: readonly LocalModel[], free: number | null): string {
  const all = bytes(models.reduce((sum, model) => sum + model.bytes, 0));
  const taken =
    models.length === 0 ? [] : [`${all} in ${models.length === 1 ? "1 model" : `${count(models.length)} models`}`];
  return [...taken, ...(free === null ? [] : [`${bytes(free)} free on the disk`])].join(", ");
}

/** `8 found, 6 can be trained here`. */
export function found(models: readonly FoundModel[]): string {
  const can = models.filter((model) => model.trainable === true).length;
  if (models.length === 0) return "Nothing found";
  return can === models.length
    ? `${count(can)} found`
    : `${count(models.length)} found, ${count(can)} can be trained here`;
}

/** The hub's address, without a slash at its end. */
export const hubOf = (endpoint: string | null): string => (endpoint ?? "https://huggingface.co").replace(/\/+$/, "");

export function family(model: FoundModel): string {
  switch (model.trainable) {
    case true:
      return "trainable here";
    case null:
      return "Its family is not stated; it may not open here";
    case false:
      return `Cannot be trained here yet: it is of the family ${model.model_type ?? DASH}`;
  }
}

export function gate(gate: Gate): string {
  switch (gate) {
    case "open":
      return "";
    case "asks":
      return "Its licence has to be accepted first";
    case "manual":
      return "Its owner decides who may have it";
    default:
      return gate satisfies never;
  }
}

/** `3.14e-6`: three digits, as logits are compared. */
const tiny = (value: number | null): string => (value === null ? DASH : value.toExponential(2).replace("e+", "e"));

/** `logits agree to 3.1e-6`, the standard term for what a model says before a word is chosen. */
export const agreement = (difference: number | null): string =>
  difference === 0 ? "logits are equal" : `logits agree to ${tiny(difference)}`;

/** What a model's scores, its logits, are of. */
export function logits(task: TaskKind): string {
  switch (task) {
    case "write":
    case "transform":
      return "Logits are a model’s scores for each next token";
    case "classify":
    case "classify-several":
      return "Logits are a model’s scores for each label";
    case "tag":
      return "Logits are a model’s scores for each label of each word";
    case "score":
      return "The logit of such a model is the number it says";
    default:
      return task satisfies never;
  }
}

/** That there was something to export. */
export const moved = (difference: number | null): string =>
  difference === 0
    ? "It says the same as its base: nothing was learned."
    : `From the base’s they differ by up to ${three(difference)}.`;

const three = (value: number | null): string =>
  value !== null && value >= 0.001 ? String(Number(value.toPrecision(3))) : tiny(value);

export const PRECISIONS: readonly { value: Precision; label: string; term: string; help: string }[] = [
  {
    value: "bf16",
    label: "bf16",
    term: "bfloat16",
    help: "As most models are published. The right one unless something asks for another.",
  },
  {
    value: "f16",
    label: "f16",
    term: "float16",
    help: "For graphics cards and programs that know no bf16. The same size, finer steps, a smaller range.",
  },
  { value: "f32", label: "f32", term: "float32", help: "Exactly as computed, at twice the size." },
];

export function form(of: ExportForm): string {
  switch (of.kind) {
    case "adapter":
      return "Adapter";
    case "merged":
      return `Whole model, ${of.precision}`;
    default:
      return of satisfies never;
  }
}

/** A folder's name made of a person's words. */
export function folderName(name: string, of: ExportForm): string {
  const plain = name
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .toLowerCase();
  const words = plain
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60)
    .replace(/-+$/, "");
  return `${words || "model"}-${of.kind === "adapter" ? "adapter" : `merged-${of.precision}`}`;
}

/** Why a folder cannot have this name; null where it can. */
export function badFolderName(name: string): string | null {
  const plain = name.trim();
  if (plain === "") return "Give the new folder a name.";
  if (plain === "." || plain === ".." || /[\\/:*?"<>|]/.test(plain))
    return 'A name cannot have any of \\ / : * ? " < > |';
  return null;
}

/** `name` within `folder`, as the system of that path writes it. */
export function within(folder: string, name: string): string {
  const separator = folder.includes("\\") && !folder.includes("/") ? "\\" : "/";
  return folder.endsWith(separator) ? folder + name : folder + separator + name;
}
