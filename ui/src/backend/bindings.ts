import { Channel } from "@tauri-apps/api/core";
export type RunStatus = "queued" | "running" | "paused" | "stopped" | "finished" | "failed" | "interrupted";
export type Code = "usage" | "disk" | "out_of_memory" | "internal";
export type ApiError = { code: Code; message: string; hint: string | null };
export type RunRow = { id: string; name: string; model: string; data: string; status: RunStatus; created_ms: number; step: number; of: number | null; loss: number | null; best: number | null; secs_left: number | null; losses: (number | null)[]; error: ApiError | null };
export type RunsUpdate = { kind: "runs"; rows: RunRow[] } | { kind: "trouble"; error: ApiError };
export const commands = { watchRuns: async (updates: Channel<RunsUpdate>): Promise<null> => { void updates; return null; } };
