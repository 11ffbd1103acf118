import { MediaQuery } from "svelte/reactivity";

import type { ChartRequest } from "../backend";
import type { App } from "./app.svelte";

const dark = new MediaQuery("prefers-color-scheme: dark");

/** What pictures are to be drawn in: as it was chosen, or as the system has it. */
export function themeOf(app: App): ChartRequest["theme"] {
  const chosen = app.settings?.theme ?? "system";
  if (chosen !== "system") return chosen;
  return dark.current ? "dark" : "light";
}
