// What a scene knows: the words of the address, and how a fake thing takes its time.

import type { ApiError, Backend, TaskProgress, Watched } from "..";

/** `?scene=full&at=data&…`; each area looks for the scenes it knows, and plays `full` for all others. */
export type Scene = {
  name: string;
  query: URLSearchParams;
};

/** What one area can do. */
export type Piece = Partial<Backend>;

export const refusal = (code: ApiError["code"], message: string, hint: string | null = null): ApiError => ({
  code,
  message,
  hint,
});

/** Waits, as the machine would; sooner refused if it is cancelled. */
export function wait(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancelled = () => reject(refusal("cancelled", "Cancelled."));
    if (signal?.aborted) return cancelled();
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => (clearTimeout(timer), cancelled()), { once: true });
  });
}

/** Goes through `total` in `steps`, telling of each; `secs` in all. */
export async function work(
  watched: Watched | undefined,
  doing: string,
  {
    total,
    unit = "none",
    secs = 2,
    steps = 20,
  }: { total: number; unit?: TaskProgress["unit"]; secs?: number; steps?: number },
): Promise<void> {
  for (let i = 0; i <= steps; i++) {
    const secs_left = i === 0 ? null : (secs * (steps - i)) / steps;
    watched?.onProgress?.({ doing, done: Math.round((total * i) / steps), total, unit, secs_left });
    await wait((1000 * secs) / steps, watched?.signal);
  }
}
