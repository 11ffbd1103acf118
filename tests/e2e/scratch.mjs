// Folders of a test, gone afterwards.

import { rmSync } from "node:fs";

/** Removes a folder with all that is in it. A process that was just ended may still write there: it is tried again. */
export const remove = (folder) => rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
