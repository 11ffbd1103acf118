// A curve of any length in a fixed space: past MOST points, stretches of steps become one point with their means.
// What is short is kept exactly. Pure.

/** The mean of `n` steps, of which `step` is the last. */
export type Point<K extends string> = { readonly step: number; readonly n: number } & { readonly [k in K]: number };

export type Curve<K extends string> = {
  readonly keys: readonly K[];
  /** How many steps fall into one point. */
  readonly stride: number;
  /** By step. */
  readonly points: readonly Point<K>[];
};

/** A chart has fewer columns. */
export const MOST = 2048;

export const curve = <K extends string>(keys: readonly K[]): Curve<K> => ({ keys, stride: 1, points: [] });

/** With more steps, in their order; one that is there already is replaced. */
export function add<K extends string>(to: Curve<K>, more: readonly Point<K>[]): Curve<K> {
  if (more.length === 0) return to;
  let { stride } = to;
  let points = [...to.points];
  for (const point of more) {
    put(points, point, stride, to.keys);
    while (points.length > MOST) {
      stride *= 2;
      const wider: Point<K>[] = [];
      for (const narrow of points) put(wider, narrow, stride, to.keys);
      points = wider;
    }
  }
  return { keys: to.keys, stride, points };
}

/** Without what was said of steps after `step`. A stretch that reaches beyond goes whole: its share is not known. */
export function until<K extends string>(of: Curve<K>, step: number): Curve<K> {
  return { ...of, points: of.points.filter((point) => point.step <= step) };
}

function put<K extends string>(points: Point<K>[], point: Point<K>, stride: number, keys: readonly K[]): void {
  const last = points.at(-1);
  const place = (step: number) => Math.floor((step - 1) / stride);
  if (!last || place(last.step) < place(point.step)) points.push(point);
  else if (last.step === point.step) points[points.length - 1] = point;
  else if (last.step < point.step) points[points.length - 1] = mean(last, point, keys);
}

function mean<K extends string>(a: Point<K>, b: Point<K>, keys: readonly K[]): Point<K> {
  const n = a.n + b.n;
  const of = (key: K): number => {
    // A value that is no number says nothing; the other stands alone.
    if (!Number.isFinite(a[key])) return b[key];
    return Number.isFinite(b[key]) ? (a[key] * a.n + b[key] * b.n) / n : a[key];
  };
  return { ...Object.fromEntries(keys.map((key) => [key, of(key)])), step: b.step, n } as Point<K>;
}

/** The point nearest to a step; null where there is none. */
export function near<P extends { readonly step: number }>(points: readonly P[], step: number): P | null {
  let [low, high] = [0, points.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle]!.step < step) low = middle + 1;
    else high = middle;
  }
  const [before, after] = [points[low - 1], points[low]];
  if (!before || !after) return before ?? after ?? null;
  return step - before.step < after.step - step ? before : after;
}

/**
 * `s_i = (w·s_{i-1} + y_i) / (w·n_{i-1} + 1)`, the mean that the charts draw, one value for each point; a stretch of n
 * steps counts as n equal ones.
 */
export function smoothed(points: readonly { readonly loss: number; readonly n: number }[], weight: number): number[] {
  let [sum, mass] = [0, 0];
  return points.map(({ loss, n }) => {
    if (!Number.isFinite(loss)) return mass === 0 ? NaN : sum / mass;
    const fade = weight ** n;
    const share = weight === 0 ? 1 : (1 - fade) / (1 - weight);
    sum = fade * sum + loss * share;
    mass = fade * mass + share;
    return sum / mass;
  });
}
