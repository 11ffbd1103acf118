// Folders of a test, gone afterwards.

import { rmSync } from "node:fs";

const TRIES = 50;
const PAUSE_MS = 100;
const moment = new Int32Array(new SharedArrayBuffer(4));

/**
 * Removes a folder with all that is in it. A process that was just ended may still write there, so it is looked through anew
 * each time; what rmSync tries again by itself is only to remove a folder that it has emptied.
 */
export function remove(folder) {
  for (let left = TRIES; ; left--) {
    try {
      return rmSync(folder, { recursive: true, force: true });
    } catch (e) {
      if (e.code !== "ENOTEMPTY" || left === 0) throw e;
      Atomics.wait(moment, 0, 0, PAUSE_MS);
    }
  }
}
