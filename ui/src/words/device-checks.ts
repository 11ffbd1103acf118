// Words of the check of this computer.

import type { CheckedDevice, DeviceCheck, InHalf, Verdict } from "../backend";
import { count } from "../words";

/** How sure one may be of a device: what it is, in a word or two, and what that rests on. */
export type Standing = { state: Verdict["kind"] | "unknown"; word: string; more: string };

export function standing(check: DeviceCheck | null): Standing {
  if (check === null)
    return {
      state: "unknown",
      word: "Not checked yet",
      more: "Each run tries it on a small model first; a check finds out before, and how quick it is.",
    };
  const { verdict } = check;
  switch (verdict.kind) {
    case "right":
      return {
        state: "right",
        word: "Computes rightly",
        more: `${count(verdict.n_compared)} figures compared, off by ${off(verdict.furthest)} at most. Trains ${pace(verdict.tokens_per_sec)}.${inHalf(verdict.in_half ?? null)}`,
      };
    case "wrong":
      return { state: "wrong", word: "Computes wrongly", more: `${sentence(verdict.what)} Nothing is trained on it.` };
    case "broken":
      return {
        state: "broken",
        word: "Failed the check",
        more: `${sentence(verdict.what)} Nothing is trained on it.`,
      };
    default:
      return verdict satisfies never;
  }
}

/** What a run should know of a device beside its sort; nothing where all is well, nor of the processor before a check. */
export function doubt({ device, check }: CheckedDevice): string | null {
  if (check === null) return device.kind === "cpu" ? null : "not checked yet";
  switch (check.verdict.kind) {
    case "right":
      return null;
    case "wrong":
      return "computes wrongly";
    case "broken":
      return "failed its check";
    default:
      return check.verdict satisfies never;
  }
}

/** What came of products in 16 bits, where the device has them. */
function inHalf(found: InHalf | null): string {
  if (found === null) return "";
  switch (found.kind) {
    case "right":
      return ` In 16 bits (fp16) it is off by ${off(found.furthest)} at most.`;
    case "wrong":
      return ` It does not compute rightly in 16 bits (fp16): ${found.what}.`;
    default:
      return found satisfies never;
  }
}

/** Of a share of one: `0.004 %`; no more digits than mean something. */
function off(share: number): string {
  const percent = Number((share * 100).toPrecision(1));
  return percent < 0.0001 ? "less than 0.0001 %" : `${percent} %`;
}

/** `1,380 tokens a second`, of the model that checks use. */
const pace = (tokens: number): string =>
  `${count(tokens < 100 ? Number(tokens.toPrecision(2)) : Math.round(tokens))} tokens a second on a test model`;

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}
