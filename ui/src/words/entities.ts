// Words with tags, and texts with entities found in them, as stretches that follow each other.

import type { FoundEntity } from "../backend";

/** A stretch of a text; `label` null where nothing is named. `note` stands in small print beside the label. */
export type Piece = { text: string; label: string | null; note: string };

const OF_ENTITIES = /^[BIESLU]-(.+)$/;

/** Whether a tag goes on with the entity before it. */
const goesOn = (tag: string): boolean => /^[IEL]-/.test(tag);

/** What is named in words with IOB tags; where tags are of no entities, each word that has one stands for itself. */
export function taggedPieces(words: readonly string[], tags: readonly string[]): Piece[] {
  const pieces: Piece[] = [];
  words.forEach((word, i) => {
    const tag = tags[i] ?? "O";
    const label = tag === "O" ? null : (OF_ENTITIES.exec(tag)?.[1] ?? tag);
    const last = pieces.at(-1);
    const joins = last !== undefined && last.label === label && (label === null || goesOn(tag));
    if (joins) last.text += ` ${word}`;
    else {
      // The space between two stretches belongs to what is not named.
      if (last) {
        if (label === null) word = ` ${word}`;
        else if (last.label === null) last.text += " ";
        else pieces.push({ text: " ", label: null, note: "" });
      }
      pieces.push({ text: word, label, note: "" });
    }
  });
  return pieces;
}

/** A text with what was found in it; places count characters, not the halves of which some consist. */
export function foundPieces(
  text: string,
  entities: readonly FoundEntity[],
  note: (of: FoundEntity) => string,
): Piece[] {
  const characters = Array.from(text);
  const pieces: Piece[] = [];
  let at = 0;
  const plain = (to: number) => {
    if (to > at) pieces.push({ text: characters.slice(at, to).join(""), label: null, note: "" });
  };
  for (const entity of entities) {
    if (entity.start < at || entity.end > characters.length) continue;
    plain(entity.start);
    pieces.push({ text: characters.slice(entity.start, entity.end).join(""), label: entity.label, note: note(entity) });
    at = entity.end;
  }
  plain(characters.length);
  return pieces;
}

/** `Ada (PER), New York (LOC)`. */
export const named = (pieces: readonly Piece[]): string =>
  pieces.flatMap(({ text, label }) => (label === null ? [] : [`${text} (${label})`])).join(", ");

/** What tags can name: `PER` of `B-PER` and `I-PER`. */
export const kindsOf = (tags: readonly string[]): string[] => [
  ...new Set(tags.filter((tag) => tag !== "O").map((tag) => OF_ENTITIES.exec(tag)?.[1] ?? tag)),
];

/** A colour for each label, by its place among all of them. */
export function tones(labels: readonly string[]): ReadonlyMap<string, number> {
  const all = [...new Set(labels)].sort();
  return new Map(all.map((label, i) => [label, (i % 8) + 1]));
}
