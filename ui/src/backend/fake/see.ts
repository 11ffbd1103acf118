// What the model will see of an example: rendered by a chat template, and cut into tokens much as a tokenizer would.

import type { Example, Message, Seen, SeenToken, Supervise } from "..";

const SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face";
const END = "<|im_end|>";

/** A run of text, and whether it is taught. */
type Part = { text: string; taught: boolean };

function conversation(messages: readonly Message[], supervise: Supervise): Part[] {
  const all = supervise === "everything";
  const head: Message[] = messages[0]?.role === "system" ? [] : [{ role: "system", content: SYSTEM }];
  const said = [...head, ...messages];
  const last = said.findLastIndex((message) => message.role === "assistant");
  return said.flatMap(({ role, content }, i): Part[] => {
    const reply = role === "assistant" && (supervise === "replies" || i === last);
    return [
      { text: `<|im_start|>${role}\n`, taught: all },
      { text: `${content}${END}\n`, taught: all || reply },
    ];
  });
}

function rendered(example: Example, supervise: Supervise): Part[] {
  switch (example.kind) {
    case "chat":
      return conversation(example.messages, supervise);
    case "completion":
      return [
        { text: example.prompt, taught: supervise === "everything" },
        { text: ` ${example.completion}${END}`, taught: true },
      ];
    case "text":
      return [{ text: `${example.text}${END}`, taught: true }];
    case "labelled":
    case "scored":
      return [{ text: [example.text, ...(example.pair === null ? [] : [example.pair])].join("\n"), taught: false }];
    case "tagged":
      return example.words.map((word, i) => ({ text: i === 0 ? word : ` ${word}`, taught: true }));
    default:
      return example satisfies never;
  }
}

const WORDS =
  /<\|[a-z_]+\|>|\p{Extended_Pictographic}\uFE0F?| ?[\p{L}\p{M}]+| ?\p{N}| ?[^\s\p{L}\p{M}\p{N}\p{Extended_Pictographic}]+|\n+|\s/gu;

const MARKS = /(<\|[a-z_]+\|>)/g;

/** Long words come in pieces, and a character that takes two tokens has one with nothing to show. */
function pieces(text: string): string[] {
  return text
    .split(MARKS)
    .flatMap((part) => [...part.matchAll(WORDS)])
    .flatMap(([word]) => {
      if (/\p{Extended_Pictographic}/u.test(word)) return [word, ""];
      if (word.startsWith("<|") || word.length <= 9) return [word];
      return [word.slice(0, 6), ...(word.slice(6).match(/.{1,5}/gu) ?? [])];
    });
}

const number = (piece: string): number =>
  [...piece].reduce((sum, c) => (sum * 31 + (c.codePointAt(0) ?? 0)) % 49_000, 7);

export function seen(example: Example, supervise: Supervise, context: number): Seen {
  const parts = rendered(example, supervise);
  const all = parts.flatMap(({ text, taught }) =>
    pieces(text).map((piece): SeenToken => ({ id: number(piece), piece, taught, special: piece.startsWith("<|") })),
  );
  const tokens = all.slice(0, context);
  return {
    text: parts.map((part) => part.text).join(""),
    tokens,
    n_tokens: all.length,
    n_supervised: tokens.filter((token) => token.taught).length,
    n_cut: all.length - tokens.length,
    end_token: END,
    end_is_taught: tokens.some((token) => token.taught && token.piece === END),
  };
}
