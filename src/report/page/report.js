"use strict";
(() => {
  const report = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const kPage = 300; // rows of a table that are drawn at a time

  // Elements are made from text alone, so that no name of the model is ever read as markup.
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }
  function draw(tag, attributes, ...children) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  // Numbers that JSON has no word for are written as text.
  const number = (x) => (x === undefined || x === null ? undefined : x === "inf" ? Infinity : x === "nan" ? NaN : x);
  const known = (x) => x !== undefined && !Number.isNaN(x);
  function decibel(x) {
    return !known(x) ? "" : x === Infinity ? "exact" : x.toFixed(1) + " dB";
  }
  const cosine = (x) => (known(x) ? x.toFixed(5) : "");
  const short = (x) => (x === undefined ? "" : String(Number(Number(x).toPrecision(4))));
  const percent = (x) => (x === undefined ? "" : (100 * x).toFixed(2) + " %");
  function bytes(x) {
    if (x === undefined) return "";
    if (x < 10000) return x + " B";
    if (x < 1000000) return (x / 1000).toFixed(1) + " kB";
    return (x / 1000000).toFixed(2) + " MB";
  }
  const least = (values) => values.filter(known).reduce((a, b) => (a === undefined || b < a ? b : a), undefined);

  const causesOf = new Map();
  for (const finding of report.findings) {
    if (!causesOf.has(finding.node)) causesOf.set(finding.node, []);
    causesOf.get(finding.node).push(finding);
  }

  // One row a layer, with the worst of its tensors.
  const layers = report.layers.map((layer, index) => {
    const of = (tensors, key) => least(tensors.map((t) => number(t[key])));
    const row = {
      index,
      layer,
      name: layer.node || layer.activations[0].name, // an input of the network has no node
      op: layer.op,
      weightBits: least(layer.weights.map((t) => t.bits)),
      activationBits: least(layer.activations.map((t) => t.bits)),
      activationSnr: of(layer.activations, "snr"),
      activationCosine: of(layer.activations, "cosine"),
      weightSnr: of(layer.weights, "snr"),
      weightCosine: of(layer.weights, "cosine"),
      before: layer.before || undefined,
      after: layer.before ? layer.after : undefined,
      floatTime: layer.float_ms,
      quantizedTime: layer.quantized_ms,
      causes: causesOf.get(layer.node) || [],
    };
    row.quantized = layer.integer || (row.weightBits !== undefined && row.weightBits < 32);
    row.note = row.causes.map((c) => c.cause).join(", ") || (layer.integer ? "" : layer.reason || "");
    row.worst = least([row.activationSnr, row.weightSnr]);
    row.text = [row.name, row.op, layer.reason, row.note].join("\n").toLowerCase();
    return row;
  });
  const timed = layers.some((row) => row.floatTime !== undefined);

  function showSummary() {
    const before = report.layers.reduce((sum, layer) => sum + layer.before, 0);
    const after = report.layers.reduce((sum, layer) => sum + layer.after, 0);
    const nodes = report.layers.filter((layer) => layer.op !== "Input");
    const integer = nodes.filter((layer) => layer.integer).length;
    const worst = layers.filter((row) => known(row.worst)).sort((a, b) => a.worst - b.worst)[0];
    const card = (name, value, more) =>
      make(
        "div",
        { class: "card" },
        make("div", { class: "name" }, name),
        make("div", { class: "value" }, value),
        make("div", { class: "more" }, more || ""),
      );
    const cards = [
      card("Constants", bytes(before) + " \u2192 " + bytes(after), before ? percent(after / before) + " of float" : ""),
      card("Layers in integers", integer + " of " + nodes.length, ""),
    ];
    for (const output of report.outputs) {
      cards.push(
        card("Cosine of output", cosine(number(output.cosine)), output.name + ", worst sample " + cosine(number(output.worst))),
      );
      if (cards.length === 5) break;
    }
    if (worst) cards.push(card("Worst layer", decibel(worst.worst), worst.name));
    cards.push(card("Samples", String(report.samples), report.data || ""));
    byId("summary").append(...cards);
    if (report.model) {
      byId("title").textContent = "Quantization of " + report.model;
      document.title = byId("title").textContent;
    }
    byId("footer").textContent = "qlite " + report.version;
  }

  function legend(element, keys) {
    element.append(...keys.map(([name, color]) => make("span", { style: "--key:var(--" + color + ")" }, name)));
  }

  // Points over the layers; those without an error are left out.
  function showErrors() {
    const width = 1000, height = 240, left = 44, right = 8, top = 10, bottom = 22;
    const finite = layers.flatMap((row) => [row.activationSnr, row.weightSnr]).filter((x) => Number.isFinite(x));
    if (finite.length === 0) return;
    legend(byId("legend"), [["activations", "activation"], ["weights", "weight"]]);
    const low = Math.floor(Math.min(0, finite.reduce((a, b) => Math.min(a, b))) / 10) * 10;
    // Beyond that one error is as little as another.
    const high = Math.max(low + 10, Math.min(70, Math.ceil(finite.reduce((a, b) => Math.max(a, b)) / 10) * 10));
    const x = (i) => left + ((i + 0.5) * (width - left - right)) / layers.length;
    const y = (snr) => top + ((high - Math.min(high, snr)) * (height - top - bottom)) / (high - low);
    const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "error by layer" });
    const step = high - low > 60 ? 20 : 10;
    for (let snr = low; snr <= high; snr += step) {
      svg.append(draw("line", { x1: left, x2: width - right, y1: y(snr), y2: y(snr), stroke: "var(--line)" }));
      svg.append(draw("text", { x: left - 6, y: y(snr) + 4, "text-anchor": "end" }, snr + " dB"));
    }
    for (const [key, color] of [["weightSnr", "weight"], ["activationSnr", "activation"]]) {
      let line = "", dots = "";
      for (const row of layers) {
        if (!Number.isFinite(row[key])) continue;
        const at = x(row.index).toFixed(1) + " " + y(row[key]).toFixed(1);
        line += (line ? "L" : "M") + at;
        dots += "M" + at + "h0";
      }
      svg.append(draw("path", { d: line, fill: "none", stroke: `var(--${color})`, "stroke-width": 1, opacity: 0.45 }));
      const size = layers.length > 400 ? 3 : 6;
      svg.append(draw("path", { d: dots, stroke: `var(--${color})`, "stroke-width": size, "stroke-linecap": "round" }));
    }
    svg.append(draw("text", { x: left, y: height - 6 }, "first layer"));
    svg.append(draw("text", { x: width - right, y: height - 6, "text-anchor": "end" }, "last layer"));
    byId("error-chart").append(svg);
  }

  const heights = (text) => Array.from(text, (c) => parseInt(c, 36) / 35);

  // Logarithmic counts: the float values filled, the quantized ones as a line, the chosen range in between.
  function histogram(tensor, kind) {
    const box = make("div", { class: "histogram" });
    box.append(make("p", {}, make("strong", {}, kind), " ", tensor.name));
    const facts = [tensor.scales === 0 ? "float" : tensor.bits + " bits"];
    if (tensor.scales > 1) facts.push(tensor.scales + " scales");
    if (known(number(tensor.snr))) facts.push(decibel(number(tensor.snr)), "cosine " + cosine(number(tensor.cosine)));
    if (tensor.clip > 0) facts.push(percent(tensor.clip) + " outside the range of the quantized values");
    facts.push("values " + short(number(tensor.min)) + " to " + short(number(tensor.max)));
    if (tensor.grid) facts.push("range " + short(tensor.grid[0]) + " to " + short(tensor.grid[1]));
    box.append(make("p", { class: "faint" }, facts.join(" \u00b7 ")));
    if (!tensor.float_counts) return box;
    const width = 360, height = 120, base = 100;
    const bins = heights(tensor.float_counts);
    const low = number(tensor.low), high = number(tensor.high);
    const x = (value) => ((value - low) / (high - low || 1)) * width;
    const each = width / bins.length;
    const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "histogram of " + tensor.name });
    if (tensor.grid) {
      const from = Math.max(0, Math.min(width, x(tensor.grid[0]))), to = Math.max(0, Math.min(width, x(tensor.grid[1])));
      svg.append(draw("rect", { x: from, width: Math.max(1, to - from), y: 0, height: base, fill: "var(--range)", opacity: 0.14 }));
      for (const edge of [from, to]) {
        svg.append(draw("line", { x1: edge, x2: edge, y1: 0, y2: base, stroke: "var(--range)", "stroke-width": 1.5 }));
      }
    }
    const outline = (values) =>
      values.map((h, i) => `${i ? "L" : "M"}${(i * each).toFixed(1)} ${(base - h * 94).toFixed(1)}h${each.toFixed(1)}`).join("");
    svg.append(draw("path", { d: outline(bins) + `V${base}H0Z`, fill: "var(--float)", opacity: 0.5 }));
    if (tensor.quantized_counts) {
      const color = kind === "weight" ? "var(--weight)" : "var(--activation)";
      svg.append(draw("path", { d: outline(heights(tensor.quantized_counts)), fill: "none", stroke: color, "stroke-width": 1.5 }));
    }
    svg.append(draw("text", { x: 0, y: height - 6 }, short(low)));
    svg.append(draw("text", { x: width, y: height - 6, "text-anchor": "end" }, short(high)));
    box.append(svg);
    const keys = make("div", { class: "legend" });
    legend(keys, [["float", "float"], ["quantized", kind === "weight" ? "weight" : "activation"], ["chosen range", "range"]]);
    box.append(keys);
    return box;
  }

  function details(row) {
    const box = make("div", { class: "details" });
    if (!row.layer.integer && row.layer.reason) box.append(make("p", {}, "Stayed float: " + row.layer.reason));
    for (const finding of row.causes) {
      box.append(make("p", {}, make("strong", {}, finding.cause), ": " + finding.evidence + ". " + finding.remedy + "."));
    }
    for (const tensor of row.layer.weights) box.append(histogram(tensor, "weight"));
    for (const tensor of row.layer.activations) box.append(histogram(tensor, "activation"));
    return box;
  }

  const bits = (x) => (x === undefined ? "" : x === 32 ? "float" : String(x));
  const columns = [
    { title: "Layer", key: "name", class: "name" },
    { title: "Operator", key: "op" },
    { title: "Weight bits", key: "weightBits", show: bits, class: "number" },
    { title: "Activation bits", key: "activationBits", show: bits, class: "number" },
    { title: "Activation SNR", key: "activationSnr", show: decibel, class: "number" },
    { title: "Activation cosine", key: "activationCosine", show: cosine, class: "number" },
    { title: "Weight SNR", key: "weightSnr", show: decibel, class: "number" },
    { title: "Weight cosine", key: "weightCosine", show: cosine, class: "number" },
    { title: "Float size", key: "before", show: bytes, class: "number" },
    { title: "Quantized size", key: "after", show: bytes, class: "number" },
    ...(timed
      ? [
          { title: "Float ms", key: "floatTime", show: short, class: "number" },
          { title: "Quantized ms", key: "quantizedTime", show: short, class: "number" },
        ]
      : []),
    { title: "Cause, or why it stayed float", key: "note", class: "text" },
  ];

  let sortKey = "worst", ascending = true, drawn = kPage;
  function compare(a, b) {
    const left = a[sortKey], right = b[sortKey];
    const missing = (x) => x === undefined || x === "" || Number.isNaN(x);
    if (missing(left) || missing(right)) return missing(left) - missing(right) || a.index - b.index;
    const order = left < right ? -1 : left > right ? 1 : 0;
    return (ascending ? order : -order) || a.index - b.index;
  }
  function wanted(row) {
    const text = byId("search").value.trim().toLowerCase();
    const filter = byId("filter").value;
    if (text && !row.text.includes(text)) return false;
    if (filter === "quantized") return row.quantized;
    if (filter === "float") return !row.quantized;
    return filter !== "cause" || row.causes.length > 0;
  }

  function headings() {
    const cells = columns.map((column) => {
      const button = make("button", { type: "button" }, column.title);
      const cell = make("th", { scope: "col", class: column.class || "" }, button);
      if (column.key === sortKey) cell.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      button.addEventListener("click", () => {
        ascending = column.key === sortKey ? !ascending : true;
        sortKey = column.key;
        showLayers();
        byId("layers").querySelectorAll("th button")[columns.indexOf(column)].focus();
      });
      return cell;
    });
    return make("thead", {}, make("tr", {}, ...cells));
  }

  function layerRow(row) {
    const cells = columns.map((column) => {
      const text = column.show ? column.show(row[column.key]) : row[column.key];
      return make("td", { class: column.class || "" }, text === undefined ? "" : text);
    });
    const line = make("tr", { class: "layer", tabindex: "0", "aria-expanded": "false" }, ...cells);
    const toggle = () => {
      if (line.getAttribute("aria-expanded") === "true") {
        line.setAttribute("aria-expanded", "false");
        line.nextSibling.remove();
        return;
      }
      line.setAttribute("aria-expanded", "true");
      line.after(make("tr", {}, make("td", { colspan: String(columns.length) }, details(row))));
    };
    line.addEventListener("click", toggle);
    line.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      toggle();
    });
    return line;
  }

  function showLayers() {
    const rows = layers.filter(wanted).sort(compare);
    byId("layers").replaceChildren(headings(), make("tbody", {}, ...rows.slice(0, drawn).map(layerRow)));
    byId("shown").textContent = Math.min(drawn, rows.length) + " of " + layers.length + " layers shown";
    byId("more").hidden = rows.length <= drawn;
  }

  function plainTable(element, titles, rows) {
    const cells = (tag, values) => values.map(([text, style]) => make(tag, { class: style || "" }, text));
    element.append(make("thead", {}, make("tr", {}, ...cells("th", titles))));
    element.append(make("tbody", {}, ...rows.map((row) => make("tr", {}, ...cells("td", row)))));
  }

  function showCauses() {
    byId("causes-section").hidden = report.findings.length === 0;
    plainTable(
      byId("causes"),
      [["Layer"], ["Tensor"], ["Cause"], ["Evidence"], ["Remedy"], ["Expected gain", "number"]],
      report.findings.slice(0, kPage).map((f) => [
        [f.node || "Input", "name"], [f.tensor, "name"], [f.cause], [f.evidence, "text"], [f.remedy, "text"],
        [decibel(number(f.gain)), "number"],
      ]),
    );
  }

  function showApplied() {
    byId("applied-section").hidden = report.applied.length === 0;
    plainTable(
      byId("applied"),
      [["Change"], ["Expected gain", "number"], ["Measured gain", "number"], ["SNR before", "number"], ["SNR after", "number"]],
      report.applied.map((a) => [
        [a.change, "name"],
        [number(a.expected) > 0 ? decibel(number(a.expected)) : "none", "number"],
        [decibel(number(a.after) - number(a.before)), "number"],
        [decibel(number(a.before)), "number"],
        [decibel(number(a.after)), "number"],
      ]),
    );
  }

  function showSensitivity() {
    byId("sensitivity-section").hidden = report.sensitivity.length === 0;
    plainTable(
      byId("sensitivity"),
      [["Layer"], ["Operator"], ["SNR", "number"], ["Cosine", "number"], ["Same top-1", "number"]],
      report.sensitivity.slice(0, kPage).map((s) => [
        [s.node, "name"], [s.op], [decibel(number(s.snr)), "number"], [cosine(number(s.cosine)), "number"],
        [percent(number(s.top1)), "number"],
      ]),
    );
  }

  const themes = ["system", "light", "dark"];
  byId("theme").addEventListener("click", () => {
    const next = themes[(themes.indexOf(document.documentElement.dataset.theme || "system") + 1) % themes.length];
    if (next === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    byId("theme").textContent = "Theme: " + next;
  });
  for (const [id, event] of [["search", "input"], ["filter", "change"]]) {
    byId(id).addEventListener(event, () => {
      drawn = kPage;
      showLayers();
    });
  }
  byId("more").addEventListener("click", () => {
    drawn += kPage;
    showLayers();
  });
  window.addEventListener("beforeprint", () => {
    drawn = Infinity;
    showLayers();
  });

  showSummary();
  showErrors();
  showCauses();
  showApplied();
  showSensitivity();
  showLayers();
})();
