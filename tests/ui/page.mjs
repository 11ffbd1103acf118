// The page alone, in headless Chromium, on the fake backend.

import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

import { servePage } from "./serve.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const ui = join(root, "ui/");
const require = createRequire(join(ui, "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core"), "utf8");

const shots = join(root, "target/shots/ui/");

/** CHROMIUM, or the first browser of its kind that the system has. */
function browserPath() {
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  const folders = (process.env.PATH ?? "").split(delimiter);
  const found = process.env.CHROMIUM ?? names.flatMap((n) => folders.map((f) => join(f, n))).find((p) => existsSync(p));
  if (!found) throw new Error("No Chromium: install it (`cargo xtask setup`), or name one in CHROMIUM");
  return found;
}

/** `mode`: which build of the page; only that for development has scenes. */
export async function start(mode = "development") {
  mkdirSync(shots, { recursive: true });
  const server = await servePage(mode);
  // Inside containers and as root the browser's own sandbox cannot be set up; the page is ours.
  const browser = await chromium.launch({ executablePath: browserPath(), args: ["--no-sandbox"] });
  return {
    /**
     * A scene of the fake backend, and whatever went wrong on the page meanwhile. `at`: a view ("data", "run&id=…")
     * or a place as an object; `query`: more words for the address.
     */
    async open(scene, { at = "", query = {}, theme = "light", size = [1280, 800], motion = "reduce" } = {}) {
      const context = await browser.newContext({
        viewport: { width: size[0], height: size[1] },
        colorScheme: theme,
        reducedMotion: motion,
      });
      const page = await context.newPage();
      const errors = [];
      page.on("pageerror", (e) => errors.push(String(e)));
      page.on("console", (m) => m.type() === "error" && errors.push(m.text()));
      const place = typeof at === "string" ? new URLSearchParams(at && `at=${at}`) : { at: JSON.stringify(at) };
      const words = new URLSearchParams([["scene", scene], ...Object.entries(query), ...new URLSearchParams(place)]);
      await page.goto(`${server.url}?${words}`);
      await page.evaluate(() => document.fonts.ready);
      return { page, errors, close: () => context.close() };
    },
    async stop() {
      await browser.close();
      await server.close();
    },
  };
}

/** What axe finds against WCAG 2.2 AA and its own advice, one line each; `but` names what another test looks at. */
export async function violations(page, { but = [] } = {}) {
  await page.evaluate(axe);
  const found = await page.evaluate(
    (exclude) => globalThis.axe.run({ exclude }, { resultTypes: ["violations"], preload: false }),
    but.map((css) => [css]),
  );
  return found.violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target} (${n.failureSummary})`));
}

/**
 * What the page comes to say, however slow the machine: the check is made again until it holds, and its own words are
 * the failure where it never does.
 */
export async function eventually(check, patience = 5_000) {
  const until = Date.now() + patience;
  for (;;) {
    try {
      return await check();
    } catch (e) {
      if (Date.now() > until) throw e;
    }
    await new Promise((wake) => setTimeout(wake, 50));
  }
}

export const shoot = (page, name) => page.screenshot({ path: join(shots, `${name}.png`) });
