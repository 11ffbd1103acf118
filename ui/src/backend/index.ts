// The only door to the machine: nothing outside backend/ may import @tauri-apps/*.

import type {
  About,
  Asked,
  ChartPicture,
  ChartRequest,
  ChatOpened,
  ChatPrompt,
  ChatReply,
  ChatTarget,
  CheckUp,
  Comparison,
  DatasetInfo,
  DatasetSheet,
  DatasetSummary,
  DeviceInfo,
  DiskUse,
  ExportForm,
  Exported,
  FoundModel,
  ImportRequest,
  Knob,
  LengthHistogram,
  LocalModel,
  Mapping,
  ModelOffer,
  OnClose,
  Planned,
  Predicted,
  Preview,
  Report,
  RowPage,
  RunId,
  RunSpec,
  RunsUpdate,
  RunView,
  Search,
  Seen,
  Settings,
  ShapeSheet,
  SmallerRun,
  Split,
  Stamped,
  Supervise,
  TaskProgress,
  TokenState,
  Voice,
} from "./types";

export type * from "./types";

/** Ends a watch. */
export type Unwatch = () => void;

/** How a long call is followed and cut short: `signal` cancels it (it then fails with the code `cancelled`). */
export type Watched = { onProgress?: (progress: TaskProgress) => void; signal?: AbortSignal };

/** A drag of files over the window, in CSS pixels; `dropped` has the paths. */
export type Drag =
  | { kind: "over"; x: number; y: number }
  | { kind: "left" }
  | { kind: "dropped"; paths: string[]; x: number; y: number };

/** What the window asks of the page. */
export type WindowAsk =
  /** The person closed the window while `runs` train: what then? Answer with `closeWindow`. */
  | { kind: "closing"; runs: number }
  /** Show this run: its notification was pressed, or the tray's entry. */
  | { kind: "show_run"; id: RunId };

/** Every call that fails, fails with an ApiError. */
export interface Backend {
  // runs
  /** Tells about the runs: at once, and then whenever something changed. */
  watchRuns(onUpdate: (update: RunsUpdate) => void): Promise<void>;
  openRun(id: RunId): Promise<RunView>;
  /** Events from `fromSeq` on, as they come, at most ten batches a second; goes on over pauses and resumes. */
  followRun(id: RunId, fromSeq: number, onEvents: (batch: Stamped[]) => void): Unwatch;
  pauseRun(id: RunId): Promise<void>;
  resumeRun(id: RunId): Promise<void>;
  /** Ends it and keeps what was learned. */
  stopRun(id: RunId): Promise<void>;
  /** Stop and keep at that moment (milliseconds since 1970); null takes it back. */
  stopRunAt(id: RunId, at_ms: number | null): Promise<void>;
  renameRun(id: RunId, name: string): Promise<void>;
  deleteRun(id: RunId): Promise<void>;
  undoDeleteRun(): Promise<RunId | null>;
  /** What was asked of it, to ask it again. */
  duplicateRun(id: RunId): Promise<RunSpec>;
  /** What it would need less with, after it ran out of memory; null if nothing would help. */
  smallerRun(id: RunId): Promise<SmallerRun | null>;
  /** Does that: it goes on from its last checkpoint, or another one starts, whose id this then is. */
  resumeSmaller(id: RunId): Promise<RunId>;
  compareRuns(ids: RunId[]): Promise<Comparison>;
  drawChart(request: ChartRequest): Promise<ChartPicture>;
  /** Asks where, and writes the chart there as SVG or PNG; null if the person thought better of it. */
  saveChart(request: ChartRequest): Promise<string | null>;
  /** How well a finished run that answers with a head does on the part that was set aside for a test. */
  reportRun(id: RunId, watched?: Watched): Promise<Report>;
  /** Asks where, and writes the report there as one page for any browser; null if the person thought better of it. */
  saveReport(report: Report): Promise<string | null>;

  // data
  previewData(paths: string[], mapping: Mapping | null, rows: number): Promise<Preview>;
  shapes(): Promise<ShapeSheet[]>;
  importData(request: ImportRequest, watched?: Watched): Promise<DatasetInfo>;
  importSample(): Promise<DatasetInfo>;
  datasets(): Promise<DatasetSummary[]>;
  dataset(id: string, version: string | null): Promise<DatasetSheet>;
  /** `rows` examples of a part from `offset` on; quick anywhere in a million. */
  rows(id: string, version: string, split: Split, offset: number, rows: number): Promise<RowPage>;
  lengths(
    id: string,
    version: string,
    model: string,
    supervise: Supervise,
    watched?: Watched,
  ): Promise<LengthHistogram>;
  renameDataset(id: string, name: string): Promise<void>;
  deleteDataset(id: string): Promise<void>;
  undoDeleteDataset(): Promise<string | null>;
  /** What the model will see of training examples from `offset` on. */
  see(
    id: string,
    version: string | null,
    model: string,
    supervise: Supervise,
    context_length: number,
    offset: number,
    n: number,
  ): Promise<Seen[]>;

  // models
  catalogue(): Promise<ModelOffer[]>;
  /** Everything on this computer. */
  models(): Promise<LocalModel[]>;
  searchModels(text: string): Promise<FoundModel[]>;
  /** Cancelling keeps what has come, so that the next attempt goes on from there. */
  downloadModel(id: string, watched?: Watched): Promise<void>;
  /** Throws away what came of an unfinished download. */
  discardDownload(id: string): Promise<void>;
  /** A folder or GGUF file of the person's own: remembered where it lies. */
  addModel(path: string): Promise<LocalModel>;
  /** Deletes a downloaded model; forgets one of the person's own. */
  removeModel(id: string): Promise<void>;

  // plan and start
  devices(): Promise<DeviceInfo[]>;
  /** The same with what their last checks came to, and where to train. */
  checkUp(): Promise<CheckUp>;
  /** Checks each device; cancelling keeps what was found. */
  checkDevices(watched?: Watched): Promise<CheckUp>;
  knobs(): Promise<Knob[]>;
  /** Sets one knob from what was typed; fails with what it can be. */
  setKnob(knobs: Asked, key: string, value: string): Promise<Asked>;
  plan(spec: RunSpec, watched?: Watched): Promise<Planned>;
  startRun(spec: RunSpec, watched?: Watched): Promise<RunId>;

  // try it
  /** Reads the model into memory; the one before is let go. */
  openChat(target: ChatTarget, watched?: Watched): Promise<ChatOpened>;
  closeChat(): Promise<void>;
  /** `onText` hears the answer as it comes; what beams find comes whole, at the end. */
  reply(
    voice: Voice,
    prompt: ChatPrompt,
    search: Search,
    max_tokens: number,
    onText: (piece: string) => void,
    signal?: AbortSignal,
  ): Promise<ChatReply>;
  /** What the open model says of a text, or of two that belong together; for those that answer with a head. */
  classify(voice: Voice, text: string, pair: string | null): Promise<Predicted>;

  // export
  /** `target` null: in the folder of exports, under the run's name. */
  exportRun(id: RunId, form: ExportForm, target: string | null, watched?: Watched): Promise<Exported>;
  /** Shows a folder of an export, of a model or of Tunesmith in the system's file manager. */
  reveal(path: string): Promise<void>;

  // dialogs of the system; null or empty if the person thought better of it
  chooseData(): Promise<string[]>;
  chooseModel(kind: "folder" | "gguf"): Promise<string | null>;
  chooseFolder(title: string): Promise<string | null>;

  // settings
  settings(): Promise<Settings>;
  saveSettings(settings: Settings): Promise<void>;
  tokenState(): Promise<TokenState>;
  /** Keeps the hub's token in the system's keyring; null takes it out. */
  saveToken(token: string | null): Promise<TokenState>;
  diskUse(): Promise<DiskUse>;
  about(): Promise<About>;
  /** Everything worth sending with a report, as text; nothing of the person's data. */
  diagnostics(): Promise<string>;

  // the window
  onDrag(tell: (drag: Drag) => void): Unwatch;
  onAsk(tell: (ask: WindowAsk) => void): Unwatch;
  closeWindow(then: Exclude<OnClose, "ask"> | "stay", remember: boolean): Promise<void>;
  /** Opens a model's page on the hub in the system's browser, where its licence is accepted. */
  openModelPage(id: string): Promise<void>;
  /** Opens the hub's page on which access tokens are made, the same way. */
  openTokenPage(): Promise<void>;
  /** Writes to the clipboard. */
  copy(text: string): Promise<void>;
}

/**
 * The real one inside the window; in a browser, while developing and testing, one that plays scenes. The page that is
 * shipped has no scenes: there it is null, and what stands here is left out of what is built.
 */
export async function openBackend(): Promise<Backend | null> {
  if ("__TAURI_INTERNALS__" in window) return (await import("./tauri")).tauri();
  if (import.meta.env.DEV) return (await import("./fake")).fake(new URLSearchParams(location.search));
  return null;
}
