// What a person changes in the settings, and what became of it, told beside what was changed.

import type { ApiError, Settings, TokenState } from "../backend";
import type { App } from "./app.svelte";
import { asApiError } from "./errors";

/** Settings take effect at once; one that cannot be kept goes back, and says why at its place. */
export class SettingsForm {
  trouble = $state.raw<{ of: keyof Settings; error: ApiError } | null>(null);

  constructor(private readonly app: App) {}

  async set<K extends keyof Settings>(key: K, value: Settings[K]): Promise<void> {
    const before = this.app.settings;
    if (!before || before[key] === value) return;
    this.app.settings = { ...before, [key]: value };
    try {
      await this.app.backend.saveSettings(this.app.settings);
      if (this.trouble?.of === key) this.trouble = null;
    } catch (e) {
      this.app.settings = { ...this.app.settings, [key]: before[key] };
      this.trouble = { of: key, error: asApiError(e) };
    }
  }

  troubleOf(key: keyof Settings): ApiError | null {
    return this.trouble?.of === key ? this.trouble.error : null;
  }
}

/** Where models come from when it is not the hub itself. */
export class Endpoint {
  /** What is typed; null while nothing is, so that what is kept shows. */
  typed = $state<string | null>(null);
  wrong = $state<string | null>(null);

  constructor(
    private readonly app: App,
    private readonly form: SettingsForm,
  ) {}

  get value(): string {
    return this.typed ?? this.app.settings?.hf_endpoint ?? "";
  }

  /** Nothing typed means the hub itself. */
  async keep(text: string): Promise<void> {
    const address = text.trim().replace(/\/+$/, "");
    this.wrong = address === "" || isWeb(address) ? null : "This is no address of a web site; it begins with https://.";
    if (this.wrong) return;
    await this.form.set("hf_endpoint", address === "" ? null : address);
    this.typed = null;
  }
}

function isWeb(address: string): boolean {
  return URL.canParse(address) && /^https?:$/.test(new URL(address).protocol);
}

/** The hub's token: it goes into the keyring and is never shown again. */
export class Token {
  state = $state.raw<TokenState | null>(null);
  typed = $state("");
  busy = $state(false);
  trouble = $state.raw<ApiError | null>(null);

  constructor(private readonly app: App) {
    void this.follow(() => app.backend.tokenState());
  }

  async save(): Promise<void> {
    const token = this.typed.trim();
    if (token === "") return;
    if (await this.follow(() => this.app.backend.saveToken(token))) this.typed = "";
  }

  async remove(): Promise<void> {
    await this.follow(() => this.app.backend.saveToken(null));
  }

  private async follow(ask: () => Promise<TokenState>): Promise<boolean> {
    this.busy = true;
    this.trouble = null;
    try {
      this.state = await ask();
      return true;
    } catch (e) {
      this.trouble = asApiError(e);
      return false;
    } finally {
      this.busy = false;
    }
  }
}
