// The page as the window has it: built, and under the window's own content security policy. One build for each state
// of the sources serves every test file. A build for development has the scenes, and everything that only development
// checks; one for production is what is shipped.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const ui = join(root, "ui/");
const require = createRequire(join(ui, "package.json"));
const builds = join(root, "target/ui-page/");

const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

/** Changes whenever a source does. */
function state() {
  const inside = readdirSync(join(ui, "src"), { recursive: true, withFileTypes: true });
  const sources = inside.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const beside = ["index.html", "package-lock.json", "vite.config.ts", "svelte.config.js"].map((name) => join(ui, name));
  const hash = createHash("sha256");
  for (const path of [...sources, ...beside].sort()) hash.update(`${path} ${statSync(path).mtimeMs}\n`);
  return hash.digest("hex").slice(0, 16);
}

/** Where the page is, built now unless it was; null if it cannot be built, as while somebody writes on it. */
export async function built(mode) {
  mkdirSync(builds, { recursive: true });
  const place = join(builds, `${state()}-${mode}`);
  if (existsSync(place)) return place;
  process.env.NODE_ENV = mode;
  const { build } = await import(require.resolve("vite"));
  const own = `${place}.${process.pid}`;
  try {
    await build({
      root: ui,
      configFile: join(ui, "vite.config.ts"),
      mode,
      logLevel: "silent",
      build: { outDir: own, emptyOutDir: true, minify: mode === "production" },
    });
    renameSync(own, place); // another process may have been quicker
  } catch (e) {
    rmSync(own, { recursive: true, force: true });
    if (existsSync(place)) return place;
    console.error(`The page cannot be built; it is served as it stands. ${e.message}`);
    return null;
  }
  const old = Date.now() - 3_600_000;
  for (const name of readdirSync(builds)) {
    if (statSync(join(builds, name)).mtimeMs < old) rmSync(join(builds, name), { recursive: true, force: true });
  }
  return place;
}

function serveFiles(folder) {
  const policy = JSON.parse(readFileSync(join(root, "tauri.conf.json"), "utf8")).app.security.csp;
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url, "http://page").pathname);
    const file = join(folder, path === "/" ? "index.html" : path);
    if (!existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream", "content-security-policy": policy });
    response.end(readFileSync(file));
  });
  return new Promise((resolve) =>
    server.listen(0, "127.0.0.1", () =>
      resolve({
        url: `http://127.0.0.1:${server.address().port}/`,
        close: () => (server.closeAllConnections(), new Promise((done) => server.close(done))),
      })));
}

/** What is edited meanwhile does not reload a page under test. */
async function serveSources() {
  const { createServer } = await import(require.resolve("vite"));
  const server = await createServer({
    root: ui,
    configFile: join(ui, "vite.config.ts"),
    logLevel: "error",
    server: { port: 0, strictPort: false, host: "127.0.0.1", hmr: false, watch: null },
  });
  await server.listen();
  return { url: server.resolvedUrls.local[0], close: () => server.close() };
}

export async function servePage(mode) {
  const folder = await built(mode);
  return folder ? serveFiles(folder) : serveSources();
}
