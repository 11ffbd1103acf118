// Models: what is here, what is offered, what the hub has. ?scene=empty and first have none; busy holds a download at
// 41 %; trouble cannot read them; offline has no hub; long has many with endless names. ?pick=… is what a dialog of the
// system gives back (nothing: the person thought better of it).

import type { CatalogueEntry, FoundModel, ModelOffer, ModelState, TaskProgress, Watched } from "..";
import { ENTRIES, fitOf, HUB, M, MIDDLE, TRAINABLE } from "./hub";
import { begin, downloaded, HOME, own } from "./local-models";
import { type Piece, refusal, type Scene, wait } from "./scene";

/** What has come of each download so far, in bytes. */
type Parts = Map<string, number>;

function find(text: string, stateOf: (id: string) => ModelState): FoundModel[] {
  const words = text.toLowerCase().split(/\s+/);
  return HUB.filter(([id]) => words.every((word) => id.toLowerCase().includes(word))).map(
    ([id, downloads, likes, gate, licence, millions, model_type]) => {
      const n_parameters = millions && millions * M;
      return {
        id,
        downloads,
        likes,
        gate,
        licence,
        n_parameters,
        model_type,
        trainable: model_type === null ? null : TRAINABLE.includes(model_type),
        fit: n_parameters ? fitOf(n_parameters) : null,
        state: stateOf(id),
      };
    },
  );
}

const offline = () =>
  refusal(
    "network",
    "huggingface.co cannot be reached: the name is not known.",
    "Check the connection, or a proxy’s settings. Models that are already here work without it.",
  );
const gated = (id: string) =>
  refusal(
    "forbidden",
    `${id} is given only to those who accepted its licence.`,
    `Open https://huggingface.co/${id}, accept the licence, then put a token in Settings.`,
  );

export function models(scene: Scene): Piece {
  let here = begin(scene.name);
  const parts: Parts = new Map(["full", "long", "offline"].includes(scene.name) ? [[MIDDLE, 1_404 * M]] : []);
  const sizeOf = (id: string): number => {
    const entry = ENTRIES.find((entry) => entry.id === id);
    return entry?.download ?? 2 * M * (HUB.find(([other]) => other === id)?.[5] ?? 200);
  };
  const entryOf = (id: string): CatalogueEntry => {
    const millions = HUB.find(([other]) => other === id)?.[5] ?? 100;
    const name = id.split("/")[1] ?? id;
    const unknown = { id, name, n_parameters: millions * M, download: sizeOf(id), licence: "", gate: "open" as const };
    return ENTRIES.find((entry) => entry.id === id) ?? { ...unknown, good_for: "" };
  };
  const stateOf = (id: string): ModelState => {
    const model = here.find((model) => model.id === id);
    if (model) return { kind: "here", bytes: model.bytes, path: model.path };
    const done = parts.get(id);
    return done === undefined ? { kind: "absent" } : { kind: "partial", done, total: sizeOf(id) };
  };
  const readable = (): void => {
    if (scene.name === "trouble") {
      throw refusal(
        "disk",
        `The folder of models, ${HOME}, cannot be read: the disk does not answer.`,
        "Check that the disk is there; nothing that was downloaded is lost.",
      );
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
    if (scene.name === "offline" && parts.has(id)) throw offline();
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
    here = [...here, downloaded(entryOf(id), 0)];
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
      const offers = ENTRIES.map((entry): ModelOffer => ({
        entry,
        fit: fitOf(entry.n_parameters),
        state: stateOf(entry.id),
      }));
      const begun = [...parts.keys()].filter((id) => !ENTRIES.some((entry) => entry.id === id));
      return [
        ...offers,
        ...begun.map((id): ModelOffer => ({
          entry: entryOf(id),
          fit: fitOf(entryOf(id).n_parameters),
          state: stateOf(id),
        })),
      ];
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
      if (path.includes("mamba")) {
        throw refusal(
          "bad_model",
          `${path} holds a model of type “mamba”, which cannot be trained yet.`,
          "Those of Llama, Mistral, Qwen, Gemma, Phi 3 and GPT-2 can.",
        );
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
