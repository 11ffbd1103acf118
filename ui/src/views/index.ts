// Which view shows which place. Each comes when it is first needed, so that the window stands quickly; the rest are
// fetched once it does.

import type { Component } from "svelte";

import type { Place, View } from "../state/router.svelte";

/** Takes what its place holds beside its name; all can ask the router instead. */
export type ViewComponent = Component<Place>;

const FETCH: Record<View, () => Promise<{ default: Component<never> }>> = {
  runs: () => import("./home/Home.svelte"),
  run: () => import("./run/Run.svelte"),
  compare: () => import("./compare/Compare.svelte"),
  models: () => import("./models/Models.svelte"),
  data: () => import("./data/Data.svelte"),
  import: () => import("./data/Import.svelte"),
  new: () => import("./new/NewRun.svelte"),
  try: () => import("./try/Try.svelte"),
  settings: () => import("./settings/Settings.svelte"),
};

export const fetchView = async (view: View): Promise<ViewComponent> =>
  (await FETCH[view]()).default as unknown as ViewComponent;

/** Once nothing else is to do. */
export async function fetchAll(): Promise<void> {
  for (const fetch of Object.values(FETCH)) await fetch();
}
