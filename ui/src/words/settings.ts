// Words of the settings.

import type { DiskUse, OnClose, ThemeChoice, TokenState } from "../backend";

export const THEME: { value: ThemeChoice; label: string }[] = [
  { value: "system", label: "As the system" },
  { value: "light", label: "Light" },
  { value: "dark", label: "Dark" },
];

export const ON_CLOSE: { value: OnClose; label: string }[] = [
  { value: "ask", label: "Ask" },
  { value: "keep", label: "Keep training" },
  { value: "pause", label: "Pause" },
  { value: "stop", label: "Stop and keep" },
];

export function onCloseHelp(choice: OnClose): string {
  switch (choice) {
    case "ask":
      return "You are asked each time.";
    case "keep":
      return "The run goes on in the background; an icon in the tray brings the window back.";
    case "pause":
      return "The run is saved and put aside; it goes on when you resume it.";
    case "stop":
      return "The run ends, and what it has learned is kept.";
    default:
      return choice satisfies never;
  }
}

/** Where the token is, and what follows from that. */
export function tokenWords(state: TokenState): { title: string; help: string } {
  switch (state.kind) {
    case "none":
      return { title: "No token", help: "Only models whose licence has to be accepted first need one." };
    case "kept":
      return { title: "A token is kept", help: "It is in the system’s keyring, and is never shown again." };
    case "environment":
      return {
        title: `The token of ${state.from} is used`,
        help: "It was set outside Tunesmith, which leaves it alone. One saved here goes before it.",
      };
    case "unavailable":
      return {
        title: "No keyring on this computer",
        help: `${state.why} Set HF_TOKEN before Tunesmith starts instead; a token is never written to a plain file.`,
      };
    default:
      return state satisfies never;
  }
}

export type DiskPart = { label: string; bytes: number; folder: string };

/** What lies where below the home folder, largest matters first as people meet them. */
export function diskParts(disk: DiskUse): DiskPart[] {
  const below = (name: string) => disk.home + (disk.home.includes("\\") ? "\\" : "/") + name;
  return [
    { label: "Models", bytes: disk.models, folder: below("models") },
    { label: "Data sets", bytes: disk.datasets, folder: below("datasets") },
    { label: "Runs", bytes: disk.runs, folder: below("runs") },
    { label: "Exports", bytes: disk.exports, folder: below("exports") },
  ];
}
