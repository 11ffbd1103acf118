// The data sets that a scene begins with.

import type {
  ColumnRole,
  Counts,
  DatasetInfo,
  DatasetVersion,
  LabelCount,
  Mapping,
  Problem,
  ProblemGroup,
  ProblemKind,
  Shape,
} from "..";
import type { Kind } from "./data-examples";
import { DIAGNOSES } from "./heads";
import type { Scene } from "./scene";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A data set with all its versions, the newest first. */
export type FakeSet = {
  info: DatasetInfo;
  created_ms: number;
  versions: DatasetVersion[];
  groups: ProblemGroup[];
  bytes: number;
  n_runs: number;
  kind: Kind;
};

let births = 0;
export const newId = (): string => `0193da7a-0000-7000-8000-${String(++births).padStart(12, "0")}`;
/** 64 digits that look like a hash, the same for the same word. */
export function hash(word: string): string {
  let h = 2166136261;
  const digits = Array.from({ length: 64 }, (_, i) => {
    h = Math.imul(h ^ (word.charCodeAt(i % Math.max(word.length, 1)) + i), 16777619);
    return ((h >>> 13) & 15).toString(16);
  });
  return digits.join("");
}

export const mapping = (shape: Shape, columns: Partial<Record<ColumnRole, string>>): Mapping => ({ shape, columns });

export function group(sentence: string, file: string, kind: ProblemKind, n: number, first = 7): ProblemGroup {
  const at = (i: number): Problem => ({ file, line: first + i * 37 + (i % 3) * 5, kind });
  const examples = Array.from({ length: Math.min(n, 1000) }, (_, i) => at(i));
  return { sentence, n, repaired: kind.kind === "bad_encoding", examples };
}

type Given = {
  name: string;
  kind: Kind;
  age: number;
  counts: Counts;
  source: string;
  mapping: Mapping;
  because: string;
  groups?: ProblemGroup[];
  versions?: number;
  n_runs?: number;
};

export function set(given: Given): FakeSet {
  const { name, counts, source, because, groups = [], age } = given;
  const created_ms = Date.now() - age;
  const n = counts.train + counts.validation + counts.test;
  const versions = Array.from({ length: given.versions ?? 1 }, (_, i) => ({
    version: hash(`${name} ${i}`),
    created_ms: created_ms - i * 3 * DAY,
    counts: { ...counts, train: Math.max(1, counts.train - i * 211) },
  }));
  const share = (part: number) => Math.round((100 * part) / n) / 100;
  const info: DatasetInfo = {
    id: newId(),
    version: versions[0]?.version ?? "",
    name,
    sources: [source],
    mapping: given.mapping,
    because,
    split: { validation: share(counts.validation), test: share(counts.test), seed: 42 },
    counts,
    problems: groups.flatMap((group) => group.examples).slice(0, 1000),
    n_problems: groups.reduce((sum, group) => sum + group.n, 0),
  };
  return { info, created_ms, versions, groups, bytes: n * 431, n_runs: given.n_runs ?? 0, kind: given.kind };
}

const questions = mapping("prompt_completion", { prompt: "question", completion: "answer" });

export const sample = (): FakeSet =>
  set({
    name: "Lighthouse log",
    kind: "log",
    age: 0,
    counts: { train: 108, validation: 12, test: 0 },
    source: "/home/ada/.local/share/tunesmith/datasets/sample/lighthouse-log.jsonl",
    mapping: mapping("messages", { messages: "messages" }),
    because: "`messages` holds lists of messages with a role and a content",
  });

export const replies = (age = 3 * HOUR): FakeSet =>
  set({
    name: "Support replies",
    kind: "support",
    age,
    counts: { train: 4331, validation: 481, test: 0 },
    versions: 2,
    n_runs: 3,
    source: "/home/ada/Documents/support-replies.jsonl",
    mapping: questions,
    because: "`question` and `answer` are named as a prompt and its completion",
    groups: [
      group("14 rows have no reply", "support-replies.jsonl", { kind: "empty_reply" }, 14, 12),
      group("9 rows repeat earlier rows", "support-replies.jsonl", { kind: "duplicate", first: 3 }, 9, 210),
      group("3 rows are not JSON", "support-replies.jsonl", { kind: "not_json", column: 118 }, 3, 1024),
      group("1 row had bytes that are not text", "support-replies.jsonl", { kind: "bad_encoding" }, 1, 88),
    ],
  });

function full(): FakeSet[] {
  return [
    replies(),
    { ...sample(), created_ms: Date.now() - DAY },
    set({
      name: "Symptom to diagnosis",
      kind: "symptoms",
      age: 2 * DAY,
      counts: { train: 768, validation: 85, test: 212 },
      n_runs: 1,
      source: "/home/ada/Documents/symptom_to_diagnosis",
      mapping: mapping("prompt_completion", { prompt: "symptoms", completion: "diagnosis" }),
      because:
        "the names of the two columns of text say nothing, so the longer, `symptoms`, is taken for the prompt and `diagnosis` for the completion",
    }),
    set({
      name: "Release notes in our voice",
      kind: "notes",
      age: 9 * DAY,
      counts: { train: 279, validation: 31, test: 0 },
      versions: 4,
      source: "/home/ada/Documents/notes/release-notes.json",
      mapping: mapping("alpaca", { instruction: "instruction", input: "input", output: "output", system: "system" }),
      because: "columns `instruction`, `input`, `output`, `system` are named as in Alpaca's data",
      groups: [group("2 rows have no reply", "release-notes.json", { kind: "no_reply" }, 2, 40)],
    }),
    set({
      name: "Tweet sentiment",
      kind: "tweets",
      age: 20 * DAY,
      counts: { train: 24_732, validation: 2748, test: 3534 },
      source: "/home/ada/Downloads/tweet_sentiment",
      mapping: mapping("prompt_completion", { prompt: "text", completion: "sentiment" }),
      because: "`text` and `sentiment` are named as a prompt and its completion",
      groups: [group("1,204 rows repeat earlier rows", "train.csv", { kind: "duplicate", first: 19 }, 1204, 30)],
    }),
    set({
      name: "Shakespeare",
      kind: "play",
      age: 41 * DAY,
      counts: { train: 6500, validation: 722, test: 0 },
      source: "/home/ada/Documents/tinyshakespeare/input.txt",
      mapping: mapping("text", { text: "text" }),
      because: "`text` is the only column of text",
    }),
  ];
}

const labelled = (names: readonly string[], n: number): LabelCount[] =>
  names.map((label, i) => {
    const train = Math.max(1, Math.round(n / (i + 1)));
    return { label, counts: { train, validation: Math.round(train / 9), test: Math.round(train / 5) } };
  });

/** Data sets of labels, numbers and tags. */
function heads(): FakeSet[] {
  const counts = { train: 768, validation: 85, test: 212 };
  const base = { counts, age: HOUR, n_runs: 1 };
  const named = (one: FakeSet, more: Partial<DatasetInfo>): FakeSet => ({ ...one, info: { ...one.info, ...more } });
  const diagnoses = set({
    ...base,
    name: "Symptom to diagnosis",
    kind: "labels",
    source: "/home/ada/Documents/symptom_to_diagnosis",
    mapping: mapping("labelled", { text: "input_text", label: "output_text" }),
    because: "`output_text` has 12 different values in 1,065 rows, as labels have",
    groups: [
      group("2 rows have a label that training never shows", "test.jsonl", { kind: "unknown_label", label: "gout" }, 2),
    ],
  });
  const topics = set({
    ...base,
    name: "Support topics",
    kind: "several",
    source: "/home/ada/Documents/topics.jsonl",
    mapping: mapping("labelled_several", { text: "text", label: "topics" }),
    because: "`topics` holds lists of labels",
  });
  const alike = set({
    ...base,
    name: "Sentence pairs",
    kind: "alike",
    source: "/home/ada/Documents/pairs.csv",
    mapping: mapping("scored", { text: "sentence1", pair: "sentence2", score: "score" }),
    because: "`score` holds numbers, and there are two columns of text",
  });
  const news = set({
    ...base,
    name: "Names in news",
    kind: "names",
    source: "/home/ada/Documents/news.conll",
    mapping: mapping("tagged_words", { words: "words", tags: "tags" }),
    because: "lines of a word and its tag, as in CoNLL's files",
  });
  const headlines = set({
    ...base,
    name: "Reports and headlines",
    kind: "headlines",
    source: "/home/ada/Documents/headlines.jsonl",
    mapping: mapping("prompt_completion", { prompt: "report", completion: "headline" }),
    because: "the names of the two columns of text say nothing, so the longer, `report`, is taken for the prompt",
  });
  return [
    named(diagnoses, { labels: labelled(DIAGNOSES, 160) }),
    named(topics, { labels: labelled(["delivery", "payment", "returns", "praise"], 310) }),
    named(alike, { scores: { least: 0, most: 5, mean: 2.61, deviation: 1.44 } }),
    named(news, {
      labels: labelled(["O", "B-PER", "B-LOC", "I-PER", "B-ORG", "I-ORG", "I-LOC"], 9000),
      entities: labelled(["PER", "LOC", "ORG"], 900),
    }),
    headlines,
    replies(),
  ];
}

function long(): FakeSet[] {
  const odd = group(
    "812,204 rows have a speaker that is not known",
    "a-million-questions.parquet",
    { kind: "unknown_role", role: "<b>narrator</b>" },
    812_204,
  );
  const million = set({
    name: "A million questions",
    kind: "odd",
    age: HOUR,
    counts: { train: 1_000_000, validation: 52_631, test: 1 },
    versions: 37,
    n_runs: 112,
    source: `/home/ada/${"a-rather-deep-folder/".repeat(12)}a-million-questions.parquet`,
    mapping: questions,
    because: "`question` and `answer` are named as a prompt and its completion",
    groups: [odd],
  });
  const name = "Donaudampfschifffahrtsgesellschaftskapitänsanwärterprüfungsfragen".repeat(3);
  const markup = set({
    name: "<b>أسئلة وأجوبة</b> 🎉",
    kind: "odd",
    age: 2 * HOUR,
    counts: { train: 6, validation: 0, test: 0 },
    source: "/home/ada/rtl.csv",
    mapping: questions,
    because: "",
  });
  const many = Array.from({ length: 2000 }, (_, i) =>
    set({
      name: i === 0 ? name : `Data set ${i}`,
      kind: "support",
      age: (i + 3) * HOUR,
      counts: { train: 900 + i, validation: 100, test: 0 },
      source: `/home/ada/${i}.jsonl`,
      mapping: questions,
      because: "",
    }),
  );
  return [million, markup, ...many];
}

export function setsOf(scene: Scene): FakeSet[] {
  births = 0;
  if (scene.name === "empty" || scene.name === "first") return [];
  if (scene.name === "heads") return heads();
  return scene.name === "long" ? long() : full();
}
