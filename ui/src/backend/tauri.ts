import { Channel } from "@tauri-apps/api/core";

import type { Backend } from ".";
import { commands, type RunsUpdate } from "./bindings";

export function tauri(): Backend {
  return {
    async watchRuns(onUpdate) {
      const updates = new Channel<RunsUpdate>();
      updates.onmessage = onUpdate;
      await commands.watchRuns(updates);
    },
  };
}
