// Lets pieces of text out evenly, however unevenly they come.

const BEAT_MS = 33;
/** What has come is shown within about this. */
const BEHIND_MS = 300;

export class Pace {
  private queue: string[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private drained: (() => void)[] = [];

  constructor(private readonly show: (text: string) => void) {}

  push(piece: string): void {
    this.queue.push(piece);
    this.timer ??= setTimeout(() => this.beat(), 0);
  }

  /** Once everything is shown. */
  empty(): Promise<void> {
    if (this.queue.length === 0) return Promise.resolve();
    return new Promise((done) => this.drained.push(done));
  }

  /** Shows what is left at once. */
  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const rest = this.queue.splice(0).join("");
    if (rest) this.show(rest);
    for (const done of this.drained.splice(0)) done();
  }

  private beat(): void {
    const n = Math.ceil((this.queue.length * BEAT_MS) / BEHIND_MS);
    this.show(this.queue.splice(0, n).join(""));
    if (this.queue.length === 0) return this.flush();
    this.timer = setTimeout(() => this.beat(), BEAT_MS);
  }
}
