import type { Asked, Backend } from "../backend";
import { asApiError } from "./errors";

type Value = Asked[keyof Asked];
export type Wrong = { typed: string; why: string };

/** As a knob's value is written in options and fields. */
export function written(value: Value): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value === "boolean") return value ? "on" : "off";
  return typeof value === "object" ? (Array.isArray(value) ? value : value.named).join(",") : String(value);
}

/** The knobs set by hand. What was typed and refused stays in its field, with the reason. */
export class KnobForm {
  asked = $state.raw<Asked>({});
  wrong = $state.raw<Readonly<Record<string, Wrong>>>({});
  private readonly turns = new Map<string, number>();
  private pending: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly backend: Backend,
    asked: Asked,
  ) {
    this.asked = asked;
  }

  value(key: string): string | null {
    return this.wrong[key]?.typed ?? written(this.asked[key as keyof Asked]);
  }

  isSet(key: string): boolean {
    return this.value(key) !== null;
  }

  /** Nothing typed: the plan decides again. */
  set(key: string, typed: string): Promise<void> {
    if (typed.trim() === "") {
      this.reset([key]);
      return Promise.resolve();
    }
    const turn = (this.turns.get(key) ?? 0) + 1;
    this.turns.set(key, turn);
    const work = this.take(key, typed, turn);
    this.pending = Promise.all([this.pending, work]);
    return work;
  }

  reset(keys: readonly string[]): void {
    for (const key of keys) this.turns.set(key, (this.turns.get(key) ?? 0) + 1);
    const others = ([key]: [string, unknown]) => !keys.includes(key);
    this.asked = Object.fromEntries(Object.entries(this.asked).filter(others));
    this.wrong = Object.fromEntries(Object.entries(this.wrong).filter(others));
  }

  /** Once everything that was typed is taken or refused. */
  async settled(): Promise<void> {
    await this.pending;
  }

  private async take(key: string, typed: string, turn: number): Promise<void> {
    const { [key]: _, ...others } = this.wrong;
    try {
      const asked = await this.backend.setKnob(this.asked, key, typed);
      if (this.turns.get(key) !== turn) return;
      this.asked = { ...this.asked, [key]: asked[key as keyof Asked] };
      this.wrong = others;
    } catch (e) {
      if (this.turns.get(key) !== turn) return;
      this.wrong = { ...others, [key]: { typed, why: asApiError(e).message } };
    }
  }
}
