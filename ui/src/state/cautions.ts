// What a person should know before a run that can start all the same.

import type { LengthHistogram } from "../backend";

export type Caution =
  /** Many examples are longer than the context; `context` would hold nearly all of them. */
  | { kind: "cut"; share: number; lengths: LengthHistogram; context: number | null }
  /** No token would be taught. */
  | { kind: "untaught" };

/** The lengths that plans choose from, as far as they are offered here. */
const LADDER = [
  64, 128, 192, 256, 320, 384, 512, 640, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 16_384, 32_768, 65_536,
];
/** More than this share is many. */
const MANY = 0.05;
/** Few enough to be of no account. */
const FEW = 0.02;

/** The share of examples that `context` tokens do not hold, as exact as the histogram is. */
export function shareOver(lengths: LengthHistogram, context: number): number {
  const over = lengths.bins.reduce((sum, n, i) => sum + (i * lengths.width >= context ? n : 0), 0);
  return lengths.measured === 0 ? 0 : over / lengths.measured;
}

export function cautions(lengths: LengthHistogram | null, context: number, most: number | null): Caution[] {
  if (!lengths || lengths.measured === 0) return [];
  const share = shareOver(lengths, context);
  const found: Caution[] = [];
  if (lengths.taught === 0) found.push({ kind: "untaught" });
  if (share > MANY) {
    const enough = LADDER.find((length) => length > context && shareOver(lengths, length) <= FEW);
    const held = enough === undefined ? most : Math.min(enough, most ?? enough);
    found.push({ kind: "cut", share, lengths, context: held !== null && held > context ? held : null });
  }
  return found;
}
