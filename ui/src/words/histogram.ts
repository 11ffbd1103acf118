// Where the bars of a histogram of lengths stand: a few hundred bins become bars that can be told apart.

import type { LengthHistogram } from "../backend";

/** Lengths from `low` on and below `high`; null: everything from `low` on. */
export type Bar = { low: number; high: number | null; n: number };
/** `end`: the length at which the axis ends; what is longer is in one bar after it. */
export type Bars = { bars: Bar[]; end: number; most: number };

/** At most `room` bars that reach over what most examples need and over the context; the few longer ones in the last. */
export function barsOf(lengths: LengthHistogram, context: number, room: number): Bars {
  const { width, bins } = lengths;
  const wanted = Math.min(Math.max(lengths.p95 * 1.5, context * 1.15), lengths.longest + 1);
  const group = Math.max(1, Math.ceil(wanted / width / Math.max(room, 1)));
  const step = group * width;
  const n = Math.max(1, Math.ceil(wanted / step));
  const bars: Bar[] = Array.from({ length: n }, (_, i) => ({
    low: i * step,
    high: (i + 1) * step,
    n: bins.slice(i * group, (i + 1) * group).reduce((sum, bin) => sum + bin, 0),
  }));
  const rest = bins.slice(n * group).reduce((sum, bin) => sum + bin, 0);
  if (rest > 0) bars.push({ low: n * step, high: null, n: rest });
  // The axis goes on to the context, even where no example does.
  const end = Math.max(n * step, Math.min(context * 1.15, lengths.longest * 4));
  return { bars, end, most: Math.max(1, ...bars.map((bar) => bar.n)) };
}

/** Round numbers from 0 to `end`, about `n` of them. */
export function ticks(end: number, n: number): number[] {
  const rough = Math.max(end, 1) / Math.max(n, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, ([1, 2, 5, 10].find((m) => m * power >= rough) ?? 10) * power);
  return Array.from({ length: Math.floor(end / step) + 1 }, (_, i) => i * step);
}
