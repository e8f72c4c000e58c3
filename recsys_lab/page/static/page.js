// The kernel's part in a page that has none: it holds what the kernel would have drawn and answered, and
// the widgets' own scripts do the rest. What they know is in the page, as JSON beside each reading copy.
import grid from "./grid.js";
import guess from "./guess.js";
import picture from "./picture.js";
import quiz from "./quiz.js";

function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}

// What the widgets ask of a model in JupyterLab.
class Model {
  constructor(values, answer = () => {}) {
    this.values = values;
    this.answer = answer;
    this.listeners = new Map();
  }
  get(name) {
    return this.values[name];
  }
  set(name, value) {
    if (JSON.stringify(this.values[name]) === JSON.stringify(value)) return;
    this.values[name] = value;
    this.emit(`change:${name}`);
  }
  on(names, listener) {
    for (const name of names.split(" "))
      this.listeners.set(name, [...(this.listeners.get(name) ?? []), listener]);
  }
  off(names, listener) {
    for (const name of names.split(" "))
      this.listeners.set(name, this.listeners.get(name)?.filter((each) => each !== listener) ?? []);
  }
  emit(name, ...details) {
    for (const listener of this.listeners.get(name) ?? []) listener(...details);
  }
  // Afterwards, like a kernel: who sends has more to do before the answer.
  send(content) {
    queueMicrotask(() => this.answer(content));
  }
  save_changes() {}
}

let count = 0;

// Native inputs, whose models know a value by its place among all.
function control(form, row) {
  const part = row.appendChild(element("div", "rl-control"));
  if (form.kind === "grid") {
    const model = new Model({ ...form, disabled: false });
    grid.render({ model, el: part });
    return model;
  }
  const model = new Model({ index: form.at });
  const label = part.appendChild(element("label", "", form.label));
  if (form.labels.length === 1) {
    label.replaceWith(`${form.label}: ${form.labels[0]}`);
    return model;
  }
  const input = element(form.kind === "choice" ? "select" : "input");
  input.id = `rl-control-${count++}`;
  label.htmlFor = input.id;
  if (form.kind === "box") {
    input.type = "checkbox";
    input.checked = form.at === 1;
    input.addEventListener("input", () => model.set("index", Number(input.checked)));
    part.prepend(input);
    return model;
  }
  part.append(input);
  if (form.kind === "choice") {
    input.append(...form.labels.map((text) => element("option", "", text)));
    input.selectedIndex = form.at;
    input.addEventListener("input", () => model.set("index", input.selectedIndex));
    return model;
  }
  Object.assign(input, { type: "range", min: 0, max: form.labels.length - 1, step: 1 });
  input.value = form.at;
  const readout = part.appendChild(element("output"));
  readout.htmlFor.add(input.id);
  const widest = Math.max(...form.labels.map((text) => text.length));
  readout.style.minWidth = `${widest}ch`; // or what stands beside it would move
  const show = () => {
    readout.textContent = form.labels[model.get("index")];
    input.setAttribute("aria-valuetext", readout.textContent);
  };
  input.addEventListener("input", () => model.set("index", Number(input.value)));
  model.on("change:index", show);
  show();
  if (form.interval) part.append(player(form, input));
  return model;
}

function player(form, input) {
  const button = element("button", "", "Play");
  button.type = "button";
  let timer = 0;
  const move = (value) => {
    input.value = value;
    input.dispatchEvent(new Event("input"));
  };
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    button.textContent = "Play";
  };
  button.addEventListener("click", () => {
    if (timer) return stop();
    if (input.value === input.max) move(input.min);
    button.textContent = "Pause";
    timer = setInterval(() => {
      if (input.value !== input.max) move(Number(input.value) + 1);
      if (input.value === input.max) stop();
    }, form.interval);
  });
  return button;
}

function explore(form, el) {
  const area = el.appendChild(element("div", "rl-explore"));
  const asked = [...document.querySelectorAll("main > p")].map((each) => each.textContent.trim());
  if (form.question && !asked.includes(`Question. ${form.question}`))
    area.append(element("strong", "", form.question));
  const row = area.appendChild(element("div", "rl-controls"));
  if (form.note) area.append(element("p", "rl-note", form.note));
  const controls = form.controls.map((each) => control(each, row));
  const present = () => controls.map((each) => each.get("index") ?? each.get("value"));
  const frames = new Map();
  for (const [state, place, alt, sentence, failure] of form.frames) {
    const parts = state.map((each) => JSON.stringify(each));
    const png = form.pictures[place] ?? "";
    frames.set(JSON.stringify(state), { state, parts, png, alt, sentence, failure });
  }
  const sent = new Set();

  // Into the picture's store, from which it paints a move in the next frame.
  function send(frame) {
    if (sent.has(frame) || !frame.png) return;
    sent.add(frame);
    const { state, alt, sentence } = frame;
    const bytes = Uint8Array.from(atob(frame.png), (letter) => letter.charCodeAt(0));
    model.emit("msg:custom", { frame: { state, alt, sentence } }, [bytes]);
  }

  function tell(state, words) {
    model.values.state = state;
    model.values.failure = words;
    model.set("number", model.get("number") + 1);
  }

  function answer({ need }) {
    const now = present();
    const frame = frames.get(JSON.stringify(now));
    if (!frame) tell(now, form.missing);
    else if (frame.failure) tell(now, frame.failure);
    else if (need) send(frame);
    // All that one move can reach from here.
    const parts = now.map((each) => JSON.stringify(each));
    for (const other of frames.values())
      if (other.parts.filter((part, at) => part !== parts[at]).length === 1) send(other);
  }

  const model = new Model(
    {
      ...frames.get(JSON.stringify(present())),
      uid: `rl-explore-${count++}`,
      number: 1,
      width: form.width,
      height: form.height,
      controls: controls.map((_, at) => at),
    },
    answer,
  );
  model.widget_manager = { get_model: async (at) => controls[at] };
  picture.initialize({ model });
  picture.render({ model, el: area.appendChild(element("div")) });
}

const reveals = new Map(); // guess -> what to do when it is committed

function askFor(form, el) {
  const model = new Model(
    { question: form.question, choices: form.choices, committed: -1, status: "" },
    ({ choice }) => {
      const chosen = element("span", "", form.choices[choice]).innerHTML;
      model.set("status", `Committed: ${chosen}. The answer comes further down.`);
      model.set("committed", choice);
      for (const reveal of reveals.get(form.id) ?? []) reveal(form.choices[choice]);
    },
  );
  guess.render({ model, el });
}

function reveal(form, el) {
  const head = el.appendChild(element("strong", "", "No guess yet: choose and press Commit above."));
  const told = el.appendChild(element("p"));
  el.dataset.waiting = "";
  told.innerHTML = `${element("span", "", `The answer is: ${form.answer}. `).innerHTML}${form.because}`;
  const show = (chosen) => {
    const word = chosen === form.answer ? "Right" : "Not this time";
    head.textContent = `${word}: you guessed ${chosen}`;
    delete el.dataset.waiting;
    // What would have spoilt the guess: all that is folded between two headings, but for what
    // stands between another guess, not yet committed, and its answer.
    let at = el.closest("main > *");
    while (at.previousElementSibling && at.tagName !== "H2") at = at.previousElementSibling;
    let held = false;
    do {
      if (at.querySelector(".rl-guess button:enabled")) held = true;
      const waits = at.querySelector("[data-waiting]");
      if (at.matches("details.told") && !held && !waits) at.open = true;
      if (waits) held = false;
      at = at.nextElementSibling;
    } while (at && at.tagName !== "H2");
  };
  reveals.set(form.id, [...(reveals.get(form.id) ?? []), show]);
}

function askQuestions(form, el) {
  quiz.render({ model: new Model({ questions: form.questions, note: "" }), el });
}

const KINDS = { explore, guess: askFor, reveal, quiz: askQuestions };

for (const data of document.querySelectorAll("script.rl-data")) {
  const form = JSON.parse(data.textContent);
  const live = element("div", "output");
  KINDS[form.kind](form, live.appendChild(element("div")));
  data.previousElementSibling.replaceWith(live);
  data.remove();
}

// What scrolls sideways on a narrow screen can be reached, and so scrolled, by keyboard.
const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const wide = target.scrollWidth > target.clientWidth + 1;
    target.classList.toggle("rl-wide", wide);
    if (wide) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});
for (const each of document.querySelectorAll(".output, .rl-picture, .rl-grid, .code pre, math"))
  sizes.observe(each);
