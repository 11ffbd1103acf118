// The real machine: each call is a command of src-tauri.

import { Channel } from "@tauri-apps/api/core";
import { getCurrentWebview } from "@tauri-apps/api/webview";

import type { Backend, TaskProgress, Watched } from ".";
import { commands as ask, type Heard, type WindowAsk } from "./bindings";

let births = 0;

function channel<T>(hear: (message: T) => void): Channel<T> {
  const made = new Channel<T>();
  made.onmessage = hear;
  return made;
}

/** Makes a long call under a number of its own, by which it can be stopped. */
async function task<T>(signal: AbortSignal | undefined, call: (task: number) => Promise<T>): Promise<T> {
  const number = ++births;
  const stop = () => void ask.stopTask(number);
  signal?.addEventListener("abort", stop);
  try {
    return await call(number);
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

function watched<T>(
  by: Watched | undefined,
  call: (task: number, progress: Channel<TaskProgress>) => Promise<T>,
): Promise<T> {
  const progress = channel<TaskProgress>((now) => by?.onProgress?.(now));
  return task(by?.signal, (number) => call(number, progress));
}

/**
 * Asks for word after word until there are no more, and tells each. What may go on for days is heard this way: what is
 * pushed down a channel stays in the web view's memory.
 */
async function hear<T>(next: () => Promise<Heard<T>>, tell: (word: T) => void): Promise<void> {
  for (;;) {
    const heard = await next();
    if (heard.kind === "over") return;
    if (heard.kind === "word") tell(heard.word);
  }
}

const nothing = async (call: Promise<null>): Promise<void> => void (await call);

export function tauri(): Backend {
  return {
    async watchRuns(onUpdate) {
      await ask.watchRuns();
      void hear(ask.nextRuns, onUpdate);
    },
    openRun: ask.openRun,
    followRun(id, fromSeq, onEvents) {
      const number = ++births;
      let listens = true;
      const next = () => ask.nextEvents(number);
      void ask.followRun(number, id, fromSeq).then(() => hear(next, (batch) => listens && onEvents(batch)));
      return () => {
        listens = false;
        void ask.stopTask(number);
      };
    },
    pauseRun: (id) => nothing(ask.pauseRun(id)),
    resumeRun: (id) => nothing(ask.resumeRun(id)),
    stopRun: (id) => nothing(ask.stopRun(id)),
    stopRunAt: (id, at_ms) => nothing(ask.stopRunAt(id, at_ms)),
    renameRun: (id, name) => nothing(ask.renameRun(id, name)),
    deleteRun: (id) => nothing(ask.deleteRun(id)),
    undoDeleteRun: ask.undoDeleteRun,
    duplicateRun: ask.duplicateRun,
    smallerRun: ask.smallerRun,
    resumeSmaller: ask.resumeSmaller,
    compareRuns: ask.compareRuns,
    drawChart: ask.drawChart,
    saveChart: ask.saveChart,
    reportRun: (id, by) => watched(by, (n, progress) => ask.reportRun(n, progress, id)),
    saveReport: ask.saveReport,

    previewData: ask.previewData,
    shapes: ask.shapes,
    importData: (request, by) => watched(by, (n, progress) => ask.importData(n, progress, request)),
    importSample: ask.importSample,
    datasets: ask.datasets,
    dataset: ask.dataset,
    rows: ask.rows,
    lengths: (id, version, model, supervise, by) =>
      watched(by, (n, progress) => ask.lengths(n, progress, id, version, model, supervise)),
    renameDataset: (id, name) => nothing(ask.renameDataset(id, name)),
    deleteDataset: (id) => nothing(ask.deleteDataset(id)),
    undoDeleteDataset: ask.undoDeleteDataset,
    see: ask.see,

    catalogue: ask.catalogue,
    models: ask.models,
    searchModels: ask.searchModels,
    downloadModel: (id, by) => nothing(watched(by, (n, progress) => ask.downloadModel(n, progress, id))),
    discardDownload: (id) => nothing(ask.discardDownload(id)),
    addModel: ask.addModel,
    removeModel: (id) => nothing(ask.removeModel(id)),

    devices: ask.devices,
    checkUp: ask.checkUp,
    checkDevices: (by) => watched(by, ask.checkDevices),
    knobs: ask.knobs,
    setKnob: ask.setKnob,
    plan: (spec, by) => watched(by, (n, progress) => ask.plan(n, progress, spec)),
    startRun: (spec, by) => watched(by, (n, progress) => ask.startRun(n, progress, spec)),

    openChat: (target, by) => watched(by, (n, progress) => ask.openChat(n, progress, target)),
    classify: ask.classify,
    closeChat: () => nothing(ask.closeChat()),
    reply: (voice, prompt, search, max_tokens, onText, signal) =>
      task(signal, (n) => ask.reply(n, channel<string>(onText), voice, prompt, search, max_tokens)),

    exportRun: (id, form, target, by) => watched(by, (n, progress) => ask.exportRun(n, progress, id, form, target)),
    reveal: (path) => nothing(ask.reveal(path)),

    chooseData: ask.chooseData,
    chooseModel: ask.chooseModel,
    chooseFolder: ask.chooseFolder,

    settings: ask.settings,
    saveSettings: (settings) => nothing(ask.saveSettings(settings)),
    tokenState: ask.tokenState,
    saveToken: ask.saveToken,
    diskUse: ask.diskUse,
    about: ask.about,
    diagnostics: ask.diagnostics,

    onDrag(tell) {
      const heard = getCurrentWebview().onDragDropEvent(({ payload }) => {
        if (payload.type === "leave") return tell({ kind: "left" });
        const { x, y } = payload.position.toLogical(window.devicePixelRatio);
        tell(payload.type === "drop" ? { kind: "dropped", paths: payload.paths, x, y } : { kind: "over", x, y });
      });
      return () => void heard.then((end) => end());
    },
    onAsk(tell) {
      let heard = true;
      void ask.watchWindow(channel<WindowAsk>((what) => heard && tell(what)));
      return () => (heard = false);
    },
    closeWindow: (then, remember) => nothing(ask.closeWindow(then, remember)),
    openModelPage: (id) => nothing(ask.openModelPage(id)),
    openTokenPage: () => nothing(ask.openTokenPage()),
    copy: (text) => navigator.clipboard.writeText(text),
  };
}
