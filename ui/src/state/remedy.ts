// What to do about a run that broke off: one thing, the likeliest to help.

import type { ApiError, DeviceChoice, SmallerRun } from "../backend";
import type { App } from "./app.svelte";
import type { LiveRun } from "./live-run.svelte";

export type Remedy =
  /** From its last checkpoint; null: from the beginning. */
  | { kind: "resume"; from: number | null }
  /** With less memory, to the same result. */
  | { kind: "smaller"; says: string; from: number | null }
  /** With less memory, to another one. */
  | { kind: "anew"; says: string }
  /** Nothing needs clearly less. */
  | { kind: "too_large" }
  /** That is being worked out. */
  | { kind: "looking" }
  | { kind: "half_rate" }
  | { kind: "processor" }
  | { kind: "disk" }
  | { kind: "models" }
  | { kind: "data" }
  | { kind: "change" };

type Broken = {
  error: ApiError | null;
  kept: number | null;
  device: DeviceChoice["kind"];
  /** What needs less memory: unknown until it was asked. */
  smaller?: SmallerRun | null | undefined;
};

function withLess(smaller: SmallerRun | null | undefined, kept: number | null): Remedy {
  if (smaller === undefined) return { kind: "looking" };
  if (smaller === null) return { kind: "too_large" };
  const { says, same_result } = smaller;
  return same_result ? { kind: "smaller", says, from: kept } : { kind: "anew", says };
}

export function remedyFor({ error, kept, device, smaller }: Broken): Remedy {
  const code = error?.code ?? "internal";
  switch (code) {
    case "out_of_memory":
      return withLess(smaller, kept);
    case "diverged":
      return { kind: "half_rate" };
    case "device":
      // A driver that was lost once may hold the next time; a device that computes wrongly never got as far as a checkpoint.
      return kept === null && device === "gpu" ? { kind: "processor" } : { kind: "resume", from: kept };
    case "disk":
      return { kind: "disk" };
    case "nothing_to_learn":
      return { kind: "change" };
    case "bad_model":
      return { kind: "models" };
    case "bad_data":
      return { kind: "data" };
    case "internal":
    case "busy":
    case "network":
    case "forbidden":
    case "usage":
    case "not_found":
    case "mismatch":
    case "cancelled":
      return { kind: "resume", from: kept };
    default:
      return code satisfies never;
  }
}

/** What to do in words: the remedy's, and the machine's where they say more; theirs alone where they mean this very case. */
export function advice(error: ApiError | null, todo: string): string {
  const hint = error?.hint;
  if (!error || !hint) return todo;
  if (error.code === "bad_model" || error.code === "bad_data") return hint;
  return error.code === "internal" ? `${todo} ${hint}` : todo;
}

/** Does it, or opens the place where it is done. */
export async function apply(app: App, run: LiveRun, remedy: Remedy): Promise<void> {
  const { backend, router } = app;
  switch (remedy.kind) {
    case "resume":
      return run.resume();
    case "smaller":
    case "anew": {
      const id = await run.withLess();
      return id === null || id === run.id ? undefined : router.go({ view: "run", id });
    }
    case "looking":
      return;
    case "too_large":
      return app.attempt(async () => router.go({ view: "new", spec: await backend.duplicateRun(run.id) }));
    case "half_rate":
      return app.attempt(async () => {
        const spec = await backend.duplicateRun(run.id);
        const rate = spec.knobs.learning_rate ?? run.detail?.plan.knobs.learning_rate.value;
        const knobs = rate === undefined ? spec.knobs : { ...spec.knobs, learning_rate: rate / 2 };
        router.go({ view: "new", spec: { ...spec, knobs } });
      });
    case "processor":
      return app.attempt(async () =>
        router.go({ view: "new", spec: { ...(await backend.duplicateRun(run.id)), device: { kind: "cpu" } } }),
      );
    case "change":
      return app.attempt(async () => router.go({ view: "new", spec: await backend.duplicateRun(run.id) }));
    case "disk":
      return router.go({ view: "settings" });
    case "models":
      return router.go({ view: "models" });
    case "data":
      return router.go(run.detail ? { view: "data", id: run.detail.spec.data } : { view: "data" });
    default:
      remedy satisfies never;
  }
}
