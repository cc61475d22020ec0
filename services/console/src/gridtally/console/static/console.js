// What pages gain with JavaScript. Each part enhances HTML that is whole without it.
"use strict";

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Dark or light, kept in this browser.
function setUpTheme() {
  const button = document.querySelector("button.theme");
  if (!button) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    const root = document.documentElement;
    const isDark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = isDark ? "light" : "dark";
    localStorage.setItem("gridtally-theme", root.dataset.theme);
    document.querySelectorAll("gt-series").forEach((series) => series.draw());
  });
}

// "/" goes to the search box, Escape leaves it.
function setUpKeys() {
  document.addEventListener("keydown", (event) => {
    const field = document.getElementById("q");
    const isTyping = event.target.closest("input, select, textarea, [contenteditable]");
    if (event.key === "/" && field && !isTyping && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      field.focus();
      field.select();
    } else if (event.key === "Escape" && event.target === field) {
      field.blur();
    }
  });
}

// A curve that can be zoomed: data from `data-href` as {starts_s, values, label, unit, zone}.
class GridtallySeries extends HTMLElement {
  async connectedCallback() {
    if (this.data) return;
    const answer = await fetch(this.dataset.href, { headers: { Accept: "application/json" } });
    if (!answer.ok) {
      this.textContent = "The curve could not be loaded; the table has the figures.";
      return;
    }
    this.data = await answer.json();
    this.replaceChildren();
    this.plotBox = document.createElement("div");
    this.plotBox.className = "plot";
    this.readout = document.createElement("p");
    this.readout.className = "readout";
    this.readout.setAttribute("role", "status");
    this.append(this.plotBox, this.readout);
    this.tabIndex = 0;
    this.setAttribute("role", "application");
    this.setAttribute("aria-label", `${this.dataset.label}. Arrow keys move along the curve.`);
    this.addEventListener("keydown", (event) => this.step(event));
    new ResizeObserver(() => this.draw()).observe(this);
  }

  draw() {
    const width = Math.floor(this.clientWidth);
    if (!this.data || width < 40) return;
    if (this.plot) this.plot.destroy();
    const axis = { stroke: style("--muted"), grid: { stroke: style("--line"), width: 1 }, ticks: { stroke: style("--line"), width: 1 }, font: "12px IBM Plex Sans, sans-serif" };
    const zone = this.data.zone;
    this.plot = new uPlot(
      {
        width,
        height: 260,
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
        cursor: { drag: { x: true, y: false } },
        legend: { show: false },
        scales: { y: { range: (_plot, low, high) => [Math.min(0, low), high > 0 ? high * 1.08 : 1] } },
        axes: [{ ...axis, values: (_plot, splits, _axis, _space, step) => splits.map((at) => this.label(at, step)) }, { ...axis, size: 56, label: this.data.unit, labelSize: 18, labelFont: axis.font }],
        series: [
          {},
          { label: this.data.label, stroke: style("--accent"), fill: style("--accent-soft"), width: 1.5, spanGaps: false, points: { show: false }, paths: uPlot.paths.stepped({ align: 1 }) },
        ],
        hooks: { setCursor: [(plot) => this.tell(plot.cursor.idx)] },
      },
      [this.data.starts_s, this.data.values],
      this.plotBox,
    );
  }

  label(seconds, step) {
    const isDay = step >= 86400;
    const form = isDay ? { day: "numeric", month: "short" } : { hour: "2-digit", minute: "2-digit" };
    return new Date(seconds * 1000).toLocaleString("en-GB", { ...form, timeZone: this.data.zone });
  }

  step(event) {
    const moves = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
    if (!(event.key in moves) || !this.plot) return;
    event.preventDefault();
    const last = this.data.starts_s.length - 1;
    const at = (this.at ?? 0) + moves[event.key];
    this.at = Math.max(0, Math.min(last, at));
    const left = this.plot.valToPos(this.data.starts_s[this.at], "x");
    this.plot.setCursor({ left, top: 20 });
    this.tell(this.at);
  }

  tell(index) {
    if (index === null || index === undefined) return;
    this.at = index;
    const when = new Date(this.data.starts_s[index] * 1000);
    const shown = when.toLocaleString("en-GB", { timeZone: this.data.zone, dateStyle: "medium", timeStyle: "short" });
    const value = this.data.texts[index];
    this.readout.textContent = value === null ? `${shown}: missing` : `${shown}: ${value} ${this.data.unit}`;
  }
}

// A text that a button copies, where the browser lets it.
class GridtallyCopied extends HTMLElement {
  connectedCallback() {
    const [field, button] = [this.querySelector("input"), this.querySelector("button")];
    if (!navigator.clipboard) return;
    button.hidden = false;
    button.addEventListener("click", async () => {
      field.select();
      await navigator.clipboard.writeText(field.value);
      button.textContent = "Copied";
    });
  }
}

customElements.define("gt-series", GridtallySeries);
customElements.define("gt-copied", GridtallyCopied);
setUpTheme();
setUpKeys();
