import type { DatasetSummary, LocalModel } from "../backend";
import { shortModel, status } from "../words";
import type { App } from "./app.svelte";
import { matching } from "./fuzzy";
import type { Place } from "./router.svelte";
import { themeOf } from "./theme.svelte";

export type EntryIcon =
  "runs" | "models" | "data" | "try" | "settings" | "add" | "import" | "theme" | "keyboard" | "folder";

/** One thing to choose. */
export type Entry = { id: string; group: string; label: string; note: string; icon: EntryIcon; choose: () => void };

/** How many fit a glance, of each kind, while nothing was typed; and how many of all once something was. */
const GLANCE = 5;
const MOST = 40;

/** Everything that can be reached by its name. */
export class Palette {
  query = $state("");
  private models = $state.raw<readonly LocalModel[]>([]);
  private datasets = $state.raw<readonly DatasetSummary[]>([]);

  constructor(
    private readonly app: App,
    private readonly more: { shortcuts: () => void },
  ) {}

  /** Reads the names that no list of the page holds. Those that cannot be read are left out here; their views say why. */
  async open(): Promise<void> {
    this.query = "";
    const { backend } = this.app;
    const [models, datasets] = await Promise.allSettled([backend.models(), backend.datasets()]);
    if (models.status === "fulfilled") this.models = models.value;
    if (datasets.status === "fulfilled") this.datasets = datasets.value;
  }

  readonly shown = $derived.by(() => {
    const asked = this.query.trim();
    const names = [this.runs(), this.data(), this.modelsHere()];
    if (asked !== "")
      return matching(asked, [...this.actions(), ...this.places(), ...names.flat()], (e) => e.label, MOST);
    return [...this.actions(), ...this.places(), ...names.flatMap((entries) => entries.slice(0, GLANCE))];
  });

  private go(place: Place): () => void {
    return () => this.app.router.go(place);
  }

  private entry(group: string, icon: EntryIcon, label: string, note: string, choose: () => void, id = label): Entry {
    return { id: `${group}-${id}`, group, label, note, icon, choose };
  }

  private actions(): Entry[] {
    const { app } = this;
    const dark = themeOf(app) === "dark";
    const importData = async () => {
      const paths = await app.backend.chooseData();
      if (paths.length > 0) app.router.go({ view: "import", paths });
    };
    const act = (icon: EntryIcon, label: string, note: string, choose: () => void) =>
      this.entry("Do", icon, label, note, choose);
    return [
      act("add", "New run", "Mod+N", this.go({ view: "new" })),
      act("import", "Import data", "", () => void app.attempt(importData)),
      act("theme", dark ? "Light theme" : "Dark theme", "", () => void app.change({ theme: dark ? "light" : "dark" })),
      act("theme", "Theme of the system", "", () => void app.change({ theme: "system" })),
      act("keyboard", "Keyboard shortcuts", "?", this.more.shortcuts),
    ];
  }

  private places(): Entry[] {
    const place = (view: "runs" | "models" | "data" | "try" | "settings", label: string, keys: string) =>
      this.entry("Go to", view, label, keys, this.go({ view }));
    return [
      place("runs", "Runs", "Mod+1"),
      place("models", "Models", "Mod+2"),
      place("data", "Data", "Mod+3"),
      place("try", "Try it", "Mod+4"),
      place("settings", "Settings", "Mod+,"),
    ];
  }

  private runs(): Entry[] {
    const rows = this.app.runs.rows ?? [];
    return rows.map((run) =>
      this.entry("Runs", "runs", run.name, status(run.status), this.go({ view: "run", id: run.id }), run.id),
    );
  }

  private data(): Entry[] {
    return this.datasets.map((set) =>
      this.entry("Data", "data", set.name, "", this.go({ view: "data", id: set.id }), set.id),
    );
  }

  private modelsHere(): Entry[] {
    return this.models.map((model) =>
      this.entry("Models", "models", shortModel(model.name), "", this.go({ view: "models" }), model.id),
    );
  }
}
