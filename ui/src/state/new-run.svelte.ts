import { untrack } from "svelte";

import type { ApiError, PlannedKnob, RunSpec, Supervise } from "../backend";
import { effortLabel, STEPS, stepTitle, type StepId } from "../words/plan";
import type { App } from "./app.svelte";
import { cautions } from "./cautions";
import { Choices } from "./choices.svelte";
import { asApiError } from "./errors";
import { Examples } from "./examples.svelte";
import { type Outlook, Outlooks } from "./outlooks.svelte";
import { concern, remedies, type Remedy } from "./plan-trouble";
import { Planning } from "./planning.svelte";
import type { Place } from "./router.svelte";
import type { Task } from "./tasks.svelte";

/** A run before it starts: what was chosen in each step, what follows from it, and what still stands in its way. */
export class NewRun extends Choices {
  readonly planning: Planning;
  readonly outlooks: Outlooks;
  readonly examples: Examples;

  /** The knobs are laid open. */
  everyKnob = $state(false);
  starting = $state.raw<Task | null>(null);
  /** Why it could not be started. */
  refused = $state.raw<ApiError | null>(null);
  /** How often the person went to another step. */
  moves = $state(0);
  private opened = $state<StepId | null>(null);
  /** The person has come by "How", or came with everything given. */
  private sawHow: boolean;

  constructor(app: App, given: Partial<RunSpec>) {
    super(app, given);
    this.planning = new Planning(app.backend);
    this.outlooks = new Outlooks(app.backend);
    this.examples = new Examples(app.backend);
    this.sawHow = given.model !== undefined && given.data !== undefined;
    $effect(() => this.plan());
    $effect(() => this.look());
    $effect(() => this.compare());
    $effect(() => () => [this.planning, this.outlooks, this.examples].forEach((one) => one.close()));
  }

  // ---- which step is open ------------------------------------------------------------------------------------------
  /** Null while it is not known what is on this computer. */
  readonly open: StepId | null = $derived.by(() => {
    if (this.opened && (this.opened !== "review" || this.spec)) return this.opened;
    if (this.spec) return "review";
    if (this.models.here === null && this.models.trouble === null) return null;
    if (!this.hasModel) return "model";
    return this.datasets.value === null && this.datasets.trouble === null ? null : this.hasData ? "review" : "data";
  });

  show(step: StepId): void {
    this.opened = step;
    this.moves += 1;
    if (step === "how") this.sawHow = true;
  }

  private next(): void {
    if (!this.hasModel) this.show("model");
    else if (!this.hasData) this.show("data");
    else this.show(this.sawHow ? "review" : "how");
  }

  pickModel(id: string): void {
    if (id !== this.model) this.outlooks.forget();
    this.model = id;
    this.next();
  }

  pickData(id: string): void {
    if (id !== this.data) this.outlooks.forget();
    if (id !== this.data) this.task = null;
    this.data = id;
    this.version = null;
    this.next();
  }

  /** Downloads it, and takes it unless another was taken meanwhile. */
  async download(id: string, name?: string): Promise<void> {
    await this.models.downloads.begin(id, name);
    const there = this.models.here?.some((model) => model.id === id && !model.trouble);
    if (there && (this.model === null || this.model === id)) this.pickModel(id);
  }

  /** The sample that comes along: imported once, then like any other data. */
  async useSample(): Promise<void> {
    await this.app.attempt(async () => {
      const { id } = await this.app.backend.importSample();
      await this.datasets.again();
      this.pickData(id);
    });
  }

  async chooseFiles(): Promise<void> {
    await this.app.attempt(async () => {
      const paths = await this.app.backend.chooseData();
      if (paths.length > 0) this.leave({ view: "import", paths });
    });
  }

  /** Goes elsewhere, so that coming back finds everything as it was. */
  leave(place: Place): void {
    this.app.router.replace({ view: "new", spec: this.answered });
    this.app.router.go(place);
  }

  // ---- the plan ----------------------------------------------------------------------------------------------------
  private plan(): void {
    const { spec } = this;
    if (spec) untrack(() => this.planning.ask(spec));
  }

  private look(): void {
    const planned = this.planning.planned;
    if (!planned || this.data === null || this.model === null || this.planning.asking) return;
    const { knobs, data_version: version } = planned.plan;
    const look = {
      data: this.data,
      version,
      model: this.model,
      supervise: knobs.supervise.value,
      context: knobs.context_length.value,
      total: this.counts?.train ?? 1,
    };
    untrack(() => this.examples.show(look));
  }

  private compare(): void {
    const { planned, trouble, asking } = this.planning;
    const { open, spec } = this;
    if (open !== "how" || !spec || asking) return;
    const known: Outlook | null = trouble
      ? { kind: "refused", error: trouble }
      : planned && { kind: "planned", planned };
    untrack(() => this.outlooks.ask(spec, known));
  }

  /** A knob's planned value and its reason. */
  planned(key: string): PlannedKnob | null {
    return this.planning.planned?.knobs.find((knob) => knob.key === key) ?? null;
  }

  readonly supervise: Supervise = $derived.by(
    () => this.form.asked.supervise ?? this.planning.planned?.plan.knobs.supervise.value ?? "replies",
  );

  readonly cautions = $derived.by(() => {
    const planned = this.planned("context_length");
    if (!planned) return [];
    // What the plan could not fit into memory is not suggested again.
    const full = !planned.asked && /memory/.test(planned.because);
    const context = Number(planned.value);
    return cautions(this.examples.lengths, context, full ? context : (this.modelRow?.context ?? null));
  });

  // ---- what stands in the way --------------------------------------------------------------------------------------
  private readonly question = $derived.by(() => ({
    model: this.modelRow,
    trains: this.counts?.train ?? null,
    supervise: this.supervise as string,
    knobs: this.knobs.value?.map((knob) => knob.key) ?? [],
    devices: this.devices.value ?? [],
  }));

  /** The refusal of the plan, at the step where something has to change. */
  readonly trouble: { step: StepId; error: ApiError; remedies: Remedy[] } | null = $derived.by(() => {
    const error = this.spec && this.planning.trouble;
    return error ? { step: concern(error, this.question), error, remedies: remedies(error, this.question) } : null;
  });

  /** Why it cannot start yet; null when it can. */
  readonly notYet: string | null = $derived.by(() => {
    if (!this.spec) return this.hasModel ? "Choose the data first." : "Choose a model first.";
    const wrong = Object.keys(this.form.wrong)[0];
    const label = this.knobs.value?.find((knob) => knob.key === wrong)?.label ?? wrong;
    if (wrong) return `${label}: what was typed does not fit.`;
    if (this.planning.asking && !this.planning.holds) return "Working out the plan.";
    if (this.planning.stopped) return "Planning was stopped, so nothing is known of memory and time.";
    const step = this.trouble?.step;
    if (step) return `Step ${STEPS.indexOf(step) + 1}, ${stepTitle(step)}, says what has to change.`;
    return this.planning.planned ? null : "Working out the plan.";
  });

  async remedy(remedy: Remedy): Promise<void> {
    switch (remedy.kind) {
      case "knobs":
        for (const [key, value] of remedy.set) await this.form.set(key, value);
        return;
      case "device":
        this.device = remedy.device;
        return;
      case "step":
        this.everyKnob ||= remedy.step === "how";
        return this.show(remedy.step);
      case "data":
        return this.leave({ view: "data", ...(this.data === null ? {} : { id: this.data }) });
      case "again":
        return this.planning.again();
      default:
        remedy satisfies never;
    }
  }

  /** Starts it, and goes where it can be watched. */
  async start(): Promise<void> {
    await this.form.settled();
    if (this.starting || this.notYet || !this.spec) return;
    const { backend, router, tasks, toasts } = this.app;
    const [spec, here] = [this.spec, router.place];
    this.refused = null;
    try {
      const name = spec.name ?? this.planning.planned?.name ?? effortLabel(spec.effort);
      const id = await tasks.run(
        `Starting “${name}”`,
        (watched) => backend.startRun(spec, watched),
        (task) => (this.starting = task),
      );
      if (id === null) return;
      if (router.place === here) router.replace({ view: "run", id });
      else toasts.say(`“${name}” has started.`, { label: "Show it", run: () => router.go({ view: "run", id }) });
    } catch (e) {
      this.refused = asApiError(e);
    } finally {
      this.starting = null;
    }
  }
}
