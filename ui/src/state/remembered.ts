// What the page remembers by itself from one start of the window to the next: where the person is on the way, nothing
// that is theirs. What the app is told to do stands in its settings.

/** What was remembered under `key`; null if nothing was, or it cannot be read. */
export function recalled(key: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null");
  } catch {
    return null;
  }
}

/** Where a web view keeps nothing, nothing is remembered: everything works without. */
export function remember(key: string, what: unknown): void {
  try {
    localStorage.setItem(key, JSON.stringify(what));
  } catch {
    // As said above.
  }
}

export function forget(key: string): void {
  try {
    localStorage.removeItem(key);
  } catch {
    // As said above.
  }
}
