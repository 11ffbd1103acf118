// Finds what was meant by a few letters of it: `supre` finds "Support replies".

/** Better is higher; null if the letters are not in it, in this order. */
export function score(letters: string, text: string): number | null {
  const wanted = letters.toLowerCase().replaceAll(" ", "");
  const hay = text.toLowerCase();
  let at = -1;
  let points = 0;
  for (const letter of wanted) {
    const next = hay.indexOf(letter, at + 1);
    if (next < 0) return null;
    const begins = next === 0 || /[\s/\-_.]/.test(hay[next - 1] ?? "");
    points += next === at + 1 ? 3 : begins ? 2 : -Math.min(next - at, 10) / 10;
    at = next;
  }
  // A name that begins with it, then one that has it whole, then the shorter.
  const whole = hay.indexOf(letters.toLowerCase().trim());
  return points + (whole === 0 ? 20 : whole > 0 ? 10 : 0) - hay.length / 1000;
}

/** The best first; those that do not have it are left out. All, in their order, while nothing is asked. */
export function matching<T>(letters: string, all: readonly T[], text: (one: T) => string, most: number): T[] {
  if (letters.trim() === "") return all.slice(0, most);
  return all
    .map((one) => ({ one, points: score(letters, text(one)) }))
    .filter((found): found is { one: T; points: number } => found.points !== null)
    .sort((a, b) => b.points - a.points)
    .slice(0, most)
    .map((found) => found.one);
}
