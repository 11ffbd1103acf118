// A loss chart as crate charts draws it, simpler: the same fields, the same colours.

import type { ChartPicture, ChartRequest } from "..";
import type { History } from "./run-history";

const COLOURS = {
  light: {
    surface: "#ffffff",
    line: "#e6e2da",
    muted: "#6b665e",
    accent: "#93650f",
    data: ["#2b69b0", "#c05a16", "#1a8465", "#a8457d", "#3391ba", "#8f7200", "#6755b3", "#6b665e"],
  },
  dark: {
    surface: "#1b1a18",
    line: "#35322d",
    muted: "#a39c91",
    accent: "#ddaa4a",
    data: ["#6ca6e8", "#f0924f", "#4cc2a0", "#de86b8", "#79c9ea", "#d9bc3f", "#a897ec", "#b3aba0"],
  },
};
type Drawn = { name: string; step: number; history: History };
type At = readonly [step: number, loss: number];

const escaped = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");

function training({ step, history }: Drawn): At[] {
  const every = Math.max(1, Math.ceil(step / 700));
  return Array.from(
    { length: Math.floor(step / every) },
    (_, i) => [(i + 1) * every, history.loss((i + 1) * every)] as const,
  );
}

function validation({ step, history }: Drawn): At[] {
  const looks = step === 0 ? 0 : Math.floor(step / history.every) + 1;
  return Array.from({ length: looks }, (_, i) => [i * history.every, history.validation(i * history.every)] as const);
}

function smooth(points: readonly At[], weight: number): At[] {
  let [sum, mass] = [0, 0];
  return points.map(([step, loss]) => {
    [sum, mass] = [weight * sum + loss, weight * mass + 1];
    return [step, sum / mass] as const;
  });
}

/** About `n` round numbers between the two. */
function ticks(low: number, high: number, n: number): number[] {
  const rough = (high - low) / n;
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((m) => m * size >= rough * 0.999) ?? 10) * size;
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step);
}

export function drawn(request: ChartRequest, runs: readonly Drawn[]): ChartPicture {
  const { width: w, height: h, scale, theme, smoothing } = request;
  const colours = COLOURS[theme];
  const rect = { left: 56, top: 14, width: Math.max(8, w - 56 - (w < 360 ? 14 : 118)), height: Math.max(4, h - 56) };
  const series = runs.map((run) => ({ ...run, train: training(run), looks: validation(run) }));
  const all = series.flatMap(({ train, looks }) => [...train, ...looks]);
  const last = Math.max(1, ...all.map(([step]) => step));
  const seen = all.map(([, loss]) => loss);
  const [low, high] = seen.length
    ? [Math.min(...seen) * 0.96, Math.max(...seen) * 1.02]
    : scale === "log"
      ? [0.1, 1]
      : [0, 1];
  const up = (loss: number) => (scale === "log" ? Math.log(loss) : loss);
  const x = (step: number) => rect.left + (step / last) * rect.width;
  const y = (loss: number) => rect.top + (1 - (up(loss) - up(low)) / (up(high) - up(low))) * rect.height;
  const line = (points: readonly At[], colour: string | undefined, width: number, opacity = 1) =>
    `<polyline points="${points.map(([s, l]) => `${x(s).toFixed(1)},${y(l).toFixed(1)}`).join(" ")}" fill="none" stroke="${colour}" stroke-width="${width}" opacity="${opacity}"/>`;
  const word = (text: string, at: [number, number], anchor: string, colour: string | undefined) =>
    `<text x="${at[0]}" y="${at[1]}" font-size="12" font-family="Inter Variable, sans-serif" text-anchor="${anchor}" fill="${colour}">${escaped(text)}</text>`;

  const bottom = rect.top + rect.height;
  const parts = [`<rect width="${w}" height="${h}" fill="${colours.surface}"/>`];
  for (const tick of ticks(low, high, rect.height / 56)) {
    parts.push(
      line(
        [
          [0, tick],
          [last, tick],
        ],
        colours.line,
        1,
      ),
      word(tick.toFixed(1), [rect.left - 8, y(tick) + 4], "end", colours.muted),
    );
  }
  for (const tick of ticks(0, last, rect.width / 110)) {
    if (Number.isInteger(tick))
      parts.push(word(tick.toLocaleString("en"), [x(tick), bottom + 18], "middle", colours.muted));
  }
  parts.push(word("step", [rect.left + rect.width, bottom + 36], "end", colours.muted));
  if (all.length === 0)
    parts.push(
      word(
        "No loss yet: the first comes with the first step.",
        [rect.left + rect.width / 2, h / 2],
        "middle",
        colours.muted,
      ),
    );
  series.forEach(({ name, train, looks }, i) => {
    const one = series.length === 1;
    const [first, second] = one ? [colours.data[0], colours.data[1]] : [colours.data[i % 8], colours.data[i % 8]];
    const soft = smooth(train, smoothing);
    parts.push(line(train, first, 1, smoothing > 0 ? 0.3 : 1));
    if (smoothing > 0) parts.push(line(soft, first, 2, one ? 1 : 0.35));
    parts.push(
      line(looks, second, 2),
      ...looks.map(([s, l]) => `<circle cx="${x(s)}" cy="${y(l)}" r="3" fill="${second}"/>`),
    );
    const best = looks.slice(1).reduce<At | null>((low, at) => (low && low[1] <= at[1] ? low : at), null);
    if (one && best) {
      parts.push(
        `<circle cx="${x(best[0])}" cy="${y(best[1])}" r="6" fill="none" stroke="${colours.accent}" stroke-width="2"/>`,
      );
      // Where the lines come from above there is room over them.
      const above = Math.max(rect.top + 12, y((looks[looks.indexOf(best) - 1] ?? best)[1]) - 24);
      parts.push(word(`best ${best[1].toPrecision(3)}`, [x(best[0]) - 6, above], "end", colours.accent));
    }
    const [end, look] = [soft.at(-1), looks.at(-1)];
    const right = rect.left + rect.width + 8;
    if (one && end) parts.push(word(`training ${end[1].toPrecision(3)}`, [right, y(end[1]) + 10], "start", first));
    if (look)
      parts.push(
        word(
          one ? `validation ${look[1].toPrecision(3)}` : name.slice(0, 18),
          [right, y(look[1]) - 4],
          "start",
          second,
        ),
      );
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}" role="img" aria-label="Training and validation loss" style="font-variant-numeric:tabular-nums">${parts.join("")}</svg>`;
  return { svg, ...rect, steps: [0, last], losses: [low, high], scale };
}
