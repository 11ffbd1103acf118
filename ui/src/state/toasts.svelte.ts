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

  say(text: string, action?: Toast["action"]): void {
    this.add({ text, tone: "plain", ...(action ? { action } : {}) });
  }

  /** For what failed beside the point; what failed at the point is shown where the person looks. */
  complain(error: ApiError): void {
    this.add({ text: [error.message, error.hint].filter(Boolean).join(" "), tone: "bad" });
  }

  dismiss(id: number): void {
    this.all = this.all.filter((toast) => toast.id !== id);
  }

  private add(toast: Omit<Toast, "id">): void {
    const id = this.next++;
    this.all = [...this.all.slice(-2), { ...toast, id }];
    setTimeout(() => this.dismiss(id), STAYS_MS);
  }
}
