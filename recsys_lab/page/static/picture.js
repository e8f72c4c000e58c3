// One picture that is swapped with its alt text in a single step, so that no blank frame is ever seen.
// Frames that the kernel drew ahead are kept here by the state of the controls: a move whose frame is
// there is painted at once, without the kernel.

const BUSY_AFTER = 300; // milliseconds: shorter waits need no sign

function isDark() {
  const { jpThemeLight, vscodeThemeKind } = document.body.dataset;
  return jpThemeLight === "false" || Boolean(vscodeThemeKind?.includes("dark"));
}

function element(tag, className, attributes = {}) {
  const made = document.createElement(tag);
  made.className = className;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

const PLAYER = { "fa-play": "Play", "fa-pause": "Pause", "fa-stop": "Back to the start" };

// The sliders of ipywidgets have neither a name nor a value that a screen reader can say, and their
// player's buttons are pictures only.
function nameSliders(area) {
  for (const icon of area.querySelectorAll(".widget-play button i")) {
    const name = PLAYER[[...icon.classList].find((each) => each in PLAYER)];
    const button = icon.closest("button");
    if (name && button.title !== name) {
      button.title = name;
      button.setAttribute("aria-label", name);
    }
  }
  for (const slider of area.querySelectorAll(".widget-slider, .widget-hslider, .widget-vslider")) {
    const label = slider.querySelector(".widget-label")?.textContent ?? "";
    const value = slider.querySelector(".widget-readout")?.textContent ?? "";
    for (const handle of slider.querySelectorAll(".noUi-handle")) {
      if (handle.getAttribute("aria-label") !== label) handle.setAttribute("aria-label", label);
      if (value && handle.getAttribute("aria-valuetext") !== value)
        handle.setAttribute("aria-valuetext", value);
    }
  }
}

// Widget -> state of its controls -> frame. All views of a widget share its frames.
const stores = new Map();

function storeOf(model) {
  const uid = model.get("uid");
  if (!stores.has(uid)) stores.set(uid, new Map());
  return stores.get(uid);
}

// 0.1 + 0.2 is 0.3 here as in the kernel.
function keyOf(state) {
  const tidy = (_, value) => (typeof value === "number" ? Number(value.toPrecision(12)) : value);
  return JSON.stringify(state, tidy);
}

function stateOf(control) {
  const index = control.get("index");
  return typeof index === "number" ? index : control.get("value");
}

// What the views of a page do when a frame has come: one that is waited for is painted.
const arrivals = new Set();

let generation = 0; // frames that are being decoded when all are dropped come too late

async function keep(model, texts, url) {
  const born = generation;
  const picture = new Image();
  picture.src = url;
  await picture.decode().catch(() => {});
  if (born !== generation) return;
  storeOf(model).set(keyOf(texts.state), { ...texts, picture });
  for (const arrived of arrivals) arrived(keyOf(texts.state));
}

function initialize({ model }) {
  model.on("msg:custom", (message, buffers) => {
    const store = storeOf(model);
    if (message.frame) {
      const url = URL.createObjectURL(new Blob([buffers[0]], { type: "image/png" }));
      keep(model, message.frame, url);
    } else if (message.clear || message.drop) {
      if (message.clear) generation += 1;
      const dropped = message.clear ? [...store.keys()] : [keyOf(message.drop)];
      for (const key of dropped) {
        const url = store.get(key)?.picture.src ?? "";
        if (url.startsWith("blob:")) setTimeout(() => URL.revokeObjectURL(url), 10000);
        store.delete(key);
      }
    }
  });
  return () => stores.delete(model.get("uid"));
}

function render({ model, el }) {
  el.classList.add("rl-picture");
  const box = element("div", "rl-picture-box");
  const image = element("img", "rl-picture-image", { alt: "" });
  const failure = element("p", "rl-picture-failure", { role: "alert" });
  const busy = element("p", "rl-picture-busy", { role: "status" });
  const sentence = element("p", "rl-picture-sentence", { "aria-live": "polite" });
  box.append(image, failure, busy);
  el.append(box, sentence);
  // The box has its size before the first picture and keeps it: nothing below ever moves.
  box.style.width = `${model.get("width")}px`;
  box.style.aspectRatio = `${model.get("width")} / ${model.get("height")}`;
  sentence.hidden = !model.get("sentence");

  let newest = 0;
  let timer;
  let tallest = 0;

  function markBusy(words) {
    clearTimeout(timer);
    timer = setTimeout(() => {
      el.classList.add("rl-busy");
      busy.textContent = words;
    }, BUSY_AFTER);
  }

  const controls = [];
  const present = () => keyOf(controls.map(stateOf));
  let painted = 0;
  let painting = ""; // the state that is on the screen

  function onMove() {
    el.dataset.wanted = present();
    if (paint()) return;
    if (keyOf(model.get("state")) === present()) {
      show();
      return;
    }
    // The kernel says that it draws, but not that it is at work on a cell, or gone.
    markBusy("No answer yet: a cell is running, or the kernel was restarted (run this cell again).");
    tell({ need: JSON.parse(present()) });
  }

  // Paint the frame of the present state if it is in the store.
  function paint() {
    const frame = storeOf(model).get(present());
    if (!frame) return false;
    newest += 1; // what is still being decoded came for an earlier state
    image.src = frame.picture.src;
    image.alt = frame.alt;
    el.classList.remove("rl-failed");
    failure.textContent = "";
    say(frame.sentence);
    painted += 1;
    painting = present();
    markIdle(`page ${painted}`);
    return true;
  }

  function markIdle(frame) {
    clearTimeout(timer);
    el.classList.remove("rl-busy");
    busy.textContent = "";
    // Which answer is on the screen, and to which state of the controls, for who waits for it.
    el.dataset.frame = frame;
    el.dataset.state = painting;
  }

  function say(text) {
    if (text) sentence.hidden = false;
    if (sentence.textContent !== text) sentence.textContent = text;
    // A sentence that once took two lines keeps their room.
    if (sentence.offsetHeight > tallest) {
      tallest = sentence.offsetHeight;
      sentence.style.minHeight = `${tallest}px`;
    }
  }

  async function show() {
    // The answer to a move that was overtaken since is not shown.
    if (controls.length && keyOf(model.get("state")) !== present()) return;
    const number = ++newest;
    const state = model.get("state");
    const words = model.get("failure");
    const text = model.get("sentence");
    const alt = model.get("alt");
    const frame = model.get("number");
    if (words) {
      painting = keyOf(state);
      failure.textContent = words;
      image.alt = "";
      el.classList.add("rl-failed");
      say("");
      markIdle(frame);
      return;
    }
    // A data URL is decoded some milliseconds sooner than an object URL: no other process is asked.
    const url = `data:image/png;base64,${model.get("png")}`;
    const probe = new Image();
    probe.src = url;
    await probe.decode().catch(() => {});
    if (number !== newest) return;
    storeOf(model).set(keyOf(state), { state, alt, sentence: text, picture: probe });
    painting = keyOf(state);
    image.src = url;
    image.alt = alt;
    el.classList.remove("rl-failed");
    failure.textContent = "";
    say(text);
    markIdle(frame);
  }

  function tell(content) {
    try {
      model.send(content);
    } catch {
      // The kernel was restarted: nobody listens, and what is in the store is still shown.
    }
  }

  function tellScreen() {
    model.set("dark", isDark());
    model.set("scale", Math.min(2, Math.max(1, Math.round(window.devicePixelRatio * 2) / 2)));
    model.save_changes();
  }

  function onMessage(message) {
    if (message.busy) markBusy("Drawing …");
    el.dataset.store = storeOf(model).size; // how many frames, for who waits for them
    if (message.clear && inSight) waiting = setTimeout(near, 300);
  }

  // Rendering ahead starts when the reader comes near, not when the cell is run: a notebook that is
  // run from top to bottom is not slowed down by pictures nobody asked for.
  let waiting;
  let inSight = false;
  const near = () => tell({ near: true });
  let area = null;
  const sliders = new MutationObserver(() => nameSliders(area));
  const appeared = new IntersectionObserver(() => {
    if (area || !el.isConnected) return;
    area = el.closest(".rl-explore");
    if (!area) return;
    area.addEventListener("pointerenter", near);
    area.addEventListener("focusin", near);
    nameSliders(area);
    const attributeFilter = ["aria-valuetext"];
    sliders.observe(area, { attributes: true, attributeFilter, childList: true, subtree: true });
  });
  appeared.observe(el);
  // It is near, too, when it has been in sight for a moment.
  const seen = new IntersectionObserver(([entry]) => {
    clearTimeout(waiting);
    inSight = entry.isIntersecting;
    if (inSight) waiting = setTimeout(near, 1000);
  });
  seen.observe(el);

  function onArrival(key) {
    if (controls.length && key === present() && key !== painting) paint();
  }
  arrivals.add(onArrival);

  const moves = "change:value change:index";
  Promise.all(model.get("controls").map((id) => model.widget_manager.get_model(id))).then((all) => {
    controls.push(...all);
    for (const control of controls) control.on(moves, onMove);
    // In a page that was loaded anew, or a second view, the controls may stand elsewhere.
    if (keyOf(model.get("state")) !== present()) onMove();
  });

  const themes = new MutationObserver(tellScreen);
  themes.observe(document.body, {
    attributes: true,
    attributeFilter: ["data-jp-theme-light", "data-vscode-theme-kind"],
  });
  model.on("change:number", show);
  model.on("msg:custom", onMessage);
  show();
  tellScreen();

  return () => {
    newest += 1;
    arrivals.delete(onArrival);
    clearTimeout(timer);
    for (const control of controls) control.off(moves, onMove);
    themes.disconnect();
    appeared.disconnect();
    seen.disconnect();
    clearTimeout(waiting);
    sliders.disconnect();
    area?.removeEventListener("pointerenter", near);
    area?.removeEventListener("focusin", near);
    model.off("change:number", show);
    model.off("msg:custom", onMessage);
  };
}

export default { initialize, render };
