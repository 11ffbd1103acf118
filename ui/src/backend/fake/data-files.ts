// Files that can be chosen or dropped in a scene: what is in them is decided by their names.

import type { Example, Mapping, Preview, ShapeSheet } from "..";
import { exampleAt } from "./data-examples";
import { mapping } from "./data-sets";
import { refusal, type Scene } from "./scene";

export const SHAPES: ShapeSheet[] = [
  {
    shape: "prompt_completion",
    label: "A prompt and its completion",
    help: "A question and its answer, a text and its label.",
    needs: ["prompt", "completion"],
    may: ["system"],
  },
  {
    shape: "alpaca",
    label: "A task and its answer",
    help: "Alpaca's way: an instruction, some material, the answer.",
    needs: ["instruction", "output"],
    may: ["input", "system"],
  },
  {
    shape: "messages",
    label: "A conversation",
    help: "A list of messages, each with a role and a content.",
    needs: ["messages"],
    may: ["system"],
  },
  {
    shape: "share_gpt",
    label: "A conversation, ShareGPT's way",
    help: "A list of messages, each with `from` and `value`.",
    needs: ["messages"],
    may: ["system"],
  },
  {
    shape: "labelled",
    label: "A text and its label",
    help: "A text, perhaps a second one, and what it is.",
    needs: ["text", "label"],
    may: ["pair"],
  },
  {
    shape: "labelled_several",
    label: "A text and its labels",
    help: "A text, perhaps a second one, and a list of labels, which may be empty.",
    needs: ["text", "label"],
    may: ["pair"],
  },
  {
    shape: "scored",
    label: "A text and a number",
    help: "A text, perhaps a second one, and how good or how alike.",
    needs: ["text", "score"],
    may: ["pair"],
  },
  {
    shape: "tagged_words",
    label: "Words and their tags",
    help: "A list of words and a list of tags, as long as the first.",
    needs: ["words", "tags"],
    may: [],
  },
  {
    shape: "spans",
    label: "A text and what is marked in it",
    help: "A text and a list of spans, each with start, end and label.",
    needs: ["text", "spans"],
    may: [],
  },
  { shape: "text", label: "Running text", help: "All of it is learned; nothing is asked.", needs: ["text"], may: [] },
];

type File = Pick<Preview, "format" | "columns" | "rows"> & { guess: Mapping | null; because: string };

const name = (path: string): string => path.split(/[\\/]/).findLast((part) => part !== "") ?? path;
const times = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));
const pair = (example: Example): [string, string] =>
  example.kind === "completion" ? [example.prompt, example.completion] : ["", ""];

function contents(file: string): File {
  if (/unclear/.test(file)) {
    const rows = times(50, (i) => [
      String(i + 1),
      ...pair(exampleAt("support", i)),
      ["web", "phone", "shop"][i % 3] ?? "",
      "anna.k",
    ]);
    const because = "No column names or contents that are known: say which column plays which part.";
    return {
      format: "CSV",
      columns: ["nr", "kunde_schreibt", "wir_schreiben", "kanal", "bearbeitet_von"],
      rows,
      guess: null,
      because,
    };
  }
  if (/labels/.test(file)) {
    const rows = times(50, (i) => pair(exampleAt("symptoms", i)));
    const because = "`diagnosis` has 3 different values in 50 rows, as labels have";
    return {
      format: "JSON Lines",
      columns: ["symptoms", "diagnosis"],
      rows,
      guess: mapping("labelled", { text: "symptoms", label: "diagnosis" }),
      because,
    };
  }
  if (/wide/.test(file)) {
    const columns = ["prompt", ...times(198, (i) => `feature_${i + 1}`), "completion"];
    const rows = times(50, (i) => {
      const [prompt, completion] = pair(exampleAt("odd", i));
      return [prompt, ...times(198, (c) => (c % 7 === 0 ? "" : ((i * 31 + c * 17) % 1000).toString())), completion];
    });
    const because = "`prompt` and `completion` are named as a prompt and its completion";
    return {
      format: "Parquet",
      columns,
      rows,
      guess: mapping("prompt_completion", { prompt: "prompt", completion: "completion" }),
      because,
    };
  }
  if (/small/.test(file)) {
    const rows = times(20, (i) => pair(exampleAt("symptoms", i)));
    const because =
      "the names of the two columns of text say nothing, so the longer, `symptoms`, is taken for the prompt and `diagnosis` for the completion";
    return {
      format: "JSON Lines",
      columns: ["symptoms", "diagnosis"],
      rows,
      guess: mapping("prompt_completion", { prompt: "symptoms", completion: "diagnosis" }),
      because,
    };
  }
  const rows = times(50, (i) => [...pair(exampleAt("support", i)), `2026-0${(i % 9) + 1}-1${i % 9}`]);
  const guess = mapping("prompt_completion", { prompt: "question", completion: "answer" });
  const because = "`question` and `answer` are named as a prompt and its completion";
  return { format: "JSON Lines", columns: ["question", "answer", "date"], rows, guess, because };
}

/** A row under a mapping; null where it makes no example. */
function made(row: readonly string[], columns: readonly string[], by: Mapping): Example | null {
  const at = (column: string | undefined) => (column === undefined ? "" : (row[columns.indexOf(column)] ?? ""));
  const { prompt, completion, instruction, input, output, system, text, pair, label, score } = by.columns;
  const turns = (asked: string, answer: string): Example => ({
    kind: "chat",
    messages: [
      ...(at(system) ? [{ role: "system" as const, content: at(system) }] : []),
      { role: "user", content: asked },
      { role: "assistant", content: answer },
    ],
  });
  switch (by.shape) {
    case "text":
      return at(text) ? { kind: "text", text: at(text) } : null;
    case "prompt_completion":
      if (!at(prompt) || !at(completion)) return null;
      return system
        ? turns(at(prompt), at(completion))
        : { kind: "completion", prompt: at(prompt), completion: at(completion) };
    case "alpaca":
      return at(output) ? turns([at(instruction), at(input)].filter(Boolean).join("\n\n"), at(output)) : null;
    case "labelled":
    case "labelled_several": {
      const labels = at(label).split(";").filter(Boolean);
      return at(text) ? { kind: "labelled", text: at(text), pair: at(pair) || null, labels } : null;
    }
    case "scored":
      return at(text) ? { kind: "scored", text: at(text), pair: at(pair) || null, score: Number(at(score)) } : null;
    case "messages":
    case "share_gpt":
    case "tagged_words":
    case "spans":
      // No file here has lists.
      return null;
    default:
      return by.shape satisfies never;
  }
}

export function preview(paths: readonly string[], given: Mapping | null, n: number): Preview {
  const file = name(paths[0] ?? "");
  if (/broken/.test(file))
    throw refusal(
      "bad_data",
      `${file} is broken at line 3, column 9: expected a comma.`,
      "Save it again, or take out what is broken.",
    );
  if (/\.(png|zip|pdf|docx)$/.test(file))
    throw refusal(
      "bad_data",
      `${file} is not text: it looks like a picture.`,
      "Known are .jsonl, .json, .csv, .tsv, .parquet, .txt and .md (each also packed, as in .jsonl.gz).",
    );
  const { guess, because, columns, rows, format } = contents(file);
  const by = given ?? guess;
  const seen = rows.slice(0, n);
  return {
    file,
    n_files: paths.length,
    format,
    columns,
    rows: seen,
    mapping: by,
    because: given ? "you mapped the columns" : because,
    examples: by ? seen.flatMap((row) => made(row, columns, by) ?? []) : [],
    problems: /odd/.test(file)
      ? times(3, (i) => ({ file, line: 4 + i * 9, kind: { kind: "not_json", column: 12 + i } }))
      : [],
  };
}

/** What the dialog of the system gives back: `&file=` names another file. */
export function chosen(scene: Scene): string[] {
  const file =
    scene.query.get("file") ?? { trouble: "broken.jsonl", long: "wide.parquet" }[scene.name] ?? "support-replies.jsonl";
  return file === "none" ? [] : file.split(",").map((one) => `/home/ada/Documents/${one}`);
}
