// Words of Home, the welcome, the sample tour and the settings.

import type { DeviceInfo, DeviceKind, RunStatus } from "../backend";

/** Statuses that a person looks for together. */
export const GROUP = { all: "All", active: "Active", done: "Done", failed: "Failed" };
export type Group = keyof typeof GROUP;

export const COLUMN = {
  name: "Run",
  status: "State",
  loss: "Training loss",
  best: "Best validation",
  when: "Created",
};
export type SortBy = keyof typeof COLUMN;

const DEVICE: Record<DeviceKind, string> = {
  cpu: "Processor",
  discrete_gpu: "Graphics card",
  integrated_gpu: "Built-in graphics",
  virtual_gpu: "Virtual graphics",
  software_gpu: "Software graphics",
};
export const deviceKind = (kind: DeviceKind): string => DEVICE[kind];
/** The standard term beside it. */
export const deviceTerm = (device: DeviceInfo): string => (device.kind === "cpu" ? "CPU" : `GPU, ${device.api}`);

/** Where the sample tour stands, and whether the person looks at it. */
export type TourStep =
  | { kind: "review"; here: boolean }
  | { kind: "run"; status: RunStatus; here: boolean }
  | { kind: "try" }
  | { kind: "exported" };

/** What the strip of the tour says. `button` leads to where the step is done. */
export type TourWords = { at: number; of: number; text: string; button: string | null };

const tour = (at: number, text: string, button: string | null = null): TourWords => ({ at, of: 4, text, button });

export function tourWords(step: TourStep): TourWords {
  switch (step.kind) {
    case "review":
      return step.here
        ? tour(
            1,
            "What the model will see: entries in the log of a lighthouse. Coloured words are those it learns to write. Press Start.",
          )
        : tour(1, "The sample is ready: data and model are here.", "Back to the review");
    case "run":
      return tourRun(step.status, step.here);
    case "try":
      return tour(
        4,
        "Both models get the same words; only the tuned one answers as the log. Then export it.",
        "To the run",
      );
    case "exported":
      return tour(
        4,
        "Done: the adapter is a folder that other tools load. Next, drop a file of your own on the window.",
        "Choose a file",
      );
    default:
      return step satisfies never;
  }
}

function tourRun(status: RunStatus, here: boolean): TourWords {
  const button = here ? null : "Show the run";
  switch (status) {
    case "queued":
      return tour(2, "The sample waits for the device; it starts by itself.", button);
    case "running":
      return tour(
        2,
        "It learns now, for two or three minutes. Lower loss means it comes closer to the keeper’s words.",
        button,
      );
    case "paused":
      return tour(2, "The sample run is paused. Resume it to go on.", button);
    case "failed":
    case "interrupted":
      return tour(2, "The sample run broke off. Its page says why, and how it goes on.", button);
    case "stopped":
    case "finished":
      return tour(3, "It has learned. Try it beside the model it came from, or export it at once.", button);
    default:
      return status satisfies never;
  }
}
