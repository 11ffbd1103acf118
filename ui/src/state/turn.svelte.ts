import type { Voice } from "../backend";
import type { Answer } from "./answer.svelte";
import { difference, type Stretch } from "./difference";

/** One question, and what each voice answers. */
export class Turn {
  answers = $state.raw<Partial<Record<Voice, Answer>>>({});

  /** `expected`: what the data answers, where the question is from there. */
  constructor(
    readonly id: number,
    readonly question: string,
    readonly expected: string | null,
  ) {}

  get busy(): boolean {
    return Object.values(this.answers).some((answer) => answer.busy);
  }

  /** Where the two answers differ, once both are there; null if there is nothing to compare, or too much. */
  differences: Record<Voice, Stretch[]> | null = $derived.by(() => {
    const { base, tuned } = this.answers;
    if (!base?.text || !tuned?.text || this.busy) return null;
    const found = difference(base.text, tuned.text);
    return found && { base: found[0], tuned: found[1] };
  });
}
