// One picture that is swapped with its alt text in a single step, so that no blank frame is ever seen.

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

// The sliders of ipywidgets have neither a name nor a value that a screen reader can say.
function nameSliders(area) {
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

  // The kernel says that it draws, but not that it is at work on a cell, or gone.
  const onMove = () =>
    markBusy("No answer yet: a cell is running, or the kernel was restarted (run this cell again).");

  function markIdle(frame) {
    clearTimeout(timer);
    el.classList.remove("rl-busy");
    busy.textContent = "";
    el.dataset.frame = frame; // which answer is on the screen, for who waits for it
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
    const number = ++newest;
    const words = model.get("failure");
    const text = model.get("sentence");
    const alt = model.get("alt");
    const frame = model.get("number");
    if (words) {
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
    image.src = url;
    image.alt = alt;
    el.classList.remove("rl-failed");
    failure.textContent = "";
    say(text);
    markIdle(frame);
  }

  function tellScreen() {
    model.set("dark", isDark());
    model.set("scale", Math.min(2, Math.max(1, Math.round(window.devicePixelRatio * 2) / 2)));
    model.save_changes();
  }

  function onMessage(message) {
    if (message.busy) markBusy("Drawing …");
  }

  // Rendering ahead starts when the reader comes near, not when the cell is run: a notebook that is
  // run from top to bottom is not slowed down by pictures nobody asked for.
  const near = () => model.send({ near: true });
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

  const moves = "change:value change:index";
  const controls = [];
  for (const id of model.get("controls")) {
    model.widget_manager.get_model(id).then((control) => {
      controls.push(control);
      control.on(moves, onMove);
    });
  }

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
    clearTimeout(timer);
    for (const control of controls) control.off(moves, onMove);
    themes.disconnect();
    appeared.disconnect();
    sliders.disconnect();
    area?.removeEventListener("pointerenter", near);
    area?.removeEventListener("focusin", near);
    model.off("change:number", show);
    model.off("msg:custom", onMessage);
  };
}

export default { render };
