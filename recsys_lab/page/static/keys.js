// JupyterLab's shortcuts do not take the keys of a control: in a list of choices the arrow down would
// go to the next cell, and a letter might cut this one.

function keep(event) {
  const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
  // Still JupyterLab's: to leave, to run the cell, to save and the like.
  if (ctrlKey || metaKey || altKey || key === "Escape" || (shiftKey && key === "Enter")) return;
  event.stopPropagation();
}

function render({ el }) {
  let area = null;
  const appeared = new IntersectionObserver(() => {
    if (area || !el.isConnected) return;
    area = el.closest(".rl-live");
    area?.addEventListener("keydown", keep);
  });
  appeared.observe(el);
  return () => {
    appeared.disconnect();
    area?.removeEventListener("keydown", keep);
  };
}

export default { render };
