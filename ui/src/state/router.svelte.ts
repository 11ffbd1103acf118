import type { ChatTarget, RunId, RunSpec } from "../backend";

/** Where the person is; each place is a view, and all that it needs to open. */
export type Place =
  | { view: "runs" }
  | { view: "run"; id: RunId }
  | { view: "compare"; ids: readonly RunId[] }
  | { view: "models" }
  | { view: "data"; id?: string }
  /** `paths`: files that were dropped; they are imported first. */
  | { view: "import"; paths: readonly string[]; into?: string }
  | { view: "new"; spec?: Partial<RunSpec> }
  | { view: "try"; target?: ChatTarget }
  | { view: "settings" };

export type View = Place["view"];

/** The place in the rail that a view belongs to. */
export function railOf(view: View): "runs" | "models" | "data" | "try" | "settings" {
  switch (view) {
    case "run":
    case "compare":
    case "new":
      return "runs";
    case "import":
      return "data";
    default:
      return view;
  }
}

/** What makes a view start afresh when it changes; lists stay as they are while a thing in them is opened. */
export function freshness(place: Place): unknown {
  switch (place.view) {
    case "runs":
    case "models":
    case "data":
    case "settings":
      return place.view;
    case "run":
      return place.id;
    default:
      return place;
  }
}

/** Places one after the other, as in a browser. */
export class Router {
  place = $state.raw<Place>({ view: "runs" });
  private past: Place[] = [];
  /** That there is somewhere to go back to. */
  canGoBack = $state(false);

  go(place: Place): void {
    this.past.push(this.place);
    this.place = place;
    this.canGoBack = true;
  }

  /** Without a trace of the place before: for one that is no longer there. */
  replace(place: Place): void {
    this.place = place;
  }

  back(): void {
    const place = this.past.pop();
    this.canGoBack = this.past.length > 0;
    this.place = place ?? { view: "runs" };
  }
}
