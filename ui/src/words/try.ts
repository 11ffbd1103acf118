// What Try it says: who speaks, how an answer ended, and what each dial does.

import type { ApiError, ChatOpened, ChatReply, ChatTarget, DeviceInfo, RunRow, Search, Voice } from "../backend";
import { count, duration, shortModel } from "../words";

export const VOICE: Record<Voice, string> = { base: "Base", tuned: "Tuned" };

/** Beside the name of a column. */
export const WHOSE: Record<Voice, string> = { base: "as it was", tuned: "as the run left it" };

export const PRESET = { greedy: "Greedy", balanced: "Balanced", lively: "Lively", own: "Own" } as const;

export const PRESET_HELP: Record<keyof typeof PRESET, string> = {
  greedy: "Always the likeliest next word: the same answer each time. Small models tend to repeat themselves.",
  balanced: "Mostly the likeliest next words, with a little chance.",
  lively: "More chance: varied answers, and more mistakes.",
  own: "Set by hand, below.",
};

export const SEARCH: Record<Search["kind"], { label: string; help: string }> = {
  sample: { label: "Word by word", help: "One token after the other, and each can be read as it comes." },
  beams: {
    label: "Beams",
    help: "Several texts grow side by side, and the likeliest whole is kept: beam search. Slower; it comes at the end.",
  },
};

type Dial = { label: string; term: string; help: string; unit?: string };

export const DIALS = {
  temperature: {
    label: "Liveliness",
    term: "temperature",
    help: "0 always takes the likeliest token; higher is more varied, and errs more.",
  },
  top_p: {
    label: "Share to pick from",
    term: "top-p",
    help: "Only the likeliest tokens that make up this share; 1 is all of them.",
  },
  top_k: {
    label: "Number to pick from",
    term: "top-k",
    help: "Only this many of the likeliest tokens; 0 is all of them.",
  },
  repetition_penalty: {
    label: "Against repeating",
    term: "repetition penalty",
    help: "Above 1, what occurred becomes less likely; 1 is off.",
  },
  num_beams: {
    label: "Texts side by side",
    term: "num beams",
    help: "More find likelier texts, and take as much longer.",
  },
  length_penalty: {
    label: "Favour long texts",
    term: "length penalty",
    help: "Above 0 long texts are preferred, below 0 short ones; 1 is usual.",
  },
  seed: {
    label: "Chance",
    term: "seed",
    help: "The same seed gives the same answer again. Empty: a new one for each question.",
  },
  max_tokens: {
    label: "Longest answer",
    term: "max tokens",
    unit: "tokens",
    help: "The answer is cut there; about three quarters of a word each.",
  },
} satisfies Record<string, Dial>;

export const within = ({ min, max }: { min: number; max: number }): string =>
  `A number from ${count(min)} to ${count(max)}; the value before is kept.`;

/** Tokens a second: whole from ten on, where tenths only flicker. */
export function pace(rate: number | null): string {
  if (rate === null || !Number.isFinite(rate)) return "– tokens/s";
  return `${rate < 10 ? rate.toFixed(1) : Math.round(rate)} tokens/s`;
}

/** "54 tokens in 1.7 s" */
export function length({ n_tokens, secs }: ChatReply): string {
  return `${count(n_tokens)} ${n_tokens === 1 ? "token" : "tokens"} in ${secs < 10 ? `${secs.toFixed(1)} s` : duration(secs)}`;
}

export const deviceName = ({ kind, name }: DeviceInfo): string => (kind === "cpu" ? "on the processor" : `on ${name}`);

/** What could not be opened, by what went wrong. */
export function notOpened({ code }: ApiError, name: string): string {
  switch (code) {
    case "out_of_memory":
      return `“${name}” does not fit into memory`;
    case "not_found":
      return `“${name}” cannot be tried yet`;
    case "device":
      return `The device gave up while reading “${name}”`;
    default:
      return `“${name}” cannot be opened`;
  }
}

/** How one writes with a model: in a conversation, on from a text, or from one text to another. */
export type Way = "chat" | "go-on" | "transform";

export const wayOf = ({ task, chats }: ChatOpened): Way =>
  task.kind === "transform" ? "transform" : chats ? "chat" : "go-on";

/** What is said of each way, and openings where no run knows examples. */
export const WAYS: Record<Way, { note: string; label: string; send: string; openings: readonly string[] }> = {
  chat: {
    note: "",
    label: "Ask something",
    send: "Send",
    openings: [
      "What is the difference between weather and climate?",
      "Write three subject lines for an e-mail that moves a meeting to Thursday.",
      "Explain to a child why the sky is blue.",
    ],
  },
  "go-on": {
    note: "This model has no chat template, so that it cannot be talked to: it goes on from the text you give it, each time afresh.",
    label: "Begin a text",
    send: "Go on",
    openings: [
      "Once upon a time, in a harbour town,",
      "The three most common mistakes in baking bread are",
      "def fibonacci(n):",
    ],
  },
  transform: {
    note: "This model turns one text into another, each time afresh.",
    label: "Text to turn into another",
    send: "Turn it",
    openings: [
      "translate English to German: The lighthouse is older than the harbour.",
      "summarize: The harbour was closed for two days. A storm had torn the buoys from their chains, and no ship found the way in. On Thursday the pilots went out again.",
    ],
  },
};

export type SeenPiece = { kind: "text" | "special" | "break"; text: string };

/** The forms that special tokens have in the models there are. */
const SPECIAL =
  /(<\|[^|<>\s]{1,48}\|>|<\/?s>|<(?:bos|eos|pad|unk|mask)>|<(?:start|end)_of_turn>|\[\/?INST\]|<<\/?SYS>>|\n)/;

/** A rendered prompt in pieces: its special tokens and ends of lines set apart from its text. Joined, they are the prompt. */
export function seenPieces(seen: string): SeenPiece[] {
  return seen
    .split(SPECIAL)
    .map((text, i): SeenPiece => ({ kind: i % 2 === 0 ? "text" : text === "\n" ? "break" : "special", text }))
    .filter(({ text }) => text !== "");
}

/** What a target is called. */
export function nameOf(target: ChatTarget, rows: readonly RunRow[] | null): string {
  if (target.kind === "model") return shortModel(target.id);
  return rows?.find((run) => run.id === target.id)?.name ?? "The run";
}
