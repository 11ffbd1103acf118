// What can be done with a run from its page, beside what the run does itself.

import type { App } from "../../state/app.svelte";
import type { LiveRun } from "../../state/live-run.svelte";

export const tryIt = (app: App, run: LiveRun): void =>
  app.router.go({ view: "try", target: { kind: "run", id: run.id } });

export const compare = (app: App, run: LiveRun): void => app.router.go({ view: "compare", ids: [run.id] });

/** As a new run with the same words, to be looked at before it starts. */
export const duplicate = (app: App, run: LiveRun): Promise<void> =>
  app.attempt(async () => app.router.go({ view: "new", spec: await app.backend.duplicateRun(run.id) }));

/** At once, with a way back. */
export const remove = (app: App, run: LiveRun): Promise<void> =>
  app.attempt(async () => {
    await app.backend.deleteRun(run.id);
    app.router.replace({ view: "runs" });
    const undo = () =>
      void app.attempt(async () => {
        const id = await app.backend.undoDeleteRun();
        if (id) app.router.go({ view: "run", id });
      });
    app.toasts.say(`“${run.name}” is deleted.`, { label: "Undo", run: undo });
  });
