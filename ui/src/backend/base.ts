// Until the commands are written in Rust: the types of crate spec as bindings.ts will have them.

import type { ApiError, RunRow } from "./bindings";
export type { ApiError, RunRow, RunsUpdate, RunStatus } from "./bindings";

export type RunId = string;
export type Effort = "quick" | "standard" | "thorough";
export type DeviceChoice = { kind: "cpu" } | { kind: "gpu"; index: number };
export type DeviceKind = "cpu" | "discrete_gpu" | "integrated_gpu" | "virtual_gpu" | "software_gpu";
export type DeviceInfo = {
  choice: DeviceChoice; kind: DeviceKind; name: string; driver: string | null; api: string; memory: number | null;
};
export type Supervise = "everything" | "replies" | "last-reply";
export type Schedule = "linear" | "cosine" | "constant";
export type TargetModules = "all-linear" | "attention" | { named: string[] };
/** Absent or null: left to the plan. */
export type Asked = {
  supervise?: Supervise | null; context_length?: number | null; packing?: boolean | null; rank?: number | null;
  alpha?: number | null; dropout?: number | null; target_modules?: TargetModules | null; use_rslora?: boolean | null;
  learning_rate?: number | null; schedule?: Schedule | null; warmup_ratio?: number | null; epochs?: number | null;
  max_steps?: number | null; batch_size?: number | null; gradient_accumulation?: number | null;
  weight_decay?: number | null; max_grad_norm?: number | null; seed?: number | null; eval_interval?: number | null;
  early_stopping_patience?: number | null; save_interval?: number | null; n_samples?: number | null;
};
export type RunSpec = {
  name: string | null; model: string; data: string; data_version: string | null;
  effort: Effort | null; device: DeviceChoice | null; knobs: Asked;
};
export type Because =
  | { kind: "asked" } | { kind: "usual"; why: string } | { kind: "effort"; why: Effort }
  | { kind: "measured"; why: string } | { kind: "follows"; why: string };
export type Chosen<T> = { value: T; because: Because };
export type Decided = {
  supervise: Chosen<Supervise>; context_length: Chosen<number>; packing: Chosen<boolean>; rank: Chosen<number>;
  alpha: Chosen<number>; dropout: Chosen<number>; target_modules: Chosen<TargetModules>; use_rslora: Chosen<boolean>;
  learning_rate: Chosen<number>; schedule: Chosen<Schedule>; warmup_ratio: Chosen<number>; epochs: Chosen<number>;
  max_steps: Chosen<number>; batch_size: Chosen<number>; gradient_accumulation: Chosen<number>;
  weight_decay: Chosen<number>; max_grad_norm: Chosen<number>; seed: Chosen<number>; eval_interval: Chosen<number>;
  early_stopping_patience: Chosen<number>; save_interval: Chosen<number>; n_samples: Chosen<number>;
};
export type Range = { low: number; high: number };
/** Bytes; seconds; tokens through the model in all. */
export type Forecast = { memory: Range; secs: Range; tokens: number };
export type Plan = {
  model: string; model_hash: string; data_version: string; device: Chosen<DeviceChoice>;
  template: "of_model" | "none"; knobs: Decided; forecast: Forecast;
};
export type Sample = { prompt: string; expected: string; output: string };
export type MemoryUse = { now: number; peak: number };
export type EndReason = "done" | "early_stopped" | "stopped";
export type RunEvent =
  | { kind: "started"; plan: Plan; device: DeviceInfo; app_version: string; pid: number }
  | { kind: "ready"; trainable_parameters: number; total_parameters: number; n_rows: number; n_truncated: number;
      n_untaught: number; resumed_at: number }
  | { kind: "stepped"; step: number; of: number; epoch: number; loss: number; learning_rate: number; grad_norm: number;
      tokens: number; supervised: number; secs: number; secs_left: number | null; memory: MemoryUse | null }
  | { kind: "evaluated"; step: number; loss: number; tokens: number; best: boolean; secs: number }
  | { kind: "sampled"; step: number; samples: Sample[] }
  | { kind: "saved"; step: number; checkpoint: string }
  | { kind: "warned"; message: string }
  | { kind: "paused"; step: number; halt: "asked" }
  | { kind: "ended"; reason: EndReason; step: number; checkpoint: string }
  | { kind: "failed"; error: ApiError; checkpoint: string | null };
export type Stamped = { seq: number; at_ms: number; event: RunEvent };
export type SavedAt = { step: number; checkpoint: string };
export type SampledAt = { step: number; samples: Sample[] };
export type Parameters = { trainable: number; total: number };
export type RunDetail = {
  row: RunRow; spec: RunSpec; plan: Plan; app_version: string; device: DeviceInfo | null; parameters: Parameters | null;
  saved: SavedAt[]; result: string | null; warnings: string[]; sampled: SampledAt[];
};
export type StepPoint = { step: number; loss: number; learning_rate: number; grad_norm: number; tokens_per_sec: number };
export type EvalPoint = { step: number; loss: number; best: boolean };
export type Series = { steps: StepPoint[]; evals: EvalPoint[] };

export type Role = "system" | "user" | "assistant" | "tool";
export type Message = { role: Role; content: string };
export type Example =
  | { kind: "text"; text: string } | { kind: "completion"; prompt: string; completion: string }
  | { kind: "chat"; messages: Message[] };
export type Shape = "prompt_completion" | "alpaca" | "messages" | "share_gpt" | "text";
export type ColumnRole = "prompt" | "completion" | "instruction" | "input" | "output" | "system" | "messages" | "text";
export type Mapping = { shape: Shape; columns: { [key in ColumnRole]?: string } };
export type ProblemKind =
  | { kind: "not_json"; column: number } | { kind: "not_an_object" }
  | { kind: "wrong_field_count"; found: number; expected: number } | { kind: "missing_column"; column: string }
  | { kind: "not_text"; column: string } | { kind: "no_reply" } | { kind: "empty_reply" } | { kind: "empty_prompt" }
  | { kind: "empty_text" } | { kind: "unknown_role"; role: string } | { kind: "bad_messages" } | { kind: "bad_encoding" }
  | { kind: "line_too_long"; limit: number } | { kind: "duplicate"; first: number };
export type Problem = { file: string; line: number; kind: ProblemKind };
export type Split = "train" | "validation" | "test";
export type SplitFractions = { validation: number; test: number; seed: number };
export type Counts = { train: number; validation: number; test: number };
export type DatasetInfo = {
  id: string; version: string; name: string; sources: string[]; mapping: Mapping; because: string;
  split: SplitFractions; counts: Counts; problems: Problem[]; n_problems: number;
};
export type DatasetSummary = {
  id: string; name: string; version: string; n_versions: number; counts: Counts; n_problems: number; created_ms: number;
};
