// The only door to the machine: nothing outside backend/ may import @tauri-apps/*.

import type { RunsUpdate } from "./bindings";

export type { ApiError, RunRow, RunsUpdate, RunStatus } from "./bindings";

export interface Backend {
  /** Tells about the runs: at once, and then whenever something changed. */
  watchRuns(onUpdate: (update: RunsUpdate) => void): Promise<void>;
}

/** The real one inside the window; in a browser, one that plays scenes. */
export async function openBackend(): Promise<Backend> {
  if ("__TAURI_INTERNALS__" in window) return (await import("./tauri")).tauri();
  return (await import("./fake")).fake(new URLSearchParams(location.search));
}
