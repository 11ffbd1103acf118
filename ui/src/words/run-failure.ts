// What went wrong with a run, what was kept, and what to do.

import type { ApiError } from "../backend";
import type { Remedy } from "../state/remedy";
import { count } from "../words";
import { full } from "./run-story";

export function failureTitle(code: ApiError["code"]): string {
  switch (code) {
    case "out_of_memory":
      return "Memory ran out";
    case "diverged":
      return "The loss stopped being a number";
    case "device":
      return "The device gave up";
    case "disk":
      return "The disk took no more";
    case "nothing_to_learn":
      return "There was nothing to learn";
    case "bad_model":
      return "The model cannot be used";
    case "bad_data":
      return "The data cannot be used";
    case "internal":
      return "A defect of Tunesmith ended the run";
    case "busy":
    case "network":
    case "forbidden":
    case "usage":
    case "not_found":
    case "mismatch":
    case "cancelled":
      return "The run broke off";
    default:
      return code satisfies never;
  }
}
export const interrupted = (step: number): string =>
  step === 0 ? "Interrupted before the first step" : `Interrupted at step ${count(step)}`;

export const happened = (error: ApiError | null): string =>
  full(error?.message ?? "It ended without a word: it was killed, or the computer was switched off.");

export const keptUp = (step: number | null): string =>
  step === null ? "No checkpoint was saved yet, so nothing of this run." : `Everything up to step ${count(step)}.`;

/** What to do, and the button that does it. */
export function remedyWords(remedy: Remedy): { todo: string; button: string } {
  switch (remedy.kind) {
    case "resume":
      return remedy.from === null
        ? { todo: "Start again from the beginning.", button: "Start again" }
        : {
            todo: `Go on from step ${count(remedy.from)}; nothing before it is done twice.`,
            button: `Resume from step ${count(remedy.from)}`,
          };
    case "smaller":
      return {
        todo:
          remedy.from === null
            ? `${remedy.says} It begins again, since nothing was saved yet.`
            : `${remedy.says} It goes on from step ${count(remedy.from)}.`,
        button: remedy.from === null ? "Start again with less" : "Resume with less",
      };
    case "anew":
      return {
        todo: `${remedy.says} A new run starts, and this one stays as it is.`,
        button: "Start a new run with less",
      };
    case "too_large":
      return {
        todo: "No setting needs clearly less memory. Close other programs and resume, or choose a smaller model.",
        button: "Choose another model",
      };
    case "looking":
      return { todo: "Working out what needs less memory…", button: "Resume with less" };
    case "half_rate":
      return {
        todo: "Start again with half the learning rate: steps half as long seldom run away.",
        button: "New run at half the rate",
      };
    case "processor":
      return {
        todo: "Train on the processor: slower, but it asks nothing of the graphics driver.",
        button: "New run on the processor",
      };
    case "disk":
      return { todo: "Free some space, then come back and resume.", button: "See what takes up space" };
    case "models":
      return { todo: "Download the model again, or choose another.", button: "Open the models" };
    case "data":
      return { todo: "Look at the data; import it again if its file is damaged.", button: "Open the data" };
    case "change":
      return {
        todo: "Change what is taught in a new run. Its review shows which words the model would learn.",
        button: "Change it in a new run",
      };
    default:
      return remedy satisfies never;
  }
}
