import type { ApiError, Backend, ChartPicture, ChartRequest, ChartScale, RunId } from "../backend";
import { asApiError } from "./errors";

/** At most four pictures a second. */
const REST_MS = 250;
/** As crate charts has it: below this many steps nothing is smoothed unless it is asked for. */
const FEW = 30;

/** How smooth a run of `of` steps is at first, `done` of them done: as the charts choose it by themselves. */
export function usualSmoothing(done: number, of: number | null): number {
  if (done < FEW) return 0;
  return Math.round(100 * (1 - Math.min(0.2, Math.max(0.01, (2 * FEW) / (of ?? done))))) / 100;
}

/**
 * A loss chart: the picture that plotters draws, asked for again when something changed. Only while it is in sight, one
 * at a time, and at most four times a second.
 */
export class Chart {
  picture = $state.raw<ChartPicture | null>(null);
  trouble = $state.raw<ApiError | null>(null);
  scale = $state<ChartScale>("linear");
  /** Weight of the past, 0 to 0.99. */
  smoothing = $state(0);
  private chosen = false;
  /** The steps from left to right of the picture that is there. */
  private shown: readonly [number, number] | null = null;
  private theme: ChartRequest["theme"] = "light";
  private size: { width: number; height: number } | null = null;
  private visible = true;
  private stale = false;
  private drawing = false;
  private last = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly backend: Backend,
    private readonly runs: RunId[],
  ) {}

  /** What is asked for with `size` and the choices of now. */
  request(size: { width: number; height: number }): ChartRequest {
    const { runs, scale, smoothing, theme } = this;
    return { runs, scale, smoothing, theme, ...size };
  }

  resize(width: number, height: number): void {
    const [w, h] = [Math.round(width), Math.round(height)];
    if (w < 1 || h < 1 || (this.size?.width === w && this.size.height === h)) return;
    this.size = { width: w, height: h };
    this.changed();
  }

  show(visible: boolean): void {
    this.visible = visible;
    if (visible) this.soon();
  }

  dress(theme: ChartRequest["theme"]): void {
    if (theme === this.theme && this.picture) return;
    this.theme = theme;
    this.changed();
  }

  choose(change: { scale?: ChartScale; smoothing?: number }): void {
    this.chosen ||= change.smoothing !== undefined;
    Object.assign(this, change);
    this.changed();
  }

  /** As smooth as suits so many steps, unless the person chose. */
  suit(done: number, of: number | null): void {
    if (!this.chosen) this.smoothing = usualSmoothing(done, of);
  }

  /** Something it shows is not as it was. */
  changed(): void {
    this.stale = true;
    this.soon();
  }

  /** The newest step is `step`: drawn anew once that moves the picture by a pixel, which in a long run is seldom. */
  grew(step: number): void {
    const [first, last] = this.shown ?? [0, 0];
    if (Math.abs(step - last) * (this.size?.width ?? 0) >= last - first) this.changed();
  }

  close(): void {
    clearTimeout(this.timer);
    this.size = null;
  }

  /** Asks where, and writes it there; the path, or null if the person thought better of it. */
  save(): Promise<string | null> {
    return this.backend.saveChart(this.request({ width: 1200, height: 600 }));
  }

  private soon(): void {
    if (this.timer !== undefined || this.drawing || !this.stale || !this.visible || !this.size) return;
    const wait = Math.max(0, this.last + REST_MS - Date.now());
    this.timer = setTimeout(() => void this.draw(), wait);
  }

  private async draw(): Promise<void> {
    this.timer = undefined;
    if (!this.size || !this.visible) return;
    this.stale = false;
    this.drawing = true;
    this.last = Date.now();
    try {
      this.picture = await this.backend.drawChart(this.request(this.size));
      this.shown = this.picture.steps;
      this.trouble = null;
    } catch (e) {
      this.trouble = asApiError(e);
    } finally {
      this.drawing = false;
      this.soon();
    }
  }
}
