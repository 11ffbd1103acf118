import type { Piece, Scene } from "./scene";

export const chat = (_scene: Scene): Piece => ({});
