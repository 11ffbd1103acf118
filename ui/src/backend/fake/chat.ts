// A model to talk to. Scenes of its own: no-checkpoint, no-memory, no-device (it cannot be opened), slow (it opens for
// long), base-only, no-template, in-turn (one voice after the other), breaks (a voice breaks off), wordless.

import type { ChatOpened, ChatPrompt, ChatReply, DeviceInfo, Voice } from "..";
import { answerTo, headlineOf } from "./chat-answers";
import { said, taskOf } from "./heads";
import { runsOf } from "./runs";
import { type Piece, refusal, type Scene, wait, work } from "./scene";

const CPU: DeviceInfo = {
  choice: { kind: "cpu" },
  kind: "cpu",
  name: "AMD Ryzen 7 7840U",
  driver: null,
  api: "AVX2",
  memory: null,
  has_f16: false,
};

const REFUSED: Record<string, ReturnType<typeof refusal>> = {
  "no-checkpoint": refusal("not_found", "The run has no checkpoint yet.", "Let it train a little longer."),
  "no-memory": refusal(
    "out_of_memory",
    "The model needs about 6.2 GB, and 3.1 of 8.0 GB are free.",
    "Close other programs, or try a smaller model.",
  ),
  "no-device": refusal(
    "device",
    "The graphics driver was lost while the model was read.",
    "The next attempt uses the processor.",
  ),
  trouble: refusal("bad_model", "model.safetensors ends before its last tensor.", "Download the model again."),
};

/** As a template renders it. */
function rendered(prompt: ChatPrompt): string {
  if (prompt.kind === "text") return prompt.text;
  const turns = prompt.messages.map(({ role, content }) => `<|im_start|>${role}\n${content}<|im_end|>\n`);
  return `${turns.join("")}<|im_start|>assistant\n`;
}

const question = (prompt: ChatPrompt): string =>
  prompt.kind === "text" ? prompt.text : (prompt.messages.at(-1)?.content ?? "");

export function chat(scene: Scene): Piece {
  const { name } = scene;
  const MS = name === "quick" || name === "long" ? 2 : 28;
  let open: ChatOpened | null = null;
  let line: Promise<unknown> = Promise.resolve();

  async function write(
    voice: Voice,
    prompt: ChatPrompt,
    max_tokens: number,
    seed: number,
    onText: (piece: string) => void,
    signal?: AbortSignal,
  ): Promise<ChatReply> {
    const began = performance.now();
    const answer = open?.task.kind === "transform" ? headlineOf : answerTo;
    const tokens = answer(name, voice, question(prompt), seed).match(/\s*\S+|\s+$/gu) ?? [];
    const said: string[] = [];
    const reply = (complete: boolean): ChatReply => ({
      text: said.join(""),
      n_tokens: said.length,
      complete,
      secs: (performance.now() - began) / 1000,
      seen: rendered(prompt),
    });
    await wait(10 * MS);
    for (const token of tokens.slice(0, max_tokens)) {
      if (signal?.aborted) return reply(false);
      if (name === "breaks" && voice === "tuned" && said.length === 12) throw REFUSED["no-device"];
      said.push(token);
      onText(token);
      await wait(voice === "tuned" ? 1.3 * MS : MS);
    }
    return reply(tokens.length <= max_tokens);
  }

  return {
    async openChat(target, watched) {
      const secs = name === "slow" ? 60 : 0.5;
      const total = 269_060_552;
      await work(watched, "Reading model.safetensors", {
        total,
        unit: "bytes",
        secs,
        steps: name === "slow" ? 400 : 10,
      });
      const refused = REFUSED[name];
      if (refused) throw refused;
      const row = target.kind === "run" ? runsOf(scene).rows.find((one) => one.id === target.id) : undefined;
      const task = taskOf(row?.task ?? "write");
      open = {
        task,
        base: task.kind === "write" || scene.query.get("base") === "head",
        chats: name !== "no-template" && task.kind === "write",
        tuned: target.kind === "run" && name !== "base-only",
        pairs: task.kind === "score",
        device: CPU,
        context: 2048,
      };
      return open;
    },
    async closeChat() {
      open = null;
    },
    async classify(voice, text) {
      if (!open) throw refusal("internal", "No model is open.");
      await wait(scene.query.get("answer") === "slow" ? 60_000 : 10 * MS);
      if (text.includes("break")) throw REFUSED["no-device"];
      return said(open.task, text, voice === "tuned" ? 0.93 : 0.31);
    },
    async reply(voice, prompt, search, max_tokens, onText, signal) {
      if (!open) throw refusal("internal", "No model is open.");
      if (search.kind === "beams") {
        await wait(search.beams.num_beams * 20 * MS);
        return write(voice, prompt, max_tokens, 0, () => {}, signal);
      }
      const { temperature, seed: drawn } = search.sampling;
      const seed = temperature === 0 ? 0 : drawn;
      if (name !== "in-turn") return write(voice, prompt, max_tokens, seed, onText, signal);
      const before = line;
      const mine = before.then(() => write(voice, prompt, max_tokens, seed, onText, signal));
      line = mine.catch(() => {});
      return mine;
    },
  };
}
