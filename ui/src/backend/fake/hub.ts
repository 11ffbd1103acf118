// What the hub has: the recommended models, and those that a search finds.

import type { CatalogueEntry, Fit, Gate } from "..";

export const M = 1e6;
export const STARTER = "HuggingFaceTB/SmolLM2-135M-Instruct";
const SMALL = "HuggingFaceTB/SmolLM2-360M-Instruct";
export const MIDDLE = "HuggingFaceTB/SmolLM2-1.7B-Instruct";

const good = (why: string): Fit => ({ kind: "good", why });
const tight = (why: string): Fit => ({ kind: "tight", why });
const large = (why: string): Fit => ({ kind: "too_large", why });

/** As if training took 0.6 GB and three bytes a parameter, of 8 GB. */
export function fitOf(n_parameters: number): Fit {
  const gb = (0.6 * M * 1000 + 3 * n_parameters) / 1e9;
  const needs = `Needs about ${gb.toFixed(1)} GB`;
  const of = "of 8.0 GB on AMD Radeon 780M";
  if (gb < 4.5) return good(`${needs} ${of}`);
  return gb < 8
    ? tight(`${needs} ${of}: close other programs first`)
    : large(`${needs}, and AMD Radeon 780M has 8.0 GB`);
}

type Said = [
  id: string,
  name: string,
  millions: number,
  download: number,
  licence: string,
  gate: Gate,
  good_for: string,
];
const CATALOGUE: Said[] = [
  [
    STARTER,
    "SmolLM2 135M Instruct",
    135,
    272,
    "apache-2.0",
    "open",
    "The starter: trains on any laptop in minutes. Learns a form, a tone or a label; knows little by itself.",
  ],
  [
    SMALL,
    "SmolLM2 360M Instruct",
    362,
    727,
    "apache-2.0",
    "open",
    "Short answers, rewriting and sorting, still comfortable without a graphics card.",
  ],
  [
    MIDDLE,
    "SmolLM2 1.7B Instruct",
    1711,
    3426,
    "apache-2.0",
    "open",
    "Chat and summaries in English, for a computer with 16 GB of memory.",
  ],
  [
    "HuggingFaceTB/SmolLM2-135M",
    "SmolLM2 135M base",
    135,
    272,
    "apache-2.0",
    "open",
    "Not yet taught to chat: for continuing text in a style of your own.",
  ],
  [
    "HuggingFaceTB/SmolLM2-360M",
    "SmolLM2 360M base",
    362,
    727,
    "apache-2.0",
    "open",
    "Not yet taught to chat: for continuing text, with more to build on.",
  ],
  [
    "TinyLlama/TinyLlama-1.1B-Chat-v1.0",
    "TinyLlama 1.1B Chat",
    1100,
    2202,
    "apache-2.0",
    "open",
    "General chat in English; widely supported by other tools.",
  ],
  [
    "meta-llama/Llama-3.2-1B-Instruct",
    "Llama 3.2 1B Instruct",
    1236,
    2490,
    "llama3.2",
    "asks",
    "The strongest of this size for chat and for several languages. Its licence has to be accepted first.",
  ],
  [
    "meta-llama/Llama-3.2-3B-Instruct",
    "Llama 3.2 3B Instruct",
    3213,
    6440,
    "llama3.2",
    "asks",
    "Longer and surer answers, for 24 GB of memory. Its licence has to be accepted first.",
  ],
];
export const ENTRIES: CatalogueEntry[] = CATALOGUE.map(([id, name, millions, download, licence, gate, good_for]) => ({
  id,
  name,
  n_parameters: millions * M,
  download: download * M,
  licence,
  gate,
  good_for,
}));

type Heard = [
  id: string,
  downloads: number,
  likes: number,
  gate: Gate,
  licence: string | null,
  millions: number | null,
  family: string | null,
];
/** Families that can be trained; the engine knows them all. */
export const TRAINABLE = ["llama", "qwen2"];
export const HUB: Heard[] = [
  [STARTER, 1_203_334, 412, "open", "apache-2.0", 135, "llama"],
  [SMALL, 402_112, 188, "open", "apache-2.0", 362, "llama"],
  [MIDDLE, 219_870, 640, "open", "apache-2.0", 1711, "llama"],
  ["meta-llama/Llama-3.2-1B-Instruct", 3_904_552, 1289, "asks", "llama3.2", 1236, "llama"],
  ["Qwen/Qwen2.5-0.5B-Instruct", 2_114_090, 503, "open", "apache-2.0", 494, "qwen2"],
  ["state-spaces/mamba-370m-hf", 18_204, 14, "open", "apache-2.0", 372, "mamba"],
  ["BSC-LT/salamandra-2b-instruct", 9210, 31, "open", "apache-2.0", 2253, "llama"],
  ["clinic/notes-llama-smol", 12, 0, "manual", null, null, null],
  [
    "dewdev/Llama-3-SmolLM-Frankenmerge-8x70B-GPTQ-very-much-longer-than-any-name-should-be",
    3,
    1,
    "open",
    "other",
    70_600,
    "llama",
  ],
];
