import { untrack } from "svelte";

import type {
  ApiError, DatasetSummary, DeviceChoice, DeviceInfo, Effort, Knob, LocalModel, PlannedKnob, RunSpec, Supervise,
} from "../backend";
import { effortLabel, STEPS, stepTitle, type StepId } from "../words/plan";
import type { App } from "./app.svelte";
import { cautions } from "./cautions";
import { asApiError } from "./errors";
import { Examples } from "./examples.svelte";
import { KnobForm } from "./knob-form.svelte";
import { Loaded } from "./loaded.svelte";
import { type Models, modelsOf } from "./models.svelte";
import { type Outlook, Outlooks } from "./outlooks.svelte";
import { concern, remedies, type Remedy } from "./plan-trouble";
import { Planning } from "./planning.svelte";
import type { Place } from "./router.svelte";
import type { Task } from "./tasks.svelte";

/** A run before it starts: what was chosen in each step, what follows from it, and what still stands in its way. */
export class NewRun {
  readonly models: Models;
  readonly datasets: Loaded<DatasetSummary[]>;
  readonly knobs: Loaded<Knob[]>;
  readonly devices: Loaded<DeviceInfo[]>;
  readonly form: KnobForm;
  readonly planning: Planning;
  readonly outlooks: Outlooks;
  readonly examples: Examples;

  model = $state<string | null>(null);
  data = $state<string | null>(null);
  effort = $state<Effort | null>(null);
  device = $state.raw<DeviceChoice | null>(null);
  /** As typed; empty: the plan's. */
  name = $state("");
  /** The knobs are laid open. */
  everyKnob = $state(false);
  starting = $state.raw<Task | null>(null);
  /** Why it could not be started. */
  refused = $state.raw<ApiError | null>(null);
  /** How often the person went to another step. */
  moves = $state(0);
  private version = $state<string | null>(null);
  private opened = $state<StepId | null>(null);
  /** The person has come by "How", or came with everything given. */
  private sawHow: boolean;

  constructor(private readonly app: App, given: Partial<RunSpec>) {
    const { backend } = app;
    this.models = modelsOf(app);
    this.datasets = new Loaded(() => backend.datasets());
    this.knobs = new Loaded(() => backend.knobs());
    this.devices = new Loaded(() => backend.devices());
    this.form = new KnobForm(backend, given.knobs ?? {});
    this.planning = new Planning(backend);
    this.outlooks = new Outlooks(backend);
    this.examples = new Examples(backend);
    this.model = given.model ?? null;
    this.data = given.data ?? null;
    this.version = given.data_version ?? null;
    this.effort = given.effort ?? null;
    this.device = given.device ?? null;
    this.name = given.name ?? "";
    this.sawHow = given.model !== undefined && given.data !== undefined;
    void this.models.read();
    $effect(() => this.chooseWhereThereIsOne());
    $effect(() => this.plan());
    $effect(() => this.look());
    $effect(() => this.compare());
    $effect(() => () => [this.planning, this.outlooks, this.examples].forEach((one) => one.close()));
  }

  // ---- what is chosen ----------------------------------------------------------------------------------------------
  /** Those that a run can start from. */
  readonly usable: readonly LocalModel[] | null = $derived.by(() => this.models.here?.filter((m) => !m.trouble) ?? null);
  readonly modelRow: LocalModel | null = $derived.by(() => this.models.here?.find((m) => m.id === this.model) ?? null);
  readonly dataRow: DatasetSummary | null = $derived.by(
    () => this.datasets.value?.find((d) => d.id === this.data) ?? null);
  /** A model was asked for that is not on this computer. */
  readonly missing: string | null = $derived.by(() => (this.model && this.models.here && !this.modelRow ? this.model : null));
  readonly hasModel: boolean = $derived.by(() => this.modelRow !== null && this.modelRow.trouble === null);
  readonly hasData: boolean = $derived.by(() => this.data !== null && (this.datasets.value === null || this.dataRow !== null));

  /** What is asked of the machine; null while an answer is missing. */
  readonly spec: RunSpec | null = $derived.by(() => {
    if (!this.hasModel || !this.hasData || this.model === null || this.data === null) return null;
    return {
      name: this.name.trim() || null, model: this.model, data: this.data, data_version: this.version,
      effort: this.effort, device: this.device, knobs: this.form.asked,
    };
  });

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
    if (id !== this.data) {
      this.outlooks.forget();
      this.version = null;
    }
    this.data = id;
    this.next();
  }

  /** Where there is only one, nobody is asked. */
  private chooseWhereThereIsOne(): void {
    const [model, otherModel] = this.usable ?? [];
    if (this.model === null && model && !otherModel) this.model = model.id;
    const [data, otherData] = this.datasets.value ?? [];
    if (this.data === null && data && !otherData) this.data = data.id;
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
    const { model, data, version, effort, device } = this;
    const spec: Partial<RunSpec> = {
      name: this.name.trim() || null, data_version: version, effort, device, knobs: this.form.asked,
      ...(model === null ? {} : { model }), ...(data === null ? {} : { data }),
    };
    this.app.router.replace({ view: "new", spec });
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
      data: this.data, version, model: this.model, supervise: knobs.supervise.value,
      context: knobs.context_length.value, total: this.dataRow?.counts.train ?? 1,
    };
    untrack(() => this.examples.show(look));
  }

  private compare(): void {
    const { planned, trouble, asking } = this.planning;
    const { open, spec } = this;
    if (open !== "how" || !spec || asking) return;
    const known: Outlook | null = trouble ? { kind: "refused", error: trouble } : planned && { kind: "planned", planned };
    untrack(() => this.outlooks.ask(spec, known));
  }

  /** A knob's planned value and its reason. */
  planned(key: string): PlannedKnob | null {
    return this.planning.planned?.knobs.find((knob) => knob.key === key) ?? null;
  }

  readonly supervise: Supervise = $derived.by(
    () => this.form.asked.supervise ?? this.planning.planned?.plan.knobs.supervise.value ?? "replies");

  readonly cautions = $derived.by(() => {
    const context = this.planning.planned?.plan.knobs.context_length.value;
    return context === undefined ? [] : cautions(this.examples.lengths, context, this.modelRow?.context ?? null);
  });

  // ---- what stands in the way --------------------------------------------------------------------------------------
  private readonly question = $derived.by(() => ({
    model: this.modelRow, trains: this.dataRow?.counts.train ?? null, supervise: this.supervise as string,
    knobs: this.knobs.value?.map((knob) => knob.key) ?? [], devices: this.devices.value ?? [],
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
      const id = await tasks.run(`Starting “${name}”`, (watched) => backend.startRun(spec, watched), (task) => (this.starting = task));
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
