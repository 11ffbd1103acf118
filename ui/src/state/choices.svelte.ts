import type {
  Counts,
  DatasetSummary,
  DeviceChoice,
  DeviceInfo,
  Effort,
  Knob,
  LocalModel,
  RunSpec,
  TaskKind,
} from "../backend";
import type { App } from "./app.svelte";
import { KnobForm } from "./knob-form.svelte";
import { Loaded } from "./loaded.svelte";
import { type Models, modelsOf } from "./models.svelte";

/** What a run could be made of, and what was chosen of it. */
export class Choices {
  readonly models: Models;
  readonly datasets: Loaded<DatasetSummary[]>;
  readonly knobs: Loaded<Knob[]>;
  readonly devices: Loaded<DeviceInfo[]>;
  readonly form: KnobForm;

  model = $state<string | null>(null);
  data = $state<string | null>(null);
  effort = $state<Effort | null>(null);
  device = $state.raw<DeviceChoice | null>(null);
  /** Null: what goes with data and model. */
  task = $state<TaskKind | null>(null);
  /** As typed; empty: the plan's. */
  name = $state("");
  /** Null: the newest. */
  protected version = $state<string | null>(null);
  private olderCounts = $state.raw<Counts | null>(null);

  constructor(
    protected readonly app: App,
    given: Partial<RunSpec>,
  ) {
    const { backend } = app;
    this.models = modelsOf(app);
    this.datasets = new Loaded(() => backend.datasets());
    this.knobs = new Loaded(() => backend.knobs());
    this.devices = new Loaded(() => backend.devices());
    this.form = new KnobForm(backend, given.knobs ?? {});
    this.model = given.model ?? null;
    this.data = given.data ?? null;
    this.version = given.data_version ?? null;
    this.effort = given.effort ?? null;
    this.device = given.device ?? null;
    this.task = given.task ?? null;
    this.name = given.name ?? "";
    void this.models.read();
    $effect(() => this.chooseWhereThereIsOne());
    $effect(() => this.countOlder());
  }

  /** Those that a run can start from. */
  readonly usable: readonly LocalModel[] | null = $derived.by(
    () => this.models.here?.filter((m) => !m.trouble) ?? null,
  );
  readonly modelRow: LocalModel | null = $derived.by(() => this.models.here?.find((m) => m.id === this.model) ?? null);
  readonly dataRow: DatasetSummary | null = $derived.by(
    () => this.datasets.value?.find((d) => d.id === this.data) ?? null,
  );
  /** A version of the data that is not its newest. */
  readonly older: string | null = $derived.by(() =>
    this.version && this.dataRow && this.dataRow.version !== this.version ? this.version : null,
  );
  readonly counts: Counts | null = $derived.by(() => (this.older ? this.olderCounts : (this.dataRow?.counts ?? null)));
  /** A model was asked for that is not on this computer. */
  readonly missing: string | null = $derived.by(() =>
    this.model && this.models.here && !this.modelRow ? this.model : null,
  );
  readonly hasModel: boolean = $derived.by(() => this.modelRow !== null && this.modelRow.trouble === null);
  readonly hasData: boolean = $derived.by(
    () => this.data !== null && (this.datasets.value === null || this.dataRow !== null),
  );

  /** What is asked of the machine; null while an answer is missing. */
  readonly spec: RunSpec | null = $derived.by(() => {
    if (!this.hasModel || !this.hasData || this.model === null || this.data === null) return null;
    return { ...this.rest, model: this.model, data: this.data };
  });

  /** What has an answer so far. */
  protected get answered(): Partial<RunSpec> {
    const { model, data } = this;
    return { ...this.rest, ...(model === null ? {} : { model }), ...(data === null ? {} : { data }) };
  }

  private get rest(): Omit<RunSpec, "model" | "data"> {
    const { version, effort, device, task } = this;
    const asked = task === null ? {} : { task };
    return { name: this.name.trim() || null, data_version: version, effort, device, ...asked, knobs: this.form.asked };
  }

  /** Where there is only one, nobody is asked. */
  private chooseWhereThereIsOne(): void {
    const [model, otherModel] = this.usable ?? [];
    if (this.model === null && model && !otherModel) this.model = model.id;
    const [data, otherData] = this.datasets.value ?? [];
    if (this.data === null && data && !otherData) this.data = data.id;
  }

  private countOlder(): void {
    const { older, data } = this;
    if (older === null || data === null) return;
    this.app.backend.dataset(data, older).then(
      ({ info }) => {
        if (this.older === older) this.olderCounts = info.counts;
      },
      // What cannot be read, the plan says.
      () => {},
    );
  }
}
