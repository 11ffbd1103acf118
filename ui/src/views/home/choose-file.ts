import type { App } from "../../state/app.svelte";

/** Asks for files of the person's own; what is chosen is imported next. False if they thought better of it. */
export async function chooseFile(app: App): Promise<boolean> {
  let chosen = false;
  await app.attempt(async () => {
    const paths = await app.backend.chooseData();
    chosen = paths.length > 0;
    if (chosen) app.router.go({ view: "import", paths });
  });
  return chosen;
}
