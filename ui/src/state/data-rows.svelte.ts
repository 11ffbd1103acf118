import type { ApiError, Backend, Example, Split } from "../backend";
import { asApiError } from "./errors";

const PAGE = 100;
/** Pages kept on either side of the one read last: what is in sight is never among those let go. */
const KEPT = 15;
/** While rows fly past nobody reads them. */
const SETTLES_MS = 60;

/** The rows of one part of a version, read page by page where somebody looks. */
export class RowPages {
  trouble = $state.raw<ApiError | null>(null);
  private pages = $state.raw<ReadonlyMap<number, readonly Example[]>>(new Map());
  private readonly coming = new Set<number>();
  private wanted: [number, number] = [0, 0];
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly backend: Backend,
    private readonly id: string,
    private readonly version: string,
    readonly split: Split,
  ) {}

  /** Undefined until it was read. */
  at(index: number): Example | undefined {
    return this.pages.get(Math.floor(index / PAGE))?.[index % PAGE];
  }

  /** Says which rows are in sight; those that are not there are read. */
  look(first: number, last: number): void {
    this.wanted = [Math.floor(first / PAGE), Math.floor(last / PAGE)];
    this.timer ??= setTimeout(
      () => {
        this.timer = null;
        this.read();
      },
      this.pages.size === 0 ? 0 : SETTLES_MS,
    );
  }

  again(): void {
    this.trouble = null;
    this.read();
  }

  private read(): void {
    for (let page = this.wanted[0]; page <= this.wanted[1]; page++) {
      if (!this.pages.has(page) && !this.coming.has(page)) void this.fetch(page);
    }
  }

  private async fetch(page: number): Promise<void> {
    this.coming.add(page);
    try {
      const { examples } = await this.backend.rows(this.id, this.version, this.split, page * PAGE, PAGE);
      const kept = [...this.pages].filter(([other]) => Math.abs(other - page) <= KEPT);
      this.pages = new Map([...kept, [page, examples]]);
      this.trouble = null;
    } catch (e) {
      this.trouble = asApiError(e);
    } finally {
      this.coming.delete(page);
    }
  }
}
