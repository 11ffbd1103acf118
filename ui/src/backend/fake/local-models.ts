// Models on the pretended computer.

import type { CatalogueEntry, LocalModel } from "..";
import { ENTRIES, fitOf, M } from "./hub";
import { refusal } from "./scene";

export const HOME = "/home/ada/.local/share/tunesmith/models";

const folderOf = (id: string): string => `${HOME}/${id.replace("/", "--")}`;

export function downloaded(entry: CatalogueEntry, n_runs: number): LocalModel {
  return {
    id: entry.id,
    name: entry.name,
    path: folderOf(entry.id),
    bytes: entry.download,
    origin: "hub",
    fit: fitOf(entry.n_parameters),
    trouble: null,
    n_parameters: entry.n_parameters,
    context: entry.id.includes("TinyLlama") ? 2048 : 8192,
    skill: /Instruct|Chat/.test(entry.id) ? "chats" : "goes_on",
    n_runs,
  };
}

export function own(path: string, bytes: number, more: Partial<LocalModel> = {}): LocalModel {
  const name = path.split("/").at(-1) ?? path;
  const n_parameters = bytes / 2;
  return {
    id: path,
    name,
    path,
    bytes,
    origin: "own",
    fit: fitOf(n_parameters),
    trouble: null,
    n_parameters,
    context: 4096,
    skill: "chats",
    n_runs: 0,
    ...more,
  };
}

const GONE = refusal(
  "not_found",
  "Its folder is not there any more.",
  "If it is on a drive, plug that in; if it was moved, add it from its new place.",
);

/** An encoder and an encoder-decoder. */
function readers(): LocalModel[] {
  const model = (id: string, bytes: number, n_parameters: number, more: Partial<LocalModel>): LocalModel => ({
    ...own(folderOf(id), bytes, { context: 512, n_parameters, fit: fitOf(n_parameters), ...more }),
    id,
    name: id.split("/").at(-1) ?? id,
    origin: "hub",
  });
  return [
    model("sentence-transformers/all-MiniLM-L6-v2", 91 * M, 22.7 * M, { skill: "reads", n_runs: 4 }),
    model("google/flan-t5-small", 308 * M, 77 * M, { skill: "transforms", n_runs: 1 }),
  ];
}

export function begin(scene: string): LocalModel[] {
  const [starter, small] = ENTRIES;
  if (scene === "empty" || scene === "first" || scene === "offline" || !starter || !small) return [];
  const lost = { trouble: GONE, fit: null, n_parameters: null, context: null, skill: null, n_runs: 1 };
  const some = [
    downloaded(starter, 6),
    downloaded(small, 0),
    own("/home/ada/models/letters-llama-1b", 2472 * M, { skill: "goes_on", n_runs: 2 }),
    own("/home/ada/Downloads/tinyllama-1.1b-chat-v1.0.Q4_K_M.gguf", 669 * M, {
      n_parameters: 1100 * M,
      fit: fitOf(1100 * M),
      context: 2048,
    }),
    own("/media/ada/usb/old-base", 538 * M, lost),
  ];
  if (scene === "heads") return [...readers(), ...some];
  if (scene !== "long") return some;
  const deep = `/home/ada/${"einrichtungsgegenstandsverzeichnis/".repeat(6)}`;
  const odd = own(`${deep}${"Donaudampfschifffahrtsgesellschaft-".repeat(6)}135M`, 272 * M, { n_runs: 12_345 });
  const bad = {
    ...odd,
    id: `${odd.id}2`,
    trouble: refusal("bad_model", `${odd.path}/config.json is not JSON at line 3.`, "Fetch it again."),
  };
  return [
    odd,
    bad,
    ...some,
    ...Array.from({ length: 80 }, (_, i) => own(`/home/ada/models/attempt-${i + 1}`, 272 * M)),
  ];
}
