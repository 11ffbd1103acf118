// Models: what is here, what is offered, what the hub has. ?scene=empty and first have none; busy holds a download at
// 41 %; trouble cannot read them; offline has no hub; long has many with endless names. ?pick=… is what a dialog of the
// system gives back (nothing: the person thought better of it).

import type { CatalogueEntry, Fit, FoundModel, Gate, LocalModel, ModelOffer, ModelState, TaskProgress, Watched } from "..";
import { type Piece, refusal, type Scene, wait } from "./scene";

const M = 1e6;
const HOME = "/home/ada/.local/share/tunesmith/models";
const STARTER = "HuggingFaceTB/SmolLM2-135M-Instruct";
const SMALL = "HuggingFaceTB/SmolLM2-360M-Instruct";
const MIDDLE = "HuggingFaceTB/SmolLM2-1.7B-Instruct";

const good = (why: string): Fit => ({ kind: "good", why });
const tight = (why: string): Fit => ({ kind: "tight", why });
const large = (why: string): Fit => ({ kind: "too_large", why });

/** Training needs some twelve bytes a weight here, of the 7.8 GB that this computer has free. */
function fitOf(n_parameters: number): Fit {
  const gb = (0.6 * M * 1000 + 3 * n_parameters) / 1e9;
  const needs = `Trains in about ${gb.toFixed(1)} of 8.0 GB`;
  return gb < 4.5 ? good(needs) : gb < 8 ? tight(`${needs}; close other programs`) : large(needs);
}

type Said = [id: string, name: string, millions: number, download: number, licence: string, gate: Gate, good_for: string];
const CATALOGUE: Said[] = [
  [STARTER, "SmolLM2 135M Instruct", 135, 272, "apache-2.0", "open",
    "The starter: trains on any laptop in minutes. Learns a form, a tone or a label; knows little by itself."],
  [SMALL, "SmolLM2 360M Instruct", 362, 727, "apache-2.0", "open",
    "Short answers, rewriting and sorting, still comfortable without a graphics card."],
  [MIDDLE, "SmolLM2 1.7B Instruct", 1711, 3426, "apache-2.0", "open",
    "Chat and summaries in English, for a computer with 16 GB of memory."],
  ["HuggingFaceTB/SmolLM2-135M", "SmolLM2 135M base", 135, 272, "apache-2.0", "open",
    "Not yet taught to chat: for continuing text in a style of your own."],
  ["HuggingFaceTB/SmolLM2-360M", "SmolLM2 360M base", 362, 727, "apache-2.0", "open",
    "Not yet taught to chat: for continuing text, with more to build on."],
  ["TinyLlama/TinyLlama-1.1B-Chat-v1.0", "TinyLlama 1.1B Chat", 1100, 2202, "apache-2.0", "open",
    "General chat in English; widely supported by other tools."],
  ["meta-llama/Llama-3.2-1B-Instruct", "Llama 3.2 1B Instruct", 1236, 2490, "llama3.2", "asks",
    "The strongest of this size for chat and for several languages. Its licence has to be accepted first."],
  ["meta-llama/Llama-3.2-3B-Instruct", "Llama 3.2 3B Instruct", 3213, 6440, "llama3.2", "asks",
    "Longer and surer answers, for 24 GB of memory. Its licence has to be accepted first."],
];
const ENTRIES: CatalogueEntry[] = CATALOGUE.map(([id, name, millions, download, licence, gate, good_for]) =>
  ({ id, name, n_parameters: millions * M, download: download * M, licence, gate, good_for }));

const folderOf = (id: string): string => `${HOME}/${id.replace("/", "--")}`;

function downloaded(entry: CatalogueEntry, n_runs: number): LocalModel {
  return {
    id: entry.id, name: entry.name, path: folderOf(entry.id), bytes: entry.download, origin: "hub",
    fit: fitOf(entry.n_parameters), trouble: null, n_parameters: entry.n_parameters,
    context: entry.id.includes("TinyLlama") ? 2048 : 8192, chats: /Instruct|Chat/.test(entry.id), n_runs,
  };
}

function own(path: string, bytes: number, more: Partial<LocalModel> = {}): LocalModel {
  const name = path.split("/").at(-1) ?? path;
  const n_parameters = bytes / 2;
  return {
    id: path, name, path, bytes, origin: "own", fit: fitOf(n_parameters), trouble: null, n_parameters, context: 4096,
    chats: true, n_runs: 0, ...more,
  };
}

const GONE = refusal("not_found", "Its folder is not there any more.",
  "If it is on a drive, plug that in; if it was moved, add it from its new place.");

function begin(scene: string): LocalModel[] {
  const [starter, small] = ENTRIES;
  if (scene === "empty" || scene === "first" || scene === "offline" || !starter || !small) return [];
  const lost = { trouble: GONE, fit: null, n_parameters: null, context: null, chats: null, n_runs: 1 };
  const some = [
    downloaded(starter, 6),
    downloaded(small, 0),
    own("/home/ada/models/letters-llama-1b", 2472 * M, { chats: false, n_runs: 2 }),
    own("/home/ada/Downloads/tinyllama-1.1b-chat-v1.0.Q4_K_M.gguf", 669 * M, { n_parameters: 1100 * M, fit: fitOf(1100 * M), context: 2048 }),
    own("/media/ada/usb/old-base", 538 * M, lost),
  ];
  if (scene !== "long") return some;
  const deep = `/home/ada/${"einrichtungsgegenstandsverzeichnis/".repeat(6)}`;
  const odd = own(`${deep}${"Donaudampfschifffahrtsgesellschaft-".repeat(6)}135M`, 272 * M, { n_runs: 12_345 });
  const bad = { ...odd, id: `${odd.id}2`, trouble: refusal("bad_model", `${odd.path}/config.json is not JSON at line 3.`, "Fetch it again.") };
  return [odd, bad, ...some, ...Array.from({ length: 80 }, (_, i) => own(`/home/ada/models/attempt-${i + 1}`, 272 * M))];
}

type Heard = [id: string, downloads: number, likes: number, gate: Gate, licence: string | null, millions: number | null, family: string | null];
const HUB: Heard[] = [
  [STARTER, 1_203_334, 412, "open", "apache-2.0", 135, "llama"],
  [SMALL, 402_112, 188, "open", "apache-2.0", 362, "llama"],
  [MIDDLE, 219_870, 640, "open", "apache-2.0", 1711, "llama"],
  ["meta-llama/Llama-3.2-1B-Instruct", 3_904_552, 1289, "asks", "llama3.2", 1236, "llama"],
  ["Qwen/Qwen2.5-0.5B-Instruct", 2_114_090, 503, "open", "apache-2.0", 494, "qwen2"],
  ["BSC-LT/salamandra-2b-instruct", 9210, 31, "open", "apache-2.0", 2253, "llama"],
  ["clinic/notes-llama-smol", 12, 0, "manual", null, null, null],
  ["dewdev/Llama-3-SmolLM-Frankenmerge-8x70B-GPTQ-very-much-longer-than-any-name-should-be", 3, 1, "open", "other", 70_600, "llama"],
];

/** What has come of each download so far, in bytes. */
type Parts = Map<string, number>;

function find(text: string, stateOf: (id: string) => ModelState): FoundModel[] {
  const words = text.toLowerCase().split(/\s+/);
  return HUB.filter(([id]) => words.every((word) => id.toLowerCase().includes(word)))
    .map(([id, downloads, likes, gate, licence, millions, model_type]) => {
      const n_parameters = millions && millions * M;
      return { id, downloads, likes, gate, licence, n_parameters, model_type, fit: n_parameters ? fitOf(n_parameters) : null, state: stateOf(id) };
    });
}

const offline = () => refusal("network", "huggingface.co cannot be reached: the name is not known.",
  "Check the connection, or a proxy’s settings. Models that are already here work without it.");
const gated = (id: string) => refusal("forbidden", `${id} is given only to those who accepted its licence.`,
  `Open https://huggingface.co/${id}, accept the licence, then put a token in Settings.`);

export function models(scene: Scene): Piece {
  let here = begin(scene.name);
  const parts: Parts = new Map(scene.name === "full" || scene.name === "long" ? [[MIDDLE, 1_404 * M]] : []);
  const sizeOf = (id: string): number => {
    const entry = ENTRIES.find((entry) => entry.id === id);
    return entry?.download ?? 2 * M * (HUB.find(([other]) => other === id)?.[5] ?? 200);
  };
  const stateOf = (id: string): ModelState => {
    const model = here.find((model) => model.id === id);
    if (model) return { kind: "here", bytes: model.bytes, path: model.path };
    const done = parts.get(id);
    return done === undefined ? { kind: "absent" } : { kind: "partial", done, total: sizeOf(id) };
  };
  const readable = (): void => {
    if (scene.name === "trouble") {
      throw refusal("disk", `The folder of models, ${HOME}, cannot be read: the disk does not answer.`,
        "Check that the disk is there; nothing that was downloaded is lost.");
    }
  };

  async function download(id: string, watched?: Watched): Promise<void> {
    const total = sizeOf(id);
    const tell = (done: number, secs_left: number | null): void => {
      parts.set(id, done);
      const progress: TaskProgress = { doing: "Downloading model.safetensors", done, total, unit: "bytes", secs_left };
      watched?.onProgress?.(progress);
    };
    await wait(150, watched?.signal);
    const steps = 25;
    for (let i = Math.floor((steps * (parts.get(id) ?? 0)) / total); i <= steps; i++) {
      tell(Math.round((total * i) / steps), i < 3 ? null : 0.1 * (steps - i));
      await wait(100, watched?.signal);
      if (i / steps < 0.4) continue;
      if (scene.name === "busy") {
        tell(Math.round(0.415 * total), 96);
        await wait(1e8, watched?.signal);
      }
      if (scene.name === "offline") throw offline();
    }
    parts.delete(id);
    const heard = HUB.find(([other]) => other === id);
    const entry = ENTRIES.find((entry) => entry.id === id) ?? {
      id, name: id.split("/")[1] ?? id, n_parameters: (heard?.[5] ?? 100) * M, download: total, licence: "", gate: "open" as const, good_for: "",
    };
    here = [...here, downloaded(entry, 0)];
  }

  return {
    async models() {
      await wait(60);
      readable();
      return here;
    },
    async catalogue() {
      await wait(40);
      readable();
      return ENTRIES.map((entry): ModelOffer => ({ entry, fit: fitOf(entry.n_parameters), state: stateOf(entry.id) }));
    },
    async searchModels(text) {
      await wait(400);
      if (scene.name === "offline") throw offline();
      return find(text, stateOf);
    },
    async downloadModel(id, watched) {
      const gate = ENTRIES.find((entry) => entry.id === id)?.gate ?? HUB.find(([other]) => other === id)?.[3];
      if (gate !== undefined && gate !== "open") {
        await wait(300, watched?.signal);
        throw gated(id);
      }
      await download(id, watched);
    },
    async discardDownload(id) {
      parts.delete(id);
    },
    async addModel(path) {
      await wait(300);
      if (path.includes("qwen")) {
        throw refusal("bad_model", `${path} holds a model of type “qwen2”, which cannot be trained yet.`,
          "Models of the Llama family can: SmolLM2, TinyLlama, Llama 1 to 3.");
      }
      const model = begin("full").find((model) => model.path === path) ?? own(path, 272 * M);
      here = [...here.filter((other) => other.id !== model.id), model];
      return model;
    },
    async removeModel(id) {
      await wait(80);
      if (scene.name === "busy") {
        throw refusal("busy", "A run is learning from it just now.", "Wait for the run, or stop it, and try again.");
      }
      here = here.filter((model) => model.id !== id);
    },
    async chooseModel(kind) {
      const usual = kind === "folder" ? "/home/ada/models/haiku-llama" : "/home/ada/models/haiku.gguf";
      return (scene.query.get("pick") ?? usual) || null;
    },
  };
}
