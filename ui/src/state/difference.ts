// Where two texts differ, word by word. Pure.

/** A stretch of a text: in both, or in this one alone. */
export type Stretch = { text: string; alone: boolean };

/** More words than this are not compared: the table would be too large. */
const MOST = 3000;

/** Both texts cut into stretches; null if they are too long to compare. Joined, the stretches are the text. */
export function difference(one: string, other: string): [Stretch[], Stretch[]] | null {
  const [a, b] = [words(one), words(other)];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const [midA, midB] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  if (midA.length > MOST || midB.length > MOST) return null;
  const [keptA, keptB] = common(midA, midB);
  const whole = (text: string[], kept: boolean[]) =>
    joined(
      text,
      text.map((_, i) => i >= start && i < text.length - end && !kept[i - start]),
    );
  return [whole(a, keptA), whole(b, keptB)];
}

/** Words with the space after them set apart, so that a space is never a difference by itself. */
const words = (text: string): string[] => text.match(/\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) ?? [];

/** Which words of each are part of the longest sequence that both have. */
function common(a: string[], b: string[]): [boolean[], boolean[]] {
  const width = b.length + 1;
  const longest = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      longest[i * width + j] =
        a[i] === b[j]
          ? longest[(i + 1) * width + j + 1]! + 1
          : Math.max(longest[(i + 1) * width + j]!, longest[i * width + j + 1]!);
    }
  }
  const [inA, inB] = [a.map(() => false), b.map(() => false)];
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i] === b[j]) {
      inA[i++] = inB[j++] = true;
    } else if (longest[(i + 1) * width + j]! >= longest[i * width + j + 1]!) i++;
    else j++;
  }
  return [inA, inB];
}

/** Spaces and signs between two words that stand alone are marked with them; at the edge of a mark they are not. */
function joined(text: string[], alone: boolean[]): Stretch[] {
  const isWord = (i: number) => /[\p{L}\p{N}]/u.test(text[i] ?? "");
  const beside = (i: number, way: 1 | -1): boolean => {
    let at = i + way;
    while (at >= 0 && at < text.length && !isWord(at)) at += way;
    return Boolean(alone[at]);
  };
  const stretches: Stretch[] = [];
  text.forEach((word, i) => {
    const before = stretches.at(-1);
    const mark = /\n/.test(word) ? false : isWord(i) ? Boolean(alone[i]) : beside(i, -1) && beside(i, 1);
    if (before && before.alone === mark) before.text += word;
    else stretches.push({ text: word, alone: mark });
  });
  return stretches;
}
