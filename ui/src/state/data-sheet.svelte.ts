import type { ApiError, Backend, DatasetSheet } from "../backend";
import { asApiError } from "./errors";

/** One data set that is looked at, in one of its versions. */
export class OpenSheet {
  sheet = $state.raw<DatasetSheet | null>(null);
  trouble = $state.raw<ApiError | null>(null);
  private asked = 0;

  constructor(
    private readonly backend: Backend,
    private readonly id: string,
  ) {}

  /** The newest version if none is named. Of several on their way, the last one asked for counts. */
  async open(version: string | null): Promise<void> {
    const turn = ++this.asked;
    try {
      const sheet = await this.backend.dataset(this.id, version);
      if (turn !== this.asked) return;
      this.sheet = sheet;
      this.trouble = null;
    } catch (e) {
      if (turn === this.asked) this.trouble = asApiError(e);
    }
  }

  /** The name as it was just changed. */
  renamed(name: string): void {
    if (this.sheet) this.sheet = { ...this.sheet, info: { ...this.sheet.info, name } };
  }
}
