// What can be done with a run from the list.

import type { RunId, RunRow } from "../../backend";
import type { MenuItem } from "../../parts/Menu.svelte";
import type { App } from "../../state/app.svelte";

export const openRun = (app: App, run: RunRow): void => app.router.go({ view: "run", id: run.id });

export const pause = (app: App, run: RunRow): Promise<void> => app.attempt(() => app.backend.pauseRun(run.id));
export const resume = (app: App, run: RunRow): Promise<void> => app.attempt(() => app.backend.resumeRun(run.id));
export const stop = (app: App, run: RunRow): Promise<void> => app.attempt(() => app.backend.stopRun(run.id));

export const tryRun = (app: App, run: RunRow): void =>
  app.router.go({ view: "try", target: { kind: "run", id: run.id } });

/** As a new run with the same words, to be looked at before it starts. */
export const duplicate = (app: App, run: RunRow): Promise<void> =>
  app.attempt(async () => app.router.go({ view: "new", spec: await app.backend.duplicateRun(run.id) }));

/** At once, with a way back. */
export const remove = (app: App, run: RunRow): Promise<void> =>
  app.attempt(async () => {
    await app.backend.deleteRun(run.id);
    app.toasts.say(`“${run.name}” is deleted.`, { label: "Undo", run: () => void bringBack(app, run) });
  });

/** The machine brings back what was deleted last; whatever was deleted since then is deleted again. */
const bringBack = (app: App, run: RunRow): Promise<void> =>
  app.attempt(async () => {
    const since: RunId[] = [];
    for (;;) {
      const back = await app.backend.undoDeleteRun();
      if (back === null || back === run.id) break;
      since.push(back);
    }
    for (const id of since.toReversed()) await app.backend.deleteRun(id);
  });

export const canBeDeleted = (run: RunRow): boolean => run.status !== "running" && run.status !== "queued";

/** The verb that the status asks for. */
function next(app: App, run: RunRow): MenuItem[] {
  switch (run.status) {
    case "running":
      return [
        { label: "Pause", icon: "pause", onselect: () => void pause(app, run) },
        { label: "Stop and keep", icon: "stop", onselect: () => void stop(app, run) },
      ];
    case "queued":
      return [{ label: "Put aside", icon: "pause", onselect: () => void pause(app, run) }];
    case "paused":
    case "stopped":
    case "failed":
    case "interrupted":
      return [{ label: "Resume", icon: "play", onselect: () => void resume(app, run) }];
    case "finished":
      return [{ label: "Try it", icon: "try", onselect: () => tryRun(app, run) }];
    default:
      return run.status satisfies never;
  }
}

export function runMenu(app: App, run: RunRow, rename: (run: RunRow) => void): MenuItem[] {
  return [
    { label: "Open", icon: "chart", onselect: () => openRun(app, run) },
    ...next(app, run),
    { label: "Rename", icon: "edit", onselect: () => rename(run) },
    { label: "Duplicate", icon: "copy", onselect: () => void duplicate(app, run) },
    {
      label: "Delete",
      icon: "delete",
      tone: "bad",
      disabled: !canBeDeleted(run),
      onselect: () => void remove(app, run),
    },
  ];
}
