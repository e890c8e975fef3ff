"use strict";
// The parts of the report that answer: the front, pins and their comparison, parallel coordinates, downloads.
// Whatever is shown is set as text or attribute, never as markup.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { words, parts, cells, rows } = data.shared;
  const SVG = "http://www.w3.org/2000/svg";
  const MOST_LINES = 600; // of parallel coordinates; of more candidates, so many evenly chosen ones and the front
  const NEAR = 40; // pixels from a candidate within which the pointer means it
  const MARGIN = { left: 56, right: 18, top: 26, bottom: 44 };
  const LONGEST = 22; // letters of a label beside a parallel axis
  const SHORT = 14; // letters of a name that it has room for without being cut
  const PAPER = 700; // pixels across a page of paper

  // ---- elements and words

  function element(name, attributes = {}, ...children) {
    const isDrawn = ["svg", "g", "rect", "text", "tspan", "circle", "line", "path", "title", "polyline"].includes(name);
    const made = isDrawn ? document.createElementNS(SVG, name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
      else if (value !== null && value !== undefined) made.setAttribute(key, value);
    }
    made.append(...children.filter((child) => child !== null));
    return made;
  }

  function count(value) {
    for (const [suffix, scale] of [["T", 1e12], ["G", 1e9], ["M", 1e6], ["k", 1e3]]) {
      if (Math.abs(value) >= 0.9995 * scale) {
        const part = value / scale;
        return (Math.abs(part) < 999.5 ? String(Number(part.toPrecision(3))) : String(Math.round(part))) + suffix;
      }
    }
    return String(Number(value.toPrecision(3)));
  }

  function say(metric, value) {
    if (value === null || value === undefined) return "unknown";
    if (metric === "accuracy") return `${(100 * value).toFixed(1)}%`;
    if (metric === "seconds") return value < 100 ? `${value.toFixed(1)} s` : `${count(value)} s`;
    return metric.startsWith("latency@") ? `${Number(value.toPrecision(3))} ms` : count(value);
  }

  function ticks(low, high, most) {
    const rough = (high - low) / most || 1;
    const size = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((factor) => factor * size).find((one) => one >= rough * 0.999);
    const found = [];
    for (let place = Math.ceil(low / step - 1e-9); place * step <= high * (1 + 1e-9) + 1e-12; place++) {
      found.push(Number((place * step).toPrecision(12)));
    }
    return found;
  }

  function range(values) {
    let [low, high] = [Infinity, -Infinity];
    for (const value of values) { low = Math.min(low, value); high = Math.max(high, value); }
    const room = (high - low) * 0.05 || Math.abs(high) * 0.05 || 1;
    return [low - room, high + room];
  }

  // ---- candidates: a point is the place of its study and its own place in it

  const points = data.studies.flatMap((study, at) => study.candidates.id.map((id, place) => ({ at, place, id })));
  const highest = data.studies.map((study) => study.candidates.rung.reduce((most, rung) => Math.max(most, rung), 0));
  const value = (point, metric) => data.studies[point.at].candidates[metric][point.place];
  const isBest = (point) => value(point, "front") === 1;
  const isTop = (point) => value(point, "rung") === highest[point.at];
  const named = (point) => (data.studies.length > 1 ? `${data.studies[point.at].name}:${point.id}` : point.id);

  function decisions(point) {
    return Object.entries(data.studies[point.at].decisions)
      .filter(([, column]) => column.at[point.place] !== null)
      .map(([name, column]) => [name, column.values[column.at[point.place]]]);
  }

  function isRepeated(point, metric) { // a network without branches is trained as it is deployed
    const deployed = metric.replace("train_", "");
    return deployed !== metric && value(point, deployed) === value(point, metric);
  }

  function facts(point) {
    const known = Object.keys(data.metrics).filter((metric) => (value(point, metric) ?? null) !== null && !isRepeated(point, metric));
    const said = known.map((metric) => [data.metrics[metric], say(metric, value(point, metric))]);
    if (highest[point.at]) said.push(["rung", String(value(point, "rung"))]);
    if (value(point, "seeds") > 1) said.push(["seeds", String(value(point, "seeds"))]);
    if (value(point, "control")) said.push(["drawn", "at random"]);
    return said;
  }

  // ---- the drawing of a network, from the same rows as `nas show --svg`

  function drawing(point) {
    const places = data.studies[point.at].drawings[point.place];
    if (!places) return element("p", { class: "soft" }, "This network cannot be drawn here.");
    const [width, middle, text, line] = [384, 56, 122, 14];
    const group = element("g", {});
    let top = 4;
    for (const place of places) {
      const [name, said, lines, height, bar, pitch, opacity, depth, pattern] = parts[place];
      for (let block = 0; block < depth; block++) {
        group.append(element("rect", {
          class: block % pattern ? "b1" : "b0", x: middle - bar / 2, y: top + block * pitch, width: bar,
          height: Math.max(pitch - 2, pitch * 0.6), rx: 1.5, "fill-opacity": opacity,
        }));
      }
      group.append(element("text", { x: text, y: top + 9 }, element("tspan", { "font-weight": "bold" }, name), ` ${said}`));
      lines.forEach((at, index) => group.append(
        element("text", { x: text, y: top + 9 + (index + 1) * line, "fill-opacity": 0.75 }, words[at])));
      top += height;
    }
    const label = places.map((place) => `${parts[place][0]}: ${parts[place][1]}, ${parts[place][2].map((at) => words[at]).join(", ")}`);
    return element("svg", {
      class: "drawing", viewBox: `0 0 ${width} ${top}`, "font-size": 11, role: "img", "aria-label": label.join("; "),
    }, group);
  }

  // ---- what two networks differ in, by the rules of `nas diff`

  const ABSENT = ["", "-", true];
  const cellsOf = (row) => rows[row].map((place) => cells[place]);
  const flat = (row) => new Map(cellsOf(row).map((cell) => [cell[0], cell]));

  function flatStage([depth, width, row]) {
    const numbers = [["depth", String(depth), false], ["width", String(width), false]];
    return new Map([...numbers, ...cellsOf(row)].map((cell) => [cell[0], cell]));
  }

  const joined = (some) => (new Set(some.map((cell) => cell[1])).size === 1 ? some[0][1] : some.map((cell) => cell[1]).join(", "));
  const isNews = (old, fresh) => (old === ABSENT || fresh === ABSENT ? !(old[2] && fresh[2]) : old[1] !== fresh[1]);

  function follows(field, before, after) {
    const dot = field.lastIndexOf(".");
    const norm = field.slice(0, Math.max(dot, 0));
    if (field.slice(dot + 1) !== "eps" || !before.has(field) || !after.has(field)) return false;
    if (!before.has(norm) || !after.has(norm)) return false;
    return before.get(norm)[1] !== after.get(norm)[1] && before.get(field)[2] && after.get(field)[2];
  }

  function between(part, before, after) {
    const found = [];
    for (const field of new Set([...before, ...after].flatMap((row) => [...row.keys()]))) {
      const old = before.map((row) => row.get(field) ?? ABSENT);
      const fresh = after.map((row) => row.get(field) ?? ABSENT);
      if (old.length !== fresh.length) {
        const news = old.some((one) => fresh.some((other) => isNews(one, other)));
        if (joined(old) !== joined(fresh) && news) found.push([part, field, joined(old), joined(fresh)]);
        continue;
      }
      const all = old.map((_, place) => place);
      const differ = all.filter((place) => isNews(old[place], fresh[place]) && !follows(field, before[place], after[place]));
      const there = all.filter((place) => old[place] !== ABSENT || fresh[place] !== ABSENT);
      if (differ.length) {
        const where = differ.length === there.length ? part : stages(differ.map((place) => place + 1));
        found.push([where, field, joined(differ.map((place) => old[place])), joined(differ.map((place) => fresh[place]))]);
      }
    }
    return found;
  }

  function stages(numbers) {
    const [first, last] = [numbers[0], numbers[numbers.length - 1]];
    if (first === last) return `stage ${first}`;
    return `stages ${last - first + 1 === numbers.length ? `${first}-${last}` : numbers.join(", ")}`;
  }

  function differences(one, other) {
    const [before, after] = [one, other].map((point) => data.studies[point.at].fields[point.place]);
    if (!before || !after) return null;
    const found = [
      ...between("stem", [flat(before.stem)], [flat(after.stem)]),
      ...between("stages", before.stages.map(flatStage), after.stages.map(flatStage)),
      ...between("head", [flat(before.head)], [flat(after.head)]),
    ];
    if (before.drop_path !== after.drop_path) found.push(["drop_path", "", String(before.drop_path), String(after.drop_path)]);
    return found;
  }

  // ---- downloads

  function download(name, text, type) {
    const url = URL.createObjectURL(new Blob([text], { type }));
    const link = element("a", { href: url, download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }

  const safe = (name) => name.replace(/[^A-Za-z0-9._-]+/g, "-");

  function table() {
    const metrics = Object.keys(data.metrics);
    return points.map((point) => ({
      study: data.studies[point.at].name, id: point.id, number: value(point, "number"), rung: value(point, "rung"),
      seeds: value(point, "seeds"), front: isBest(point), random: value(point, "control") === 1,
      ...Object.fromEntries(metrics.map((metric) => [metric, value(point, metric) ?? null])),
      decisions: Object.fromEntries(decisions(point)),
    }));
  }

  function csv() {
    const listed = table().map(({ decisions: chosen, ...rest }) => ({
      ...rest, ...Object.fromEntries(Object.entries(chosen).map(([name, one]) => [`decisions.${name}`, one])),
    }));
    const columns = [...new Set(listed.flatMap((row) => Object.keys(row)))];
    const quoted = (cell) => {
      const text = cell === null || cell === undefined ? "" : String(cell);
      return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    return [columns, ...listed.map((row) => columns.map((name) => row[name]))].map((row) => row.map(quoted).join(",")).join("\n") + "\n";
  }

  function downloadYaml(point) {
    download(`${safe(point.id)}.yaml`, data.studies[point.at].yaml[point.id], "application/yaml");
  }

  const hasYaml = (point) => point.id in data.studies[point.at].yaml;

  // ---- the explorer: focus, pins, difference

  const pins = [];
  let focused = null;
  const explorer = document.getElementById("explorer");
  const scatter = document.getElementById("scatter");
  const x = document.getElementById("x-metric");
  const y = document.getElementById("y-metric");
  const lower = document.getElementById("lower");

  function visible() {
    return points.filter((point) => (lower.checked || isTop(point)) && (value(point, x.value) ?? null) !== null && (value(point, y.value) ?? null) !== null);
  }

  let placed = []; // visible points with their pixels
  function drawScatter(across) {
    const width = Math.max(across ?? scatter.getBoundingClientRect().width, 240);
    const height = Math.min(Math.max(0.62 * width, 320), 512);
    scatter.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const shown = visible();
    scatter.replaceChildren();
    if (!shown.length) { placed = []; scatter.append(element("text", { x: 20, y: 30 }, "nothing has both metrics")); return; }
    const [xLow, xHigh] = range(shown.map((point) => value(point, x.value)));
    const [yLow, yHigh] = range(shown.map((point) => value(point, y.value)));
    const right = width - MARGIN.right, bottom = height - MARGIN.bottom;
    const xAt = (one) => MARGIN.left + ((one - xLow) / (xHigh - xLow)) * (right - MARGIN.left);
    const yAt = (one) => bottom - ((one - yLow) / (yHigh - yLow)) * (bottom - MARGIN.top);
    for (const tick of ticks(yLow, yHigh, 6)) {
      scatter.append(element("line", { class: "grid", x1: MARGIN.left, x2: right, y1: yAt(tick), y2: yAt(tick) }));
      scatter.append(element("text", { x: MARGIN.left - 6, y: yAt(tick) + 4, "text-anchor": "end" }, say(y.value, tick)));
    }
    for (const tick of ticks(xLow, xHigh, width / 110)) {
      scatter.append(element("text", { x: xAt(tick), y: bottom + 16, "text-anchor": "middle" }, say(x.value, tick)));
    }
    scatter.append(element("line", { class: "axis", x1: MARGIN.left, x2: right, y1: bottom, y2: bottom }));
    scatter.append(element("text", { x: (MARGIN.left + right) / 2, y: height - 8, "text-anchor": "middle" }, data.metrics[x.value]));
    scatter.append(element("text", { x: MARGIN.left + 4, y: 12 }, data.metrics[y.value]));
    placed = shown.map((point) => ({ point, x: xAt(value(point, x.value)), y: yAt(value(point, y.value)) }));
    for (const one of placed.filter(({ point }) => !isBest(point))) {
      const kind = isTop(one.point) ? "point" : "low";
      scatter.append(element("circle", { class: `${kind} p${one.point.at % 8}`, cx: one.x.toFixed(1), cy: one.y.toFixed(1), r: 3 }));
    }
    data.studies.forEach((study, at) => {
      const front = placed.filter(({ point }) => point.at === at && isBest(point)).sort((one, other) => one.x - other.x);
      const line = front.map((one) => `${one.x.toFixed(1)},${one.y.toFixed(1)}`).join(" ");
      if (study.costs.length === 1) scatter.append(element("polyline", { class: `front-line p${at % 8}`, points: line, fill: "none" }));
      for (const one of front) scatter.append(element("circle", { class: `best p${at % 8}`, cx: one.x.toFixed(1), cy: one.y.toFixed(1), r: 5 }));
    });
    scatter.append(element("g", { id: "marks" }));
    drawMarks();
  }

  function drawMarks() {
    const marks = document.getElementById("marks");
    if (!marks) return;
    marks.replaceChildren();
    pins.forEach((pin, index) => {
      const one = placed.find(({ point }) => point === pin);
      if (one) marks.append(element("circle", { class: "pinned", cx: one.x, cy: one.y, r: 8 }), element("text", { class: "tag", x: one.x + 9, y: one.y - 7 }, "AB"[index]));
    });
    const one = placed.find(({ point }) => point === focused);
    if (one) marks.append(element("circle", { class: "focus", cx: one.x, cy: one.y, r: 7 }));
  }

  function card(point, heading) {
    const list = element("dl", {});
    for (const [name, said] of [...facts(point), ...decisions(point)]) list.append(element("dt", {}, name), element("dd", {}, String(said)));
    const isPinned = pins.includes(point);
    const pin = element("button", { type: "button", onclick: () => toggle(point) }, isPinned ? "unpin" : "pin");
    const yaml = hasYaml(point) ? element("button", { type: "button", onclick: () => downloadYaml(point) }, "YAML") : null;
    return [element("h3", {}, heading, element("code", {}, named(point))), drawing(point), list, element("div", { class: "controls" }, pin, yaml)];
  }

  function focus(point, aloud) {
    if (point === focused) return;
    focused = point;
    document.getElementById("detail").replaceChildren(...card(point, ""));
    drawMarks();
    drawParallels();
    if (aloud) {
      const said = `${named(point)}${isBest(point) ? ", on the front" : ""}: ${say(y.value, value(point, y.value))} ${data.metrics[y.value]}, ${say(x.value, value(point, x.value))} ${data.metrics[x.value]}`;
      document.getElementById("said").textContent = said;
    }
  }

  function toggle(point) {
    const place = pins.indexOf(point);
    if (place >= 0) pins.splice(place, 1);
    else {
      if (pins.length === 2) pins.shift();
      pins.push(point);
    }
    document.getElementById("said").textContent = `${named(point)} ${place >= 0 ? "is not pinned any more" : "is pinned"}`;
    drawPins();
    drawMarks();
    drawParallels();
    if (focused) document.getElementById("detail").replaceChildren(...card(focused, ""));
  }

  function drawPins() {
    document.getElementById("pins").replaceChildren(
      ...pins.map((point, index) => element("div", { class: "pin" }, ...card(point, `${"AB"[index]}: `))));
    document.getElementById("difference").replaceChildren(...(pins.length === 2 ? compared(...pins) : []));
  }

  function change(metric, one, other) {
    if (metric === "accuracy") return `${other >= one ? "+" : ""}${(100 * (other - one)).toFixed(1)} points`;
    if (!one || !other) return "";
    if (other >= 2 * one || one >= 2 * other) return `${Number((other / one).toPrecision(3))} times`;
    return `${other >= one ? "+" : ""}${(100 * (other / one - 1)).toFixed(1)}%`;
  }

  function compared(one, other) {
    const head = element("tr", {}, ...["where", "what", `A: ${named(one)}`, `B: ${named(other)}`, "change"].map((label) => element("th", { scope: "col" }, label)));
    const found = differences(one, other);
    const listed = (found ?? []).map((cells) => [...cells, ""]);
    if (found === null) listed.push(["", "one of them cannot be read here", "", "", ""]);
    else if (!found.length) listed.push(["", "the same architecture", "", "", ""]);
    for (const metric of Object.keys(data.metrics)) {
      const [old, fresh] = [value(one, metric) ?? null, value(other, metric) ?? null];
      const isNew = !isRepeated(one, metric) || !isRepeated(other, metric);
      if (old !== null && fresh !== null && isNew) listed.push(["result", data.metrics[metric], say(metric, old), say(metric, fresh), change(metric, old, fresh)]);
    }
    const body = element("tbody", {}, ...listed.map((cells) => element("tr", {}, ...cells.map((cell) => element("td", {}, cell)))));
    return [
      element("h3", { id: "difference-name" }, "What separates A and B"),
      element("div", { class: "scroll wrap", tabindex: 0, role: "region", "aria-labelledby": "difference-name" }, element("table", {}, element("thead", {}, head), body)),
    ];
  }

  // ---- pointer and keys

  function nearest(event) {
    const box = scatter.getBoundingClientRect();
    const view = scatter.viewBox.baseVal;
    const [px, py] = [((event.clientX - box.left) * view.width) / box.width, ((event.clientY - box.top) * view.height) / box.height];
    let [found, least] = [null, NEAR ** 2];
    for (const one of placed) {
      const far = (one.x - px) ** 2 + (one.y - py) ** 2 - (isBest(one.point) ? 9 : 0); // the front wins a tie
      if (far < least) [found, least] = [one.point, far];
    }
    return found;
  }

  function step(by, onlyFront) {
    const some = placed.filter(({ point }) => !onlyFront || isBest(point)).sort((one, other) => one.x - other.x || one.y - other.y);
    if (!some.length) return;
    const at = some.findIndex(({ point }) => point === focused);
    let next = at + by;
    if (at < 0) {
      const here = placed.find(({ point }) => point === focused);
      next = here ? some.findIndex((one) => one.x >= here.x) : by > 0 ? 0 : some.length - 1;
      if (next < 0) next = some.length - 1;
    }
    focus(some[Math.min(Math.max(next, 0), some.length - 1)].point, true);
  }

  const KEYS = {
    ArrowRight: () => step(1, true), ArrowLeft: () => step(-1, true), ArrowDown: () => step(1, false), ArrowUp: () => step(-1, false),
    Home: () => step(-points.length, true), End: () => step(points.length, true),
    Enter: () => focused && toggle(focused), " ": () => focused && toggle(focused),
    Escape: () => pins.length && toggle(pins[pins.length - 1]),
  };

  function listen() {
    scatter.addEventListener("pointermove", (event) => { const point = nearest(event); if (point) focus(point, false); });
    scatter.addEventListener("click", (event) => { const point = nearest(event); if (point) { focus(point, false); toggle(point); } });
    scatter.addEventListener("focus", () => { if (!focused) step(1, true); });
    scatter.addEventListener("keydown", (event) => {
      const act = KEYS[event.key];
      if (act && !event.ctrlKey && !event.metaKey && !event.altKey) { event.preventDefault(); act(); }
    });
    for (const control of [x, y, lower]) control.addEventListener("change", () => drawScatter());
    let width = 0;
    new ResizeObserver(() => {
      const now = scatter.getBoundingClientRect().width;
      if (Math.abs(now - width) > 1 && !matchMedia("print").matches) { width = now; draw(); }
    }).observe(scatter);
  }

  // ---- parallel coordinates

  function axesOf(at) {
    const study = data.studies[at];
    const chosen = Object.entries(study.decisions).filter(([, column]) => column.values.length > 1).map(([name, column]) => ({
      name, at: (place) => (column.at[place] === null ? null : column.at[place] / (column.values.length - 1)),
      low: String(column.values[0]), high: String(column.values[column.values.length - 1]),
    }));
    const measured = [...study.costs, "accuracy"].map((metric) => {
      const values = points.filter((point) => point.at === at && isTop(point)).map((point) => value(point, metric));
      const [low, high] = [values.reduce((one, two) => Math.min(one, two), Infinity), values.reduce((one, two) => Math.max(one, two), -Infinity)];
      return {
        name: data.metrics[metric], at: (place) => (study.candidates[metric][place] - low) / (high - low || 1),
        low: say(metric, low), high: say(metric, high),
      };
    });
    const short = labels(chosen.map((axis) => axis.name));
    return [...chosen.map((axis, place) => ({ ...axis, label: short[place] })), ...measured.map((axis) => ({ ...axis, label: ["", axis.name] }))];
  }

  // Ends of dotted names that tell them apart: the stage, and as many of the last words as have room, or as it takes.
  function labels(names) {
    const split = names.map((name) => {
      const words = name.split(".");
      const at = words.findIndex((word) => /^\d+$/.test(word)) + 1;
      return { stage: words.slice(0, at).join("."), words: words.slice(at) };
    });
    const label = ({ stage, words }, count) => [stage, words.slice(-count).join(".")];
    return split.map((one, place) => {
      const isTold = (count) => split.every((other, at) => at === place || label(one, count).join() !== label(other, count).join());
      const counts = one.words.map((_, index) => index + 1).filter(isTold);
      const short = counts.filter((count) => label(one, count)[1].length <= SHORT);
      return label(one, short.at(-1) ?? counts[0] ?? one.words.length);
    });
  }

  const ruler = document.createElement("canvas").getContext("2d");
  function pixels(text) { // of a label of a figure
    const { fontSize, fontFamily } = getComputedStyle(document.querySelector(".parallel"));
    ruler.font = `${fontSize} ${fontFamily}`;
    return ruler.measureText(text).width;
  }

  const clipped = (text) => (text.length > LONGEST ? `${text.slice(0, 8)}…${text.slice(9 - LONGEST)}` : text);

  // Upright axes side by side where their labels have room; else, on phones and paper, level ones below each other.
  function uprightAxes(axes, step) {
    const [top, bottom, last, left] = [50, 222, axes.length - 1, (place) => 30 + place * step];
    const width = step * last + 60;
    const rows = (axis) => [[12, axis.label[0]], [26, clipped(axis.label[1])], [41, clipped(axis.high)], [bottom + 16, clipped(axis.low)]];
    const lines = axes.map(rows);
    const half = (place, row) => pixels(lines[place][row][1]) * (place % last ? 0.5 : 1) - (place % last ? 0 : 28);
    const isFree = (place, row) => half(place, row) + half(place + 1, row) + 6 < step;
    const label = (axis, place) => {
      const [anchor, edge] = place === 0 ? ["start", 2] : place === last ? ["end", width - 2] : ["middle", left(place)];
      return lines[place].map(([y, words]) => element("text", { x: edge, y, "text-anchor": anchor }, words, element("title", {}, axis.name)));
    };
    return {
      width, height: bottom + 28, label,
      fits: axes.slice(1).every((_, place) => lines[0].every((_, row) => isFree(place, row))),
      line: (place) => ({ x1: left(place), x2: left(place), y1: top, y2: bottom }),
      at: (place, share) => `${left(place).toFixed(1)} ${(bottom - share * (bottom - top)).toFixed(1)}`,
    };
  }

  function levelAxes(axes, width) {
    const needed = (texts) => Math.max(...texts.map(pixels));
    const left = Math.min(needed(axes.flatMap((axis) => [axis.name, axis.low])), width * 0.55) + 10;
    const right = width - Math.min(needed(axes.map((axis) => axis.high)), width * 0.3) - 10;
    const top = (place) => 24 + place * 34;
    const label = (axis, place) => [
      element("text", { x: left - 8, y: top(place) - 10, "text-anchor": "end", class: "name" }, axis.name),
      element("text", { x: left - 8, y: top(place) + 4, "text-anchor": "end" }, axis.low),
      element("text", { x: right + 8, y: top(place) + 4 }, axis.high),
    ];
    return {
      width, height: top(axes.length - 1) + 12, label,
      line: (place) => ({ x1: left, x2: right, y1: top(place), y2: top(place) }),
      at: (place, share) => `${(left + share * (right - left)).toFixed(1)} ${top(place)}`,
    };
  }

  const parallels = []; // a figure for each study: its lines by point
  function drawAllParallels(across) {
    parallels.length = 0;
    document.querySelectorAll(".parallel").forEach((figure) => {
      const at = Number(figure.closest("[data-study]").dataset.study);
      const axes = axesOf(at);
      const room = across ?? (figure.closest(".scroll").clientWidth || 600);
      const upright = uprightAxes(axes, (room - 60) / Math.max(axes.length - 1, 1));
      const plan = upright.fits ? upright : levelAxes(axes, room);
      figure.setAttribute("viewBox", `0 0 ${plan.width} ${plan.height}`);
      figure.setAttribute("width", plan.width);
      figure.setAttribute("height", plan.height);
      figure.replaceChildren();
      const some = points.filter((point) => point.at === at && isTop(point));
      const every = Math.max(1, Math.ceil(some.length / MOST_LINES));
      const pathOf = (point) => {
        const places = axes.map((axis, place) => [place, axis.at(point.place)]).filter(([, share]) => share !== null);
        return "M" + places.map(([place, share]) => plan.at(place, share)).join("L");
      };
      some.filter((point, place) => !isBest(point) && place % every === 0).forEach((point) => figure.append(element("path", { d: pathOf(point) })));
      some.filter(isBest).forEach((point) => figure.append(element("path", { class: "best", d: pathOf(point) })));
      const chosen = element("g", {});
      figure.append(chosen);
      axes.forEach((axis, place) => figure.append(element("line", { class: "axis", ...plan.line(place) }), ...plan.label(axis, place)));
      parallels.push({ at, chosen, pathOf });
    });
    drawParallels();
  }

  function drawParallels() {
    for (const { at, chosen, pathOf } of parallels) {
      const some = [...pins, focused].filter((point) => point && point.at === at);
      chosen.replaceChildren(...some.map((point) => element("path", { class: "chosen", d: pathOf(point) })));
    }
  }

  // ---- beginning

  function draw(across) {
    if (!explorer) return;
    drawScatter(across);
    drawAllParallels(across);
  }

  function options(select, metrics, chosen) {
    for (const metric of metrics) select.append(element("option", { value: metric, ...(metric === chosen ? { selected: "" } : {}) }, data.metrics[metric]));
  }

  function findPoint(button, id) {
    const at = Number(button.closest("[data-study]").dataset.study);
    return points.find((point) => point.at === at && point.id === id);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const { pin, yaml, table: form, file } = button.dataset;
    if (pin) { const point = findPoint(button, pin); focus(point, false); toggle(point); }
    if (yaml) { const point = findPoint(button, yaml); if (hasYaml(point)) downloadYaml(point); }
    if (form === "csv") download("candidates.csv", csv(), "text/csv");
    if (form === "json") download("candidates.json", JSON.stringify(table(), null, 2), "application/json");
    if (file) {
      event.preventDefault(); // the button stands in a summary, which it must not open
      download(file, data.studies[Number(button.closest("[data-study]").dataset.study)].files[file], "application/yaml");
    }
  });

  if (explorer) {
    const metrics = Object.keys(data.metrics);
    options(x, metrics, data.studies.find((study) => study.costs.length)?.costs[0] ?? "flops");
    options(y, metrics, "accuracy");
    if (!points.some((point) => !isTop(point))) lower.closest("label").hidden = true;
    explorer.hidden = false;
    listen();
    draw();
    const best = points.filter(isBest).sort((one, other) => value(other, "accuracy") - value(one, "accuracy"))[0];
    if (best) focus(best, false);
  }
  window.addEventListener("beforeprint", () => { // paper cannot be opened
    for (const details of document.querySelectorAll("#repeat details, #failures details")) details.open = true;
    draw(PAPER);
  });
  window.addEventListener("afterprint", () => draw());
  document.documentElement.dataset.ready = "yes";
  window.report = { points, differences, pins, named, labels }; // for whoever looks with a browser's console
})();
