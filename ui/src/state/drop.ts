/** What dropped paths look like, by their names alone; a folder shows only to whoever opens it. */
export type Look = { kind: "data" } | { kind: "model"; path: string } | { kind: "folder"; path: string };

const nameOf = (path: string): string => path.split(/[\\/]/).findLast((part) => part !== "") ?? path;

export function lookOf(paths: readonly string[]): Look {
  const [path] = paths;
  if (path === undefined || paths.length > 1) return { kind: "data" };
  const name = nameOf(path).toLowerCase();
  if (/\.(gguf|safetensors)$/.test(name)) return { kind: "model", path };
  return /\.[a-z0-9]{1,8}$/.test(name) ? { kind: "data" } : { kind: "folder", path };
}
