// The check of this computer: what was found, and one that goes on.

import type { ApiError, CheckUp } from "../backend";
import type { App } from "./app.svelte";
import { asApiError } from "./errors";
import { Loaded } from "./loaded.svelte";
import type { Task } from "./tasks.svelte";

export class DeviceChecks {
  readonly found: Loaded<CheckUp>;
  task = $state.raw<Task | null>(null);
  /** Why the last check did not come about. */
  trouble = $state.raw<ApiError | null>(null);

  constructor(private readonly app: App) {
    this.found = new Loaded(() => app.backend.checkUp());
  }

  async check(): Promise<void> {
    if (this.task) return;
    this.trouble = null;
    const { backend, tasks } = this.app;
    try {
      const found = await tasks.run(
        "Checking this computer",
        (watched) => backend.checkDevices(watched),
        (task) => (this.task = task),
      );
      if (found) this.found.set(found);
      // Cancelled: what was found until then is kept.
      else await this.found.again();
    } catch (e) {
      this.trouble = asApiError(e);
    } finally {
      this.task = null;
    }
  }
}

const known = new WeakMap<App, DeviceChecks>();

/** The one of this app: a check goes on while another view is open. */
export function checksOf(app: App): DeviceChecks {
  const checks = known.get(app);
  // A driver may have been updated meanwhile.
  if (checks) void checks.found.again();
  const one = checks ?? new DeviceChecks(app);
  known.set(app, one);
  return one;
}
