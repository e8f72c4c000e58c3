// A question with its choices. The choice goes out together with the click on Commit: on its own it
// would wait for a busy kernel, and the one before it would be committed.

const ANSWER_AFTER = 300; // milliseconds
let count = 0;

function render({ model, el }) {
  el.classList.add("rl-guess");
  const group = document.createElement("fieldset");
  const legend = document.createElement("legend");
  legend.innerHTML = model.get("question");
  let timer;
  const name = `rl-guess-${count++}-${Date.now()}`;
  const radios = model.get("choices").map((choice) => {
    const radio = document.createElement("input");
    radio.type = "radio";
    radio.name = name;
    const label = document.createElement("label");
    label.append(radio, choice);
    group.append(label);
    return radio;
  });
  const commit = document.createElement("button");
  commit.type = "button";
  commit.className = "jupyter-button mod-primary";
  commit.textContent = "Commit";
  commit.addEventListener("click", () => {
    const choice = radios.findIndex((radio) => radio.checked);
    if (choice < 0) {
      status.textContent = "Choose one answer first, then commit.";
      return;
    }
    timer = setTimeout(() => {
      status.textContent =
        "No answer yet: a cell is running, or the kernel was restarted (run this cell again).";
    }, ANSWER_AFTER);
    try {
      model.send({ choice });
    } catch {
      // The kernel was restarted, and nobody listens: the timer says so.
    }
  });
  const status = document.createElement("p");
  status.setAttribute("role", "status");
  group.prepend(legend);
  el.append(group, commit, status);

  function show() {
    clearTimeout(timer);
    const committed = model.get("committed");
    status.innerHTML = model.get("status");
    // A button that is switched off loses the focus to nothing, and the next key would do nothing.
    if (committed >= 0 && el.contains(document.activeElement)) el.closest(".jp-Cell")?.focus();
    for (const [number, radio] of radios.entries()) {
      if (committed >= 0) radio.checked = number === committed;
      radio.disabled = committed >= 0;
    }
    commit.disabled = committed >= 0;
  }

  show();
  const watched = "change:committed change:status";
  model.on(watched, show);
  return () => {
    clearTimeout(timer);
    model.off(watched, show);
  };
}

export default { render };
