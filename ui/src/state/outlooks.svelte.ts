import type { ApiError, Backend, Effort, Planned, RunSpec } from "../backend";
import { asApiError } from "./errors";

export type Outlook = { kind: "planned"; planned: Planned } | { kind: "refused"; error: ApiError };

const ALL: readonly Effort[] = ["quick", "standard", "thorough"];

/** What each effort would mean for the same question; an old answer stays until the new one is there. */
export class Outlooks {
  of = $state.raw<Partial<Record<Effort, Outlook>>>({});
  private asked = "";
  private stop = new AbortController();

  constructor(private readonly backend: Backend) {}

  /** `spec` has the answer `known`, so only the other efforts are asked about. */
  ask(spec: RunSpec, known: Outlook | null): void {
    const mine = spec.effort ?? "standard";
    const question = JSON.stringify({ ...spec, name: null, effort: null });
    if (question !== this.asked) {
      this.close();
      this.stop = new AbortController();
      this.asked = question;
      void this.answer(
        spec,
        ALL.filter((effort) => effort !== mine),
        this.stop.signal,
      );
    }
    if (known) this.of = { ...this.of, [mine]: known };
  }

  /** What was said is of another model or other data. */
  forget(): void {
    this.close();
    this.of = {};
  }

  close(): void {
    this.stop.abort();
    this.asked = "";
  }

  private async answer(spec: RunSpec, efforts: readonly Effort[], signal: AbortSignal): Promise<void> {
    for (const effort of efforts) {
      const outlook = await this.one({ ...spec, effort }, signal);
      if (signal.aborted) return;
      this.of = { ...this.of, [effort]: outlook };
    }
  }

  private async one(spec: RunSpec, signal: AbortSignal): Promise<Outlook> {
    try {
      return { kind: "planned", planned: await this.backend.plan(spec, { signal }) };
    } catch (e) {
      return { kind: "refused", error: asApiError(e) };
    }
  }
}
