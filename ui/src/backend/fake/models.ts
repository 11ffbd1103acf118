import type { Piece, Scene } from "./scene";

export const models = (_scene: Scene): Piece => ({});
