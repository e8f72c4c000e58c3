// A matrix of cells that are clicked, or reached by the arrow keys and switched by the space bar.
// With pictures it is a wall: a cell shows its picture, and has a name of its own.

function render({ model, el }) {
  el.classList.add("rl-grid");
  const rows = model.get("rows");
  const columns = model.get("columns");
  const [rowName, columnName] = model.get("names");
  const [off, on] = model.get("states");
  const pictures = model.get("pictures") ?? [];
  const labels = model.get("labels") ?? [];
  const wall = pictures.length > 0;
  el.classList.toggle("rl-wall", wall);

  const table = document.createElement("table");
  const caption = table.createCaption();
  const head = wall ? null : table.createTHead().insertRow();
  const body = table.createTBody();
  head?.append(heading("col", ""), ...columns.map((name) => heading("col", name)));
  const cells = rows.map((row, i) => {
    const line = body.insertRow();
    if (!wall) line.append(heading("row", `${rowName} ${row}`));
    return columns.map((_, j) => {
      const cell = document.createElement("button");
      cell.type = "button";
      cell.setAttribute("role", "checkbox");
      cell.addEventListener("click", () => toggle(i, j));
      cell.addEventListener("focus", () => enter(i, j));
      cell.addEventListener("keydown", (event) => move(event, i, j));
      if (wall) {
        const image = document.createElement("img");
        image.src = pictures[i][j];
        image.alt = "";
        cell.append(image);
      }
      line.insertCell().append(cell);
      return cell;
    });
  });
  const reset = document.createElement("button");
  reset.type = "button";
  reset.className = "jupyter-button rl-reset";
  reset.textContent = "Reset";
  reset.addEventListener("click", () => {
    model.set("value", model.get("start"));
    model.save_changes();
  });
  el.append(table, reset);

  function heading(scope, text) {
    const made = document.createElement("th");
    made.scope = scope;
    made.textContent = text;
    return made;
  }

  // One cell at a time can be reached by Tab; the arrow keys go on from there.
  function enter(i, j) {
    for (const cell of cells.flat()) cell.tabIndex = -1;
    cells[i][j].tabIndex = 0;
  }

  function move(event, i, j) {
    const [down, right] =
      { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] ?? [];
    if (down === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    cells[i + down]?.[j + right]?.focus();
  }

  function toggle(i, j) {
    const value = model.get("value").map((row) => [...row]);
    value[i][j] = 1 - value[i][j];
    model.set("value", value);
    model.save_changes();
  }

  function show() {
    caption.textContent = model.get("description");
    model.get("value").forEach((row, i) =>
      row.forEach((value, j) => {
        const cell = cells[i][j];
        const state = value ? on : off;
        const place = `${rowName} ${rows[i]}, ${columnName} ${columns[j]}`;
        const name = `${labels[i]?.[j] ?? place}: ${state}`;
        if (!wall) cell.textContent = value;
        cell.title = name;
        cell.setAttribute("aria-label", name);
        cell.setAttribute("aria-checked", value ? "true" : "false");
        cell.disabled = model.get("disabled");
      }),
    );
    reset.disabled = model.get("disabled");
  }

  enter(0, 0);
  show();
  const watched = "change:value change:description change:disabled";
  model.on(watched, show);
  return () => model.off(watched, show);
}

export default { render };
