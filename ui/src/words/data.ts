// What data sets say: shapes, roles, parts and problems in plain words, the standard term beside them.

import type {
  ApiError,
  ColumnRole,
  Counts,
  DatasetVersion,
  Example,
  Mapping,
  Problem,
  ProblemGroup,
  ProblemKind,
  Role,
  Shape,
  Split,
  SplitFractions,
  Supervise,
} from "../backend";
import { ago, count, percent } from "../words";
import { named, type Piece, taggedPieces } from "./entities";

type Named = { label: string; term: string; help: string };

const SHAPES: Record<Shape, string> = {
  prompt_completion: "Prompts and completions",
  alpaca: "Tasks and answers",
  messages: "Conversations",
  share_gpt: "Conversations, ShareGPT's way",
  text: "Running text",
  labelled: "Texts with one label each",
  labelled_several: "Texts with any number of labels",
  scored: "Texts with a number each",
  tagged_words: "Words with tags",
  spans: "Texts with marked stretches",
};
export const shapeName = (shape: Shape): string => SHAPES[shape];

const ROLES: Record<ColumnRole, Named> = {
  prompt: { label: "What the model is given", term: "prompt", help: "The question, or the text to go on from." },
  completion: { label: "What it learns to write", term: "completion", help: "The answer, as it should come out." },
  instruction: { label: "The task", term: "instruction", help: "What is asked of the model." },
  input: { label: "The material", term: "input", help: "What the task is about; may be empty in some rows." },
  output: { label: "What it learns to write", term: "output", help: "The answer, as it should come out." },
  system: { label: "What sets the scene", term: "system message", help: "Said before the conversation begins." },
  messages: { label: "The conversation", term: "messages", help: "A list of messages, each with who speaks." },
  text: { label: "The text", term: "text", help: "What is learned, or what the labels are about." },
  pair: { label: "The second text", term: "pair", help: "Where two texts belong together, as question and answer." },
  label: { label: "Its label", term: "label", help: "What the text is; a list where several may hold." },
  score: { label: "Its number", term: "score", help: "How good, how alike, how much." },
  words: { label: "The words", term: "tokens", help: "A list, in the order of the sentence." },
  tags: { label: "The tag of each word", term: "tags", help: "A list as long as that of the words." },
  spans: {
    label: "What is marked",
    term: "spans",
    help: "A list, each with where it starts, where it ends and a label.",
  },
};
export const roleOf = (role: ColumnRole): Named => ROLES[role];

const SPEAKERS: Record<Role, string> = { system: "Scene", user: "Person", assistant: "Model", tool: "Tool" };
export const speaker = (role: Role): string => SPEAKERS[role];

const PARTS: Record<Split, string> = { train: "Training", validation: "Validation", test: "Test" };
export const partName = (split: Split): string => PARTS[split];

const SUPERVISED: Record<Supervise, string> = {
  replies: "Replies",
  "last-reply": "Last reply",
  everything: "Everything",
};
export const supervised = (of: Supervise): string => SUPERVISED[of];

export const total = (of: Counts): number => of.train + of.validation + of.test;

/** `1 row`, `4,812 rows`. */
export const things = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;

/** `4,331 to train, 481 to validate`; parts without rows are not named. */
export function parts(of: Counts): string {
  const said = [`${count(of.train)} to train`];
  if (of.validation > 0) said.push(`${count(of.validation)} to validate`);
  if (of.test > 0) said.push(`${count(of.test)} to test`);
  return said.join(", ");
}

/** What stands in small print under a data set's name in a list. */
export const inShort = (rows: number, versions: number): string =>
  [things(rows, "row"), ...(versions > 1 ? [`${count(versions)} versions`] : [])].join(" · ");

/** What one row has that others of its group need not have: `at column 7`. Empty where the group says it all. */
export function particular(kind: ProblemKind): string {
  switch (kind.kind) {
    case "not_json":
      return `at column ${count(kind.column)}`;
    case "wrong_field_count":
      return `${count(kind.found)} instead of ${count(kind.expected)}`;
    case "duplicate":
      return `like row ${count(kind.first)}`;
    case "unknown_role":
      return `“${kind.role}”`;
    case "missing_column":
    case "not_text":
    case "not_a_label":
    case "not_a_number":
      return `“${kind.column}”`;
    case "different_lengths":
      return `${things(kind.words, "word")}, ${things(kind.tags, "tag")}`;
    case "unknown_label":
    case "single_example":
      return `“${kind.label}”`;
    case "line_too_long":
      return `over ${count(kind.limit)} bytes`;
    case "not_an_object":
    case "no_reply":
    case "empty_reply":
    case "empty_prompt":
    case "empty_text":
    case "bad_messages":
    case "bad_encoding":
    case "empty_label":
    case "bad_tags":
    case "bad_spans":
    case "overlapping_spans":
    case "span_outside":
    case "span_cuts_word":
      return "";
    default:
      kind satisfies never;
      return "";
  }
}

/** `line 3`, `lines 3, 9 and 27`, `lines 3, 9, 27, 31, 40 and 9 more`. */
export function lines(of: readonly number[], all: number, named = 5): string {
  const first = of.slice(0, named).map(count);
  if (all > first.length) return `lines ${first.join(", ")} and ${count(all - first.length)} more`;
  if (first.length === 1) return `line ${first[0]}`;
  return `lines ${first.slice(0, -1).join(", ")} and ${first.at(-1)}`;
}

/** The column of each role, for a line: `question → prompt, answer → completion`. */
export const mapped = (mapping: Mapping): { role: ColumnRole; column: string }[] =>
  (Object.keys(ROLES) as ColumnRole[]).flatMap((role) => {
    const column = mapping.columns[role];
    return column === undefined ? [] : [{ role, column }];
  });

/** `At 1,024 tokens 3 % of the examples are cut: 134 of 4,331`. */
export function cutAt(context: number, cut: number, of: number, sure: "counted" | "about"): string {
  const at = `At ${count(context)} tokens`;
  if (of === 0) return `${at} nothing is known: there is no example`;
  if (cut === 0) return `${at} no example is cut`;
  if (cut === of) return `${at} every example is cut`;
  const share = percent(cut / of).replace("<", "less than");
  return `${at} ${share} of the examples ${cut === 1 ? "is" : "are"} cut: ${sure === "about" ? "about " : ""}${count(cut)} of ${count(of)}`;
}

/** The name of a version: the moment it was made says more than its hash. */
export const shortHash = (version: string): string => version.slice(0, 8);

/** The file's name of a path, and the folder it is in. */
export function pathParts(path: string): { name: string; folder: string } {
  const at = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  return { name: path.slice(at + 1) || path, folder: path.slice(0, Math.max(at, 0)) };
}

/** What a data set is called when nobody says: the first file's name without its endings. */
export function nameOf(path: string): string {
  const { name } = pathParts(path.replace(/[\\/]+$/, ""));
  return name.replace(/\.(gz|zst|bz2|xz)$/i, "").replace(/\.[^.]+$/, "") || name;
}

const TROUBLES: Record<ProblemKind["kind"], [one: string, many: string]> = {
  not_json: ["is not JSON", "are not JSON"],
  not_an_object: ["is not a JSON object", "are not JSON objects"],
  wrong_field_count: ["has another number of fields than the header", "have another number of fields than the header"],
  missing_column: ["lacks a column", "lack a column"],
  not_text: ["holds something other than text", "hold something other than text"],
  no_reply: ["has no reply", "have no reply"],
  empty_reply: ["has an empty reply", "have an empty reply"],
  empty_prompt: ["has an empty prompt", "have an empty prompt"],
  empty_text: ["has no text", "have no text"],
  unknown_role: ["has a speaker that is not known", "have a speaker that is not known"],
  bad_messages: ["is not a list of messages", "are not lists of messages"],
  bad_encoding: ["has bytes that are not text", "have bytes that are not text"],
  line_too_long: ["is too long to be read", "are too long to be read"],
  duplicate: ["repeats an earlier row", "repeat earlier rows"],
  empty_label: ["has an empty label", "have an empty label"],
  not_a_label: ["has something other than a label", "have something other than a label"],
  not_a_number: ["has something other than a number", "have something other than a number"],
  bad_tags: ["is not a list of words with a list of tags", "are not lists of words with lists of tags"],
  different_lengths: ["has more or fewer tags than words", "have more or fewer tags than words"],
  bad_spans: ["has marks without start, end and label", "have marks without start, end and label"],
  overlapping_spans: ["has marks that overlap", "have marks that overlap"],
  span_outside: ["has a mark that is empty or outside the text", "have a mark that is empty or outside the text"],
  span_cuts_word: ["had a mark that cut a word", "had marks that cut a word"],
  unknown_label: ["has a label that training never shows", "have a label that training never shows"],
  single_example: ["is the only one with its label", "are the only ones with their label"],
};

/** Rows that were mended, or need no mending, and are kept. */
const KEPT: readonly ProblemKind["kind"][] = ["bad_encoding", "span_cuts_word", "single_example"];

/** What is wrong with the rows looked at, before there is a data set: a group for each kind, the largest first. */
export function groups(problems: readonly Problem[]): ProblemGroup[] {
  const kinds = new Map<ProblemKind["kind"], Problem[]>();
  for (const problem of problems) kinds.set(problem.kind.kind, [...(kinds.get(problem.kind.kind) ?? []), problem]);
  const group = ([kind, all]: [ProblemKind["kind"], Problem[]]): ProblemGroup => ({
    sentence: `${things(all.length, "row")} ${TROUBLES[kind][all.length === 1 ? 0 : 1]}`,
    n: all.length,
    repaired: KEPT.includes(kind),
    examples: all,
  });
  return [...kinds].map(group).sort((a, b) => b.n - a.n);
}

/** The rows that a split means; a part that is asked for gets a row as soon as there are two. */
export function divided(rows: number, split: SplitFractions): Counts {
  const part = (fraction: number) => (fraction > 0 && rows > 1 ? Math.max(1, Math.round(rows * fraction)) : 0);
  const [validation, test] = [part(split.validation), part(split.test)];
  return { train: Math.max(rows > 0 ? 1 : 0, rows - validation - test), validation, test };
}

/** `pieces`: the text again, where things are named in it. */
export type Turn = {
  who: string;
  term: string;
  text: string;
  taught: "taught" | "given";
  pieces?: readonly Piece[];
};

/** A text or two, and what is learned of them. */
const asked = (text: string, pair: string | null, learned: Turn): Turn[] => [
  { who: "Text", term: "read", text, taught: "given" },
  ...(pair === null ? [] : [{ who: "Second text", term: "read", text: pair, taught: "given" as const }]),
  learned,
];

/** An example turn by turn: who says it, what, and whether it is what the model learns to write. */
export function said(example: Example): Turn[] {
  switch (example.kind) {
    case "text":
      return [{ who: "Text", term: "all of it is learned", text: example.text, taught: "taught" }];
    case "completion":
      return [
        { who: "Given", term: "prompt", text: example.prompt, taught: "given" },
        { who: "Learned", term: "completion", text: example.completion, taught: "taught" },
      ];
    case "chat":
      return example.messages.map(({ role, content }) => ({
        who: speaker(role),
        term: role,
        text: content,
        taught: role === "assistant" ? "taught" : "given",
      }));
    case "labelled": {
      const [labels, n] = [example.labels.join(", ") || "none", example.labels.length];
      const learned: Turn = { who: n === 1 ? "Label" : "Labels", term: "learned", text: labels, taught: "taught" };
      return asked(example.text, example.pair, learned);
    }
    case "scored":
      return asked(example.text, example.pair, {
        who: "Number",
        term: "learned",
        text: String(example.score),
        taught: "taught",
      });
    case "tagged": {
      const pieces = taggedPieces(example.words, example.tags);
      return [
        { who: "Text", term: "read, word by word", text: example.words.join(" "), taught: "given", pieces },
        { who: "Named in it", term: "learned", text: named(pieces) || "nothing", taught: "taught" },
      ];
    }
    default:
      return example satisfies never;
  }
}

/** More than two lines never show. */
const GLANCE = 300;
const cut = (text: string): string => (text.length > GLANCE ? `${text.slice(0, GLANCE)}…` : text).trim();

/** An example in a row of a table: what is given, and what comes of it. */
export function glance(example: Example): { given: string; taught: string } {
  const turns = said(example);
  const last = turns.findLastIndex((turn) => turn.taught === "taught");
  const before = turns.slice(0, Math.max(last, 0)).filter((turn) => turn.term !== "system" || turns.length < 3);
  const more = before.length > 1 ? `${things(before.length - 1, "message")} earlier · ` : "";
  return { given: more + cut(before.at(-1)?.text ?? ""), taught: cut(turns[last]?.text ?? "") };
}

/** `Version 3 (newest), 3 h ago`; versions come newest first. */
export const versionName = (of: DatasetVersion, at: number, all: number, now: number): string =>
  `Version ${count(all - at)}${at === 0 ? " (newest)" : ""}, ${ago(of.created_ms, now)}`;

/** `26 rows were left out, 1 was repaired`. */
export function fates(of: readonly ProblemGroup[]): string {
  const sum = (some: readonly ProblemGroup[]) => some.reduce((n, group) => n + group.n, 0);
  const [left, repaired] = [sum(of.filter((group) => !group.repaired)), sum(of.filter((group) => group.repaired))];
  const were = (n: number) => (n === 1 ? "was" : "were");
  const said = left > 0 ? [`${things(left, "row")} ${were(left)} left out`] : [];
  if (repaired > 0)
    said.push(`${left > 0 ? count(repaired) : things(repaired, "row")} ${were(repaired)} repaired and kept`);
  return said.join(", ");
}

/** Over an import that failed. */
export function whyNot(code: ApiError["code"]): string {
  switch (code) {
    case "bad_data":
      return "Nothing was imported: the data cannot be used like this";
    case "disk":
      return "Nothing was imported: the disk would not take it";
    case "not_found":
      return "Nothing was imported: something is not there any more";
    default:
      return "Nothing was imported";
  }
}
