// The window: tests drop files and close it through `window.fakeWindow`.

import type { Drag, OnClose, WindowAsk } from "..";
import { type Piece, refusal, type Scene } from "./scene";

export type FakeWindow = {
  drag: (drag: Drag) => void;
  ask: (ask: WindowAsk) => void;
  /** How the window was answered, oldest first. */
  readonly answers: { then: Exclude<OnClose, "ask"> | "stay"; remember: boolean }[];
  /** What was opened in the browser, oldest first. */
  readonly opened: string[];
};

declare global {
  interface Window {
    fakeWindow?: FakeWindow;
  }
}

export function fakeWindow({ query }: Scene): Piece {
  const drags = new Set<(drag: Drag) => void>();
  const asks = new Set<(ask: WindowAsk) => void>();
  const answers: FakeWindow["answers"] = [];
  const opened: string[] = [];
  window.fakeWindow = {
    drag: (drag) => drags.forEach((tell) => tell(drag)),
    ask: (ask) => asks.forEach((tell) => tell(ask)),
    answers,
    opened,
  };
  return {
    onDrag(tell) {
      drags.add(tell);
      return () => drags.delete(tell);
    },
    onAsk(tell) {
      asks.add(tell);
      return () => asks.delete(tell);
    },
    async closeWindow(then, remember) {
      answers.push({ then, remember });
    },
    async openModelPage(id) {
      if (query.get("browser") === "none")
        throw refusal("not_found", "No browser answers.", `The page is https://huggingface.co/${id}`);
      opened.push(id);
    },
    async openTokenPage() {
      opened.push("tokens");
    },
    copy: (text) => navigator.clipboard.writeText(text),
  };
}
