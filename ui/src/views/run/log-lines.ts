// Entries of a run's story as lines of a log.

import type { LogLine } from "../../parts/EventLog.svelte";
import type { Told, ToldEvent } from "../../state/story";
import { logTime } from "../../words/run";
import { sentence } from "../../words/run-story";

function look(event: ToldEvent): Pick<LogLine, "icon" | "tone"> {
  switch (event.kind) {
    case "started":
    case "ready":
      return { icon: "play", tone: "plain" };
    case "evaluated":
      return { icon: event.best && event.step > 0 ? "best" : "chart", tone: "plain" };
    case "profiled":
      return { icon: "chart", tone: "plain" };
    case "sampled":
      return { icon: "chat", tone: "plain" };
    case "saved":
      return { icon: "save", tone: "plain" };
    case "warned":
      return { icon: "warn", tone: "warn" };
    case "paused":
      return { icon: "pause", tone: "warn" };
    case "ended":
      return { icon: "good", tone: "good" };
    case "failed":
      return { icon: "bad", tone: "bad" };
    default:
      return event satisfies never;
  }
}

export const logLines = (story: readonly Told[], now: number): LogLine[] =>
  story.map(({ seq, at_ms, event }) => ({
    id: seq,
    time: logTime(at_ms, now),
    at: new Date(at_ms).toISOString(),
    text: sentence(event),
    ...look(event),
  }));
