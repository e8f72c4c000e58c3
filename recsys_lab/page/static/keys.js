// JupyterLab's shortcuts do not take the keys of a control: in a list of choices the arrow down would
// go to the next cell, and a letter might cut this one.

// Shift+Enter goes on, as everywhere: run again, the cell would put its controls back to the start.
function goOn(event) {
  const cell = event.target.closest(".jp-Cell");
  const next = cell?.nextElementSibling;
  if (!next?.matches(".jp-Cell")) return;
  event.stopPropagation();
  event.preventDefault();
  document.activeElement?.blur();
  const prompt = next.querySelector(".jp-InputPrompt") ?? next;
  for (const type of ["mousedown", "mouseup", "click"])
    prompt.dispatchEvent(new MouseEvent(type, { bubbles: true, cancelable: true }));
  next.scrollIntoView({ block: "nearest" });
}

function keep(event) {
  const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
  if (shiftKey && key === "Enter" && !ctrlKey && !metaKey && !altKey) {
    goOn(event);
    return;
  }
  // Still JupyterLab's: to leave, to save and the like.
  if (ctrlKey || metaKey || altKey || key === "Escape") return;
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
