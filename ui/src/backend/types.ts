// Until the commands are written in Rust: the types as bindings.ts will have them. Goes when bindings.ts has them all.

import type {
  ApiError, Chosen, ColumnRole, Counts, DatasetInfo, DatasetSummary, Decided, DeviceChoice, DeviceInfo, Effort,
  Example, Mapping, MemoryUse, Plan, Problem, RunDetail, RunId, RunRow, RunSpec, Series, Shape, Split, SplitFractions, Stamped,
} from "./base";

export type * from "./base";

/** How far a task is. `total` null: unknown. */
export type TaskProgress = {
  /** "Downloading model.safetensors", "Reading back": what is done now, without a full stop. */
  doing: string;
  done: number;
  total: number | null;
  unit: "bytes" | "pieces" | "none";
  /** Seconds, once the pace is known. */
  secs_left: number | null;
};

// ---- runs --------------------------------------------------------------------------------------------------------
/** All that a run's page starts from; events from `next_seq` on bring it up to date. */
export type RunView = {
  detail: RunDetail;
  /** Thinned to 2,000 points each: means over stretches of equal length. */
  series: Series;
  /** Steps in the whole curve. */
  n_steps: number;
  /** Of the training process at its last step. */
  memory: MemoryUse | null;
  /** Where it lies: checkpoints and log. */
  folder: string;
  /** Every event that is not a step, oldest first. */
  story: Stamped[];
  next_seq: number;
  /** When the run will stop by itself and keep what it learned: milliseconds since 1970. */
  stop_at_ms: number | null;
  exports: ExportRecord[];
};
export type ChartScale = "linear" | "log";
export type ChartRequest = {
  /** One run: its training and validation loss. Several: validation overlaid, a colour each. */
  runs: RunId[];
  scale: ChartScale;
  /** Weight of the past in the smoothed line, 0 (none) to 0.99. */
  smoothing: number;
  theme: "light" | "dark";
  width: number;
  height: number;
};
/** A chart drawn by plotters, and where things are on it, for the crosshair. Pixels of the picture. */
export type ChartPicture = {
  svg: string;
  left: number; top: number; width: number; height: number;
  steps: [number, number];
  losses: [number, number];
  scale: ChartScale;
};
export type ExportRecord = {
  path: string; form: ExportForm; at_ms: number; bytes: number; difference: number; there: boolean;
  /** How to load it, to copy. */
  snippet: string;
};
export type Difference = { label: string; values: string[] };
export type Comparison = { runs: RunRow[]; series: Series[]; differences: Difference[]; same: Difference[] };

// ---- data --------------------------------------------------------------------------------------------------------
export type Preview = {
  file: string; n_files: number; format: string;
  columns: string[];
  rows: string[][];
  mapping: Mapping | null;
  because: string;
  examples: Example[];
  problems: Problem[];
};
export type ImportRequest = {
  paths: string[]; validation: string[]; test: string[];
  name: string | null; mapping: Mapping | null; split: SplitFractions;
  into: string | null;
};
/** Which columns a shape needs, for the mapping form. */
export type ShapeSheet = { shape: Shape; label: string; help: string; needs: ColumnRole[]; may: ColumnRole[] };
/** `n` rows with the same trouble. */
export type ProblemGroup = {
  /** "14 rows have no reply" */
  sentence: string;
  n: number;
  /** Rows kept with a repair, rather than left out. */
  repaired: boolean;
  /** The first ones. */
  examples: Problem[];
};
export type DatasetSheet = { info: DatasetInfo; created_ms: number; versions: DatasetVersion[]; groups: ProblemGroup[]; bytes: number; n_runs: number };
export type DatasetVersion = { version: string; created_ms: number; counts: Counts };
export type RowPage = { offset: number; total: number; examples: Example[] };
/** Lengths in tokens; `bins[i]` counts lengths in [i*width, (i+1)*width). */
export type LengthHistogram = {
  width: number; bins: number[];
  shortest: number; median: number; p95: number; longest: number;
  /** Examples measured, of so many. */
  measured: number; of: number;
  /** Share of tokens that are taught. */
  taught: number;
};
export type SeenToken = { id: number; piece: string; taught: boolean; special: boolean };
export type Seen = {
  text: string; tokens: SeenToken[]; n_tokens: number; n_supervised: number; n_cut: number;
  end_token: string | null; end_is_taught: boolean;
};

// ---- models ------------------------------------------------------------------------------------------------------
export type Fit = { kind: "good" | "tight" | "too_large"; why: string };
export type Gate = "open" | "asks" | "manual";
export type CatalogueEntry = {
  id: string; name: string; n_parameters: number; download: number; licence: string; gate: Gate; good_for: string;
};
export type ModelOffer = { entry: CatalogueEntry; fit: Fit; state: ModelState };
export type ModelState =
  | { kind: "absent" }
  | { kind: "partial"; done: number; total: number | null }
  | { kind: "here"; bytes: number; path: string };
/** A model on this computer: downloaded, or a folder or GGUF file of the person's own. */
export type LocalModel = {
  id: string; name: string; path: string; bytes: number;
  /** `own`: never deleted from the disk by Tunesmith. */
  origin: "hub" | "own";
  fit: Fit | null;
  /** Why it cannot be used, if so. */
  trouble: ApiError | null;
  n_parameters: number | null; context: number | null; chats: boolean | null;
  n_runs: number;
};
export type FoundModel = {
  id: string; downloads: number | null; likes: number | null; gate: Gate; licence: string | null;
  n_parameters: number | null; model_type: string | null; fit: Fit | null; state: ModelState;
};

// ---- plan --------------------------------------------------------------------------------------------------------
export type KnobKind =
  | { kind: "whole"; min: number; max: number } | { kind: "real"; min: number; max: number } | { kind: "switch" }
  | { kind: "choice"; of: string[] } | { kind: "words"; examples: string[] };
export type Knob = { key: string; label: string; help: string; kind: KnobKind };
export type PlannedKnob = { key: string; value: string; because: string; asked: boolean };
/** What the run would need on a device. */
export type DeviceFit = {
  device: DeviceInfo; fit: Fit;
  memory: { low: number; high: number }; available: number | null;
  secs: { low: number; high: number };
  chosen: boolean;
};
export type Planned = {
  plan: Plan; name: string;
  knobs: PlannedKnob[];
  devices: DeviceFit[];
  /** The same run in a terminal. */
  command: string;
};

// ---- try it ------------------------------------------------------------------------------------------------------
export type ChatOpened = { chats: boolean; tuned: boolean; device: DeviceInfo; context: number };
export type ChatTarget = { kind: "run"; id: RunId } | { kind: "model"; id: string };
export type Voice = "base" | "tuned";
export type ChatPrompt = { kind: "chat"; messages: { role: string; content: string }[] } | { kind: "text"; text: string };
export type Sampling = { temperature: number; top_p: number; top_k: number; repetition_penalty: number; seed: number };
export type ChatReply = { text: string; n_tokens: number; complete: boolean; secs: number; seen: string };

// ---- export ------------------------------------------------------------------------------------------------------
export type Precision = "f32" | "bf16" | "f16";
export type ExportForm = { kind: "adapter" } | { kind: "merged"; precision: Precision };
export type Exported = {
  path: string; files: number; bytes: number;
  /** The largest difference of a logit, read back against the model in the app. */
  difference: number;
  /** The largest difference between base and tuned: that it learned at all. */
  moved: number;
  /** How to load it, to copy. */
  snippet: string;
};

// ---- settings ----------------------------------------------------------------------------------------------------
export type ThemeChoice = "system" | "light" | "dark";
export type OnClose = "ask" | "keep" | "pause" | "stop";
export type Settings = { theme: ThemeChoice; on_close: OnClose; notify: boolean; hf_endpoint: string | null; welcomed: boolean };
export type TokenState =
  | { kind: "none" }
  | { kind: "kept" }             // in the system's keyring
  | { kind: "environment"; from: string }  // HF_TOKEN, or a file of the hub's own tools
  | { kind: "unavailable"; why: string };  // no keyring here
export type DiskUse = { home: string; models: number; datasets: number; runs: number; exports: number; free: number | null };
export type About = { version: string; home: string; system: string; licences: { name: string; version: string; licence: string }[] };
export type { ApiError, Chosen, Decided, DeviceChoice, Effort, RunSpec, Split, DatasetSummary };
