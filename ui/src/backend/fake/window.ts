// The window: tests drop files and close it through `window.fakeWindow`.

import type { Drag, OnClose, WindowAsk } from "..";
import type { Piece } from "./scene";

export type FakeWindow = {
  drag: (drag: Drag) => void;
  ask: (ask: WindowAsk) => void;
  /** How the window was answered, oldest first. */
  readonly answers: { then: Exclude<OnClose, "ask"> | "stay"; remember: boolean }[];
};

declare global {
  interface Window {
    fakeWindow?: FakeWindow;
  }
}

export function fakeWindow(): Piece {
  const drags = new Set<(drag: Drag) => void>();
  const asks = new Set<(ask: WindowAsk) => void>();
  const answers: FakeWindow["answers"] = [];
  window.fakeWindow = {
    drag: (drag) => drags.forEach((tell) => tell(drag)),
    ask: (ask) => asks.forEach((tell) => tell(ask)),
    answers,
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
    copy: (text) => navigator.clipboard.writeText(text),
  };
}
