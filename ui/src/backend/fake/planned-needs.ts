// What a run of the fake needs: memory and time, and the refusal of what cannot fit.

import type { ApiError, Decided, DeviceInfo, Fit, Range, RunSpec } from "..";
import { count } from "../../words";
import { refusal } from "./scene";

export const LADDER = [64, 128, 192, 256, 320, 384, 512, 640, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192];
const FLOPS: Record<DeviceInfo["kind"], number> = {
  cpu: 2.8e11,
  discrete_gpu: 4e12,
  integrated_gpu: 5e11,
  virtual_gpu: 1e12,
  software_gpu: 1e10,
};

/** Parameters, layers, hidden, intermediate; by the size in its name. */
function shape(model: string): [number, number, number, number] {
  if (/1\.7B/i.test(model)) return [1.711e9, 24, 2048, 8192];
  if (/3B/i.test(model)) return [3.213e9, 28, 3072, 8192];
  if (/1(\.\d)?B/i.test(model)) return [1.1e9, 22, 2048, 5632];
  return /360M/i.test(model) ? [3.62e8, 32, 960, 2560] : [1.35e8, 30, 576, 1536];
}

export function memory(spec: RunSpec, rank: number, batch: number, tokens: number): Range {
  const [parameters, layers, hidden, inner] = shape(spec.model);
  const adapter = 16 * rank * layers * 9 * hidden;
  const activations = 4 * batch * layers * tokens * (11 * hidden + 5 * inner);
  const total = 4 * parameters + adapter + activations + 3 * 4 * Math.min(256, tokens) * 49_152 + 1.5e8;
  return { low: 0.85 * total, high: 1.25 * total };
}

export function fit(needs: Range, available: number | null): Fit {
  if (available === null) return { kind: "tight", why: "How much memory it has is not known." };
  if (needs.low > available) return { kind: "too_large", why: "It needs more than there is." };
  if (needs.high > available) return { kind: "tight", why: "At its peak it may need more than there is." };
  return { kind: "good", why: "There is room to spare." };
}

export function tooLarge(spec: RunSpec, knobs: Decided, device: DeviceInfo, needs: Range): ApiError {
  const [batch, tokens] = [knobs.batch_size.value, knobs.context_length.value];
  const fits = (rows: number, length: number) =>
    memory(spec, knobs.rank.value, rows, length).high <= (device.memory ?? 0);
  const smaller = Array.from({ length: 10 }, (_, i) => batch >> (i + 1)).find((rows) => rows > 0 && fits(rows, tokens));
  const shorter = LADDER.findLast((length) => length < tokens && fits(1, length));
  const gb = (n: number) => `${(n / 1e9).toFixed(1)} GB`;
  const batchTo = smaller ?? 1;
  const remedies = [
    ...(batchTo < batch ? [`batch size ${batchTo} instead of ${count(batch)}`] : []),
    ...(smaller === undefined && shorter ? [`context length ${count(shorter)} instead of ${count(tokens)}`] : []),
  ];
  const can = smaller !== undefined || shorter !== undefined;
  return refusal(
    "out_of_memory",
    `This run needs at least ${gb(needs.low)}, and ${device.name} has ${gb(device.memory ?? 0)} free.`,
    can ? `It fits with ${remedies.join(" and ")}.` : "Choose a smaller model, or close other programs.",
  );
}

/** Wall time of so many tokens. */
export function secs(spec: RunSpec, device: DeviceInfo, tokens: number): Range {
  const speed = FLOPS[device.kind] / (4 * shape(spec.model)[0]);
  return { low: (0.85 * tokens) / speed + 2, high: (1.3 * tokens) / speed + 20 };
}
