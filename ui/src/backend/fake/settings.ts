// Settings: kept as long as the page is open. ?theme=light|dark begins with that theme; ?scene=first is a first start.

import type { Settings } from "..";
import type { Piece, Scene } from "./scene";

export function settings(scene: Scene): Piece {
  const asked = scene.query.get("theme");
  let kept: Settings = {
    theme: asked === "light" || asked === "dark" ? asked : "system",
    on_close: "ask",
    notify: true,
    hf_endpoint: null,
    welcomed: scene.name !== "first",
  };
  return {
    settings: async () => kept,
    async saveSettings(settings) {
      kept = settings;
    },
  };
}
