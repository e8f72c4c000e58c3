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

// Still JupyterLab's: to leave, to save and the like.
const isJupyters = ({ key, ctrlKey, metaKey, altKey }) =>
  ctrlKey || metaKey || altKey || key === "Escape";

function keep(event) {
  if (isJupyters(event)) return;
  if (event.shiftKey && event.key === "Enter") goOn(event);
  else event.stopPropagation();
}

function render({ el }) {
  let area = null;
  // Notebook 7 takes a key before the element that it goes to hears of it, unless that is marked.
  const mark = (event) => {
    if (area?.contains(event.target))
      event.target.toggleAttribute("data-lm-suppress-shortcuts", !isJupyters(event));
  };
  window.addEventListener("keydown", mark, { capture: true });
  const appeared = new IntersectionObserver(() => {
    if (area || !el.isConnected) return;
    area = el.closest(".rl-live");
    area?.addEventListener("keydown", keep);
  });
  appeared.observe(el);
  return () => {
    appeared.disconnect();
    window.removeEventListener("keydown", mark, { capture: true });
    area?.removeEventListener("keydown", keep);
  };
}

export default { render };
