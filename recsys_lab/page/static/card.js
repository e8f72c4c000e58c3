// The answer to an exercise: the verdict, the layers of the check that passed, and two buttons. Hints
// and solution come from the kernel, which notes them in the learner's record.

const ANSWER_AFTER = 300; // milliseconds
const MARK = { passed: "✓", failed: "✗", open: "○" };

function element(tag, className, html = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.innerHTML = html;
  return made;
}

function button(text) {
  const made = element("button", "jupyter-button");
  made.type = "button";
  made.textContent = text;
  return made;
}

function render({ model, el }) {
  el.classList.add("rl-card");
  el.dataset.kind = model.get("kind");
  const said = element("div");
  said.setAttribute("role", "status");
  said.append(element("strong", "", model.get("head")));
  for (const line of model.get("lines")) said.append(element("p", "", line));
  const layers = element("ul", "rl-layers");
  for (const [name, state] of model.get("layers")) {
    const item = element("li");
    item.dataset.state = state;
    const mark = element("span", "", MARK[state]);
    mark.setAttribute("aria-hidden", "true");
    item.append(mark, ` ${name}`, element("span", "rl-unseen", ` (${state})`));
    layers.append(item);
  }
  if (layers.childElementCount) said.append(layers);

  const right = model.get("kind") === "right";
  const total = model.get("total");
  const row = element("div", "rl-buttons");
  const hint = button("Hint");
  const solution = button("Show a solution");
  if (!right && total) row.append(hint);
  if (model.get("may_solve")) row.append(solution);
  const told = element("div");
  told.setAttribute("aria-live", "polite");
  const hints = element("ol");
  const shown = element("div", "rl-sources");
  const note = element("p");
  told.append(hints, shown, note);
  el.append(said, row, told);

  let timer;
  let asked = right; // after 'Right' it costs nothing to look
  function request(what) {
    timer = setTimeout(() => {
      note.textContent =
        "No answer yet: a cell is running, or the kernel was restarted (run this cell again).";
    }, ANSWER_AFTER);
    try {
      model.send({ [what]: true });
    } catch {
      // The kernel was restarted, and nobody listens: the timer says so.
    }
  }
  hint.addEventListener("click", () => {
    if (model.get("hints").length < total) request("hint");
    else note.textContent = "There is no further hint.";
  });
  solution.addEventListener("click", () => {
    if (asked) {
      request("solution");
    } else {
      asked = true;
      solution.textContent = "Show it, I have tried";
      note.textContent = "It is noted in your progress that you saw it. Press again to see it.";
    }
  });

  function show() {
    clearTimeout(timer);
    const list = model.get("hints");
    hints.replaceChildren(...list.map((text) => element("li", "", text)));
    const left = total - list.length;
    hint.textContent = left
      ? `Hint (${list.length + 1} of ${total})`
      : `Hint (${total} of ${total} seen, none left)`;
    shown.replaceChildren(
      ...model.get("sources").map(([name, source]) => {
        const part = element("figure");
        const caption = element("figcaption");
        caption.textContent = name;
        const code = element("pre");
        code.tabIndex = 0;
        code.textContent = source;
        part.append(caption, code);
        return part;
      }),
    );
    if (model.get("sources").length) solution.remove();
    note.innerHTML = model.get("note");
  }

  show();
  const watched = "change:hints change:sources change:note change:count";
  model.on(watched, show);
  return () => {
    clearTimeout(timer);
    model.off(watched, show);
  };
}

export default { render };
