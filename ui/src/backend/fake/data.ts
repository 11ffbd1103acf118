import type { Piece, Scene } from "./scene";

export const data = (_scene: Scene): Piece => ({});
