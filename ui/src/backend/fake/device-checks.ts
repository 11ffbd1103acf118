// What checks of the devices came to: ?checks=never|right|wrong|crash|alone says how they stand, and what checking finds;
// never finds that all are right, alone that none is. ?check=slow waits at the first adapter until it is cancelled,
// ?check=busy refuses.

import type { CheckedDevice, CheckUp, DeviceCheck, DeviceInfo, Verdict } from "..";
import { type Piece, refusal, type Scene, wait } from "./scene";

const RATE = { cpu: 412, integrated_gpu: 1380, discrete_gpu: 11_200, virtual_gpu: 90, software_gpu: 12 };
const HOUR = 3_600_000;

const right = (device: DeviceInfo): Verdict => ({
  kind: "right",
  n_compared: 56,
  furthest: device.kind === "cpu" ? 6.1e-7 : 4.2e-5,
  tokens_per_sec: RATE[device.kind],
  flops_per_sec: RATE[device.kind] * 6.7e7,
  ...(device.has_f16 && { in_half: { kind: "right", furthest: 1.2e-3 } as const }),
});
const WRONG: Verdict = { kind: "wrong", what: "a gradient is 0.000000 where it should be 0.027212" };
const CRASHED: Verdict = {
  kind: "broken",
  what: "The driver ended the process: it crashed in a kernel or in the graphics driver",
};

function found(how: string, device: DeviceInfo): Verdict {
  if (how === "alone") return device.kind === "cpu" ? CRASHED : WRONG;
  if (device.kind === "cpu") return right(device);
  return how === "wrong" ? WRONG : how === "crash" ? CRASHED : right(device);
}

const how = (scene: Scene) => scene.query.get("checks") ?? (scene.name === "long" ? "wrong" : "right");

/** As they stand when the page opens. */
export function checkOf(scene: Scene, device: DeviceInfo): DeviceCheck | null {
  if (how(scene) === "never") return null;
  return { verdict: found(how(scene), device), at_ms: Date.now() - 3 * HOUR };
}

const speed = (one: CheckedDevice) => (one.check?.verdict.kind === "right" ? one.check.verdict.tokens_per_sec : 0);

function advice(devices: CheckedDevice[]): CheckUp {
  const byKind = devices.find((one) => one.device.kind !== "cpu") ?? devices[0];
  if (!byKind || devices.some((one) => one.check === null))
    return {
      devices,
      recommended: byKind?.device.choice ?? null,
      because: `Nothing has been checked yet. Until then runs go to ${byKind?.device.name}, going by what sort it is.`,
    };
  const [first, second] = devices.filter((one) => speed(one) > 0).toSorted((a, b) => speed(b) - speed(a));
  if (!first)
    return {
      devices,
      recommended: null,
      because: "No device here computes rightly. Update the graphics driver, then check again.",
    };
  const { name, choice } = first.device;
  const times = second ? (speed(first) / speed(second)).toFixed(1) : "";
  const because = second
    ? `Use ${name}: it computes rightly and is ${times} times as quick as ${second.device.name}.`
    : `Use ${name}: it ${devices.length > 1 ? "is the only device here that " : ""}computes rightly.`;
  return { devices, recommended: choice, because };
}

export function deviceChecks(scene: Scene, devices: () => Promise<DeviceInfo[]>): Piece {
  const known = new Map<string, DeviceCheck | null>();
  const stands = (device: DeviceInfo) => known.get(device.name) ?? checkOf(scene, device);
  const all = async () => advice((await devices()).map((device) => ({ device, check: stands(device) })));

  return {
    checkUp: all,
    async checkDevices(watched) {
      if (scene.query.get("check") === "busy")
        throw refusal(
          "busy",
          "Something trains, and a check beside it measures neither",
          "Pause the run, or check when it is over.",
        );
      const here = await devices();
      for (const [done, device] of here.entries()) {
        const doing = `Checking ${device.name}`;
        watched?.onProgress?.({ doing, done, total: here.length, unit: "pieces", secs_left: null });
        const waits = scene.query.get("check") === "slow" && device.kind !== "cpu";
        await wait(waits ? 600_000 : 300, watched?.signal);
        known.set(device.name, { verdict: found(how(scene), device), at_ms: Date.now() });
      }
      return all();
    },
  };
}
