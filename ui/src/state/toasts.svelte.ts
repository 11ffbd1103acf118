import type { ApiError } from "../backend";

/** A sentence at the foot of the window that goes by itself; with a way back where something was taken away. */
export type Toast = {
  readonly id: number;
  readonly text: string;
  readonly tone: "plain" | "bad";
  readonly action?: { label: string; run: () => void };
};

const STAYS_MS = 8000;

export class Toasts {
  all = $state.raw<readonly Toast[]>([]);
  private next = 0;
  private readonly leaving = new Map<number, ReturnType<typeof setTimeout>>();

  say(text: string, action?: Toast["action"]): void {
    this.add({ text, tone: "plain", ...(action ? { action } : {}) });
  }

  /** For what failed beside the point; what failed at the point is shown where the person looks. */
  complain(error: ApiError): void {
    this.add({ text: [error.message, error.hint].filter(Boolean).join(" "), tone: "bad" });
  }

  /** While somebody reads or reaches for them, they stay. */
  hold(held: "held" | "free"): void {
    for (const timer of this.leaving.values()) clearTimeout(timer);
    this.leaving.clear();
    if (held === "free") for (const { id } of this.all) this.leaveSoon(id);
  }

  dismiss(id: number): void {
    clearTimeout(this.leaving.get(id));
    this.leaving.delete(id);
    this.all = this.all.filter((toast) => toast.id !== id);
  }

  private add(toast: Omit<Toast, "id">): void {
    const id = this.next++;
    this.all = [...this.all.slice(-2), { ...toast, id }];
    this.leaveSoon(id);
  }

  private leaveSoon(id: number): void {
    this.leaving.set(
      id,
      setTimeout(() => this.dismiss(id), STAYS_MS),
    );
  }
}
