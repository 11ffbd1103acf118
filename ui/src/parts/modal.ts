// Shows a dialog over everything for as long as it is on the page; the focus goes back to where it was.

export function modal(dialog: HTMLDialogElement, first: () => HTMLElement | null): () => void {
  const before = document.activeElement;
  dialog.showModal();
  first()?.focus();
  return () => {
    dialog.close();
    if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
  };
}
