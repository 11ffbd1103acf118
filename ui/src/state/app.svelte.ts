import { getContext, setContext } from "svelte";

import type { Backend, Settings } from "../backend";
import { asApiError } from "./errors";
import { Router } from "./router.svelte";
import { Runs } from "./runs.svelte";
import { Tasks } from "./tasks.svelte";
import { Toasts } from "./toasts.svelte";

const KEY = Symbol("app");

/** What every view may know. */
export class App {
  readonly router = new Router();
  readonly runs = new Runs();
  readonly tasks = new Tasks();
  readonly toasts = new Toasts();
  /** Null until they were read. */
  settings = $state.raw<Settings | null>(null);

  constructor(readonly backend: Backend) {}

  /** Reads what the page starts from. */
  async open(): Promise<void> {
    void this.runs.follow(this.backend);
    try {
      this.settings = await this.backend.settings();
    } catch (e) {
      this.toasts.complain(asApiError(e));
    }
  }

  /** Changes settings at once, and keeps them. */
  async change(change: Partial<Settings>): Promise<void> {
    if (!this.settings) return;
    const before = this.settings;
    this.settings = { ...before, ...change };
    try {
      await this.backend.saveSettings(this.settings);
    } catch (e) {
      this.settings = before;
      this.toasts.complain(asApiError(e));
    }
  }

  /** Does something whose failure is told in passing. */
  async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (e) {
      this.toasts.complain(asApiError(e));
    }
  }
}

export const provideApp = (app: App): App => setContext(KEY, app);
/** The app, for views. */
export const useApp = (): App => getContext<App>(KEY);
