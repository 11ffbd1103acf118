// Plays scenes in a browser, for development and tests: ?scene=full, empty, busy, trouble, long and those that an area
// has of its own. A file for each area; what none of them has yet is refused.

import type { Backend } from "..";
import { chat } from "./chat";
import { compare } from "./compare";
import { data } from "./data";
import { exports } from "./exports";
import { models } from "./models";
import { plan } from "./plan";
import { run } from "./run";
import { runs } from "./runs";
import { type Piece, refusal, type Scene } from "./scene";
import { settings } from "./settings";
import { fakeWindow } from "./window";

export function fake(query: URLSearchParams): Backend {
  const scene: Scene = { name: query.get("scene") ?? "full", query };
  const pieces: Piece[] = [runs, run, data, models, plan, chat, compare, exports, settings, fakeWindow].map((piece) =>
    piece(scene),
  );
  const known: Piece = pieces.reduce((all, piece) => ({ ...all, ...piece }), {});
  return new Proxy(known, {
    get(piece, name: keyof Backend) {
      // Not a promise: `await` looks for `then`.
      if (name in piece || typeof name === "symbol" || (name as string) === "then") return piece[name];
      return () => {
        const refused = refusal("internal", "Not in this scene");
        return name === "followRun" ? () => {} : Promise.reject(refused);
      };
    },
  }) as Backend;
}
