import type { Drag, OnClose, WindowAsk } from "../backend";
import type { App } from "./app.svelte";
import { lookOf } from "./drop";
import { asApiError } from "./errors";
import { type Command, commandOf } from "./keys";
import { modelsOf } from "./models.svelte";
import { Palette } from "./palette.svelte";
import { railOf } from "./router.svelte";

/** What stands over the view; one at a time. */
export type Over =
  { kind: "nothing" } | { kind: "palette" } | { kind: "shortcuts" } | { kind: "closing"; runs: number };

const NOTHING: Over = { kind: "nothing" };

/** What the window as a whole does: keys, what is dropped on it, what it asks. */
export class Shell {
  over = $state.raw<Over>(NOTHING);
  /** That something is dragged over the window. */
  dragged = $state(false);
  readonly palette: Palette;

  constructor(private readonly app: App) {
    this.palette = new Palette(app, { shortcuts: () => (this.over = { kind: "shortcuts" }) });
  }

  /** Listens until what it returns is called. */
  listen(): () => void {
    const { backend } = this.app;
    const ends = [backend.onDrag((drag) => this.drag(drag)), backend.onAsk((ask) => this.asked(ask))];
    return () => ends.forEach((end) => end());
  }

  close(): void {
    this.over = NOTHING;
  }

  key(event: KeyboardEvent): void {
    const command = commandOf(event);
    if (!command) return;
    // What is open has the keyboard; only its own key closes the palette again.
    const closes = this.over.kind === "palette" && command.kind === "palette";
    if (!closes && document.querySelector("dialog[open]")) return;
    event.preventDefault();
    this.run(command);
  }

  run(command: Command): void {
    const { router } = this.app;
    switch (command.kind) {
      case "go":
        return router.go(command.place);
      case "back":
        return router.back();
      case "leave": {
        // From a thing to its list; in a list there is nothing to leave.
        const { view } = router.place;
        return view === railOf(view) ? undefined : router.back();
      }
      case "palette":
        if (this.over.kind === "palette") return this.close();
        this.over = { kind: "palette" };
        return void this.palette.open();
      case "shortcuts":
        this.over = { kind: "shortcuts" };
        return;
      default:
        command satisfies never;
    }
  }

  async answer(then: Exclude<OnClose, "ask"> | "stay", remember: boolean): Promise<void> {
    this.close();
    await this.app.attempt(() => this.app.backend.closeWindow(then, remember));
  }

  private asked(ask: WindowAsk): void {
    switch (ask.kind) {
      case "closing":
        this.over = { kind: "closing", runs: ask.runs };
        break;
      case "show_run":
        this.close();
        this.app.router.go({ view: "run", id: ask.id });
        break;
      default:
        ask satisfies never;
    }
  }

  private drag(drag: Drag): void {
    this.dragged = drag.kind === "over";
    if (drag.kind === "dropped" && drag.paths.length > 0) void this.dropped(drag.paths);
  }

  private async dropped(paths: string[]): Promise<void> {
    const { app } = this;
    this.close();
    const look = lookOf(paths);
    switch (look.kind) {
      case "data":
        return app.router.go({ view: "import", paths });
      case "model":
        app.router.go({ view: "models" });
        return modelsOf(app).add(look.path);
      case "folder":
        return this.folder(look.path);
      default:
        look satisfies never;
    }
  }

  /** A model if it is one; else whatever data is in it. */
  private async folder(path: string): Promise<void> {
    const { app } = this;
    try {
      const model = await app.backend.addModel(path);
      app.router.go({ view: "models" });
      await modelsOf(app).read();
      app.toasts.say(`${model.name} is in the list; its files stay where they are.`);
    } catch (e) {
      const { code } = asApiError(e);
      if (code === "bad_model" || code === "not_found") app.router.go({ view: "import", paths: [path] });
      else app.toasts.complain(asApiError(e));
    }
  }
}
