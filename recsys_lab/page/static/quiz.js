// Questions that answer at once, in the page itself; the kernel is told, to note it.

let count = 0;

function element(tag, className = "", html = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.innerHTML = html;
  return made;
}

// A text from the course with code between backticks.
function marked(text) {
  const safe = text.replace(/[&<>]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[c]);
  return safe
    .replace(/`([^`]+)`/g, "<code>$1</code>")
    .replace(/(^|[\s(])\*(\S[^*]*)\*/g, "$1<em>$2</em>");
}

// [whether it is right, sentences]; null if nothing was answered
export function judge(question, given) {
  if (question.kind === "number") {
    if (!Number.isFinite(given)) return null;
    const near = (value) => Math.abs(given - value) <= question.tolerance;
    if (near(question.right)) return [true, [question.because]];
    const slip = question.slips.find(([value]) => near(value));
    return [false, [marked(slip ? slip[1] : question.otherwise)]];
  }
  if (question.kind === "choice") {
    if (!given.length) return null;
    const { wrong } = question.choices[given[0]];
    return wrong ? [false, [marked(wrong)]] : [true, [question.because]];
  }
  const said = question.choices.flatMap(({ wrong, missing }, at) => {
    const ticked = given.includes(at);
    if (ticked && wrong) return [marked(wrong)];
    return !ticked && missing ? [marked(missing)] : [];
  });
  return said.length ? [false, said] : [true, [question.because]];
}

function ask(question, tell) {
  const name = `rl-quiz-${count++}-${Date.now()}`;
  const group = element("fieldset");
  const button = element("button", "jupyter-button", "Answer");
  button.type = "button";
  group.append(element("legend", "", question.text));
  let read;
  if (question.kind === "number") {
    const field = element("input");
    field.type = "text";
    field.inputMode = "decimal";
    const label = element("label", "", "Your number: ");
    label.append(field);
    group.append(label);
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey) button.click();
    });
    read = () => (field.value.trim() ? Number(field.value.replace(",", ".")) : NaN);
  } else {
    const boxes = question.choices.map(({ text }) => {
      const box = element("input");
      box.type = question.kind === "choice" ? "radio" : "checkbox";
      box.name = name;
      const label = element("label");
      label.append(box, element("span", "", marked(text)));
      group.append(label);
      return box;
    });
    read = () => boxes.flatMap((box, at) => (box.checked ? [at] : []));
  }
  const status = element("div", "rl-answer");
  status.setAttribute("role", "status");
  button.addEventListener("click", () => {
    const found = judge(question, read());
    if (!found) {
      status.replaceChildren(element("p", "", "Choose or write an answer first."));
      return;
    }
    const [right, said] = found;
    status.dataset.right = right;
    const head = element("strong", "", right ? "Right." : "Not this time.");
    status.replaceChildren(head, ...said.map((text) => element("p", "", text)));
    tell(right);
  });
  const item = element("li");
  group.append(button); // in the group, so that its question is read with it
  item.append(group, status);
  return item;
}

function render({ model, el }) {
  el.classList.add("rl-quiz");
  const list = element("ol");
  const note = element("p");
  for (const question of model.get("questions"))
    list.append(
      ask(question, (right) => {
        try {
          model.send({ id: question.id, right });
        } catch {
          note.textContent = "Not noted: the kernel was restarted (run this cell again).";
        }
      }),
    );
  el.append(list, note);
  const show = () => (note.textContent = model.get("note"));
  show();
  model.on("change:note", show);
  return () => model.off("change:note", show);
}

export default { render };
