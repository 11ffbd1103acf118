import type { Place } from "./router.svelte";

/** What a key of the whole window does. */
export type Command =
  { kind: "go"; place: Place } | { kind: "back" } | { kind: "leave" } | { kind: "palette" } | { kind: "shortcuts" };

/** `keys` as in `Mod+K`; Mod is Ctrl, or ⌘ on a Mac. `free`: only while nobody types. */
type Shortcut = { keys: string; says: string; command: Command; free?: true };

export const SHORTCUTS: readonly Shortcut[] = [
  { keys: "Mod+K", says: "Find a place, a run, data, a model, or something to do", command: { kind: "palette" } },
  { keys: "Mod+N", says: "New run", command: { kind: "go", place: { view: "new" } } },
  { keys: "Mod+1", says: "Runs", command: { kind: "go", place: { view: "runs" } } },
  { keys: "Mod+2", says: "Models", command: { kind: "go", place: { view: "models" } } },
  { keys: "Mod+3", says: "Data", command: { kind: "go", place: { view: "data" } } },
  { keys: "Mod+4", says: "Try it", command: { kind: "go", place: { view: "try" } } },
  { keys: "Mod+,", says: "Settings", command: { kind: "go", place: { view: "settings" } } },
  { keys: "Escape", says: "Leave what is open", command: { kind: "leave" }, free: true },
  { keys: "Alt+ArrowLeft", says: "Back to where you were", command: { kind: "back" }, free: true },
  { keys: "?", says: "Show these keys", command: { kind: "shortcuts" }, free: true },
];

/** Those that the list of runs knows by itself; here to be told of. */
export const LIST_KEYS = [
  { keys: "ArrowDown", says: "From run to run" },
  { keys: "Enter", says: "Open the run" },
  { keys: "X", says: "Pick it, to compare" },
  { keys: "F2", says: "Rename it" },
  { keys: "Delete", says: "Delete it; this can be undone" },
] as const;

const types = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  target.matches("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");

/** As the table writes it. Shift is part of `?`, not beside it. */
function written(event: KeyboardEvent): string {
  const mod = event.ctrlKey || event.metaKey ? "Mod+" : "";
  const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  return `${mod}${event.altKey ? "Alt+" : ""}${key}`;
}

/** What this key asks of the window; null if it is for whatever has the focus. */
export function commandOf(event: KeyboardEvent): Command | null {
  if (event.defaultPrevented) return null;
  const keys = written(event);
  const shortcut = SHORTCUTS.find((s) => s.keys === keys);
  return !shortcut || (shortcut.free && types(event.target)) ? null : shortcut.command;
}
