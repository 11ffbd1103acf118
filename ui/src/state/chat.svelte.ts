// A conversation with a model in memory, by one voice or two. It outlives its page; the model does not, unless it is
// still answering.

import type { ApiError, Backend, ChatOpened, ChatPrompt, ChatTarget, Message, Voice } from "../backend";
import { answersWithHead } from "../words/task";
import { Answer } from "./answer.svelte";
import { asApiError } from "./errors";
import { anySeed, type How, searchOf, usual } from "./sampling";
import type { Task, Tasks } from "./tasks.svelte";
import { Turn } from "./turn.svelte";

/** A prompt that the run was looked at by, and what the data answers. */
export type Suggestion = { prompt: string; expected: string | null };

export type Stage =
  | { kind: "choosing" }
  | { kind: "opening"; task: Task | null }
  | { kind: "trouble"; error: ApiError }
  | { kind: "open"; opened: ChatOpened };

const same = (one: ChatTarget | null, other: ChatTarget): boolean => one?.kind === other.kind && one.id === other.id;

export class Chat {
  target = $state.raw<ChatTarget | null>(null);
  stage = $state.raw<Stage>({ kind: "choosing" });
  turns = $state.raw<readonly Turn[]>([]);
  suggestions = $state.raw<readonly Suggestion[]>([]);
  /** What stands before the conversation; empty: nothing. */
  system = $state("");
  how = $state.raw<How>(usual("write"));
  /** What is being typed. */
  draft = $state("");
  /** That differences between the two are marked. */
  marked = $state(false);

  /** What `how` began with: as long as nobody touched it, it follows the kind of model. */
  private begun = this.how;
  private births = 0;
  private attempt = 0;
  private visits = 0;
  private away = true;
  /** Letting go of one model ends before the next is read. */
  private closing: Promise<void> = Promise.resolve();

  constructor(
    private readonly backend: Backend,
    private readonly tasks: Tasks,
  ) {}

  get voices(): readonly Voice[] {
    return this.stage.kind === "open" && this.stage.opened.tuned ? ["base", "tuned"] : ["base"];
  }

  get busy(): boolean {
    return this.turns.some((turn) => turn.busy);
  }

  /** The page is there, for `target` or for what was talked to last, called `name`; what is returned says that it went. */
  visit(target: ChatTarget | undefined, name: (target: ChatTarget) => string): () => void {
    const visit = ++this.visits;
    this.away = false;
    const next = target ?? this.target;
    if (next && !(this.stage.kind === "open" && same(this.target, next))) void this.open(next, name(next));
    return () => {
      if (visit !== this.visits) return; // the page is there again
      this.away = true;
      if (!this.busy) this.letGo();
    };
  }

  /** Reads the model; a conversation with another one ends. */
  async open(target: ChatTarget, name: string): Promise<void> {
    const attempt = ++this.attempt;
    this.cancelOpening();
    if (!same(this.target, target)) {
      this.clear();
      this.suggestions = [];
      this.draft = "";
    }
    this.target = target;
    this.stage = { kind: "opening", task: null };
    try {
      await this.closing;
      const opened = await this.tasks.run(
        `Opening ${name}`,
        (watched) => this.backend.openChat(target, watched),
        (task) => attempt === this.attempt && (this.stage = { kind: "opening", task }),
      );
      if (attempt === this.attempt) this.arrive(target, opened);
      else if (opened && this.away) await this.backend.closeChat(); // nobody waits for it any more
    } catch (e) {
      if (attempt === this.attempt) this.stage = { kind: "trouble", error: asApiError(e) };
    }
  }

  /** Back to the choice of models. */
  choose(): void {
    this.clear();
    this.letGo();
    this.target = null;
    this.draft = "";
  }

  /** Asks all voices at once; the machine answers them together or one after the other. */
  ask(question: string, expected: string | null = null): void {
    if (this.stage.kind !== "open" || this.busy || question.trim() === "") return;
    const turn = new Turn(this.births++, question, expected);
    const seed = this.how.seed ?? anySeed(); // the same for both: what differs is the model
    this.turns = [...this.turns, turn];
    for (const voice of this.voices) void this.answer(turn, voice, seed);
  }

  /** Asks one voice the newest question again. */
  again(turn: Turn, voice: Voice): void {
    if (this.stage.kind !== "open" || turn !== this.turns.at(-1) || turn.answers[voice]?.busy) return;
    void this.answer(turn, voice, this.how.seed ?? anySeed());
  }

  stop(): void {
    for (const turn of this.turns) for (const answer of Object.values(turn.answers)) answer.stop();
  }

  /** Empties the conversation; what is returned brings it back. */
  clear(): () => void {
    const [before, target] = [this.turns, this.target];
    this.stop();
    this.turns = [];
    return () => {
      if (target && same(this.target, target)) this.turns = [...before, ...this.turns];
    };
  }

  private arrive(target: ChatTarget, opened: ChatOpened | null): void {
    if (opened) {
      this.stage = { kind: "open", opened };
      const how = usual(opened.task.kind);
      if (this.how === this.begun) this.how = this.begun = how;
      if (target.kind === "run" && !answersWithHead(opened.task.kind)) void this.suggest(target);
    } else {
      this.stage = { kind: "choosing" };
      this.target = null;
    }
  }

  private async answer(turn: Turn, voice: Voice, seed: number): Promise<void> {
    const answer = new Answer(voice, searchOf(this.how, seed));
    const prompt = this.prompt(turn, voice);
    turn.answers = { ...turn.answers, [voice]: answer };
    await answer.write(this.backend, prompt, this.how.max_tokens);
    if (this.away && !this.busy) this.letGo();
  }

  /** What a voice is given: the conversation as it had it, or the text alone where the model has no template. */
  private prompt(last: Turn, voice: Voice): ChatPrompt {
    if (this.stage.kind === "open" && !this.stage.opened.chats) return { kind: "text", text: last.question };
    const messages: Message[] = this.system.trim() === "" ? [] : [{ role: "system", content: this.system }];
    for (const turn of this.turns) {
      const said = turn.answers[voice]?.text ?? "";
      if (turn === last) messages.push({ role: "user", content: turn.question });
      else if (said !== "")
        messages.push({ role: "user", content: turn.question }, { role: "assistant", content: said });
    }
    return { kind: "chat", messages };
  }

  private async suggest(target: ChatTarget): Promise<void> {
    const view = await this.backend.openRun(target.id).catch(() => null); // beside the point: the chat goes without
    const samples = view?.detail.sampled.at(-1)?.samples ?? [];
    if (same(this.target, target)) this.suggestions = samples.map(({ prompt, expected }) => ({ prompt, expected }));
  }

  private cancelOpening(): void {
    if (this.stage.kind === "opening") this.stage.task?.cancel();
  }

  private letGo(): void {
    this.attempt += 1;
    this.cancelOpening();
    if (this.stage.kind === "open") this.closing = this.backend.closeChat().catch(() => {});
    this.stage = { kind: "choosing" };
  }
}

const chats = new WeakMap<Backend, Chat>();

/** The one chat of the window. */
export function chatOf(app: { backend: Backend; tasks: Tasks }): Chat {
  const chat = chats.get(app.backend) ?? new Chat(app.backend, app.tasks);
  chats.set(app.backend, chat);
  return chat;
}
