"use strict";
// The list of all events. Only the visible rows are in the page, as there may be a hundred
// thousand events.

/** The height of a row in pixels, as in the style sheet. */
const ROW = 28;

class EventList {
  /** The list in `box`; `choose` is called with the number of a clicked event. */
  constructor(box, timeline, describeEvent, choose) {
    this.box = box;
    this.timeline = timeline;
    this.describeEvent = describeEvent;
    this.inner = document.createElement("ol");
    this.inner.className = "rows";
    this.box.append(this.inner);
    this.shown = [];
    /** The rows that are in the page, by the numbers of their events. */
    this.rows = new Map();
    this.current = -1;
    this.touched = 0;
    this.box.addEventListener("scroll", () => this.render());
    for (const kind of ["wheel", "touchmove", "pointerdown"]) {
      this.box.addEventListener(kind, () => (this.touched = performance.now()), { passive: true });
    }
    this.inner.addEventListener("click", (event) => {
      const row = event.target.closest("button");
      if (row) choose(Number(row.dataset.event));
    });
    new ResizeObserver(() => this.render()).observe(this.box);
  }

  /** Lists these events. */
  show(indices) {
    this.shown = indices;
    this.inner.style.height = `${indices.length * ROW}px`;
    this.render();
  }

  /** Marks the last listed event among the first `count` events, and scrolls to it. */
  mark(count, force) {
    const current = this.last(count);
    if (current === this.current && !force) return;
    this.current = current;
    // No scrolling while the reader uses the list.
    if (force || performance.now() - this.touched > 3000) {
      const top = Math.max(current, 0) * ROW;
      const { scrollTop, clientHeight } = this.box;
      if (top < scrollTop || top > scrollTop + clientHeight - 2 * ROW) {
        this.box.scrollTop = top - clientHeight / 2;
      }
    }
    this.render();
  }

  /** The index in the list of its last event among the first `count`; -1 before the first. */
  last(count) {
    let [low, high] = [0, this.shown.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.shown[middle] < count) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Adds the visible rows to the page. Existing rows stay, as one may be about to be clicked. */
  render() {
    const first = Math.max(Math.floor(this.box.scrollTop / ROW) - 4, 0);
    const end = Math.min(first + Math.ceil(this.box.clientHeight / ROW) + 8, this.shown.length);
    for (const [index, row] of this.rows) {
      const place = row.place;
      if (place < first || place >= end || this.shown[place] !== index) {
        row.line.remove();
        this.rows.delete(index);
      }
    }
    let before = null;
    for (let place = first; place < end; place += 1) {
      const index = this.shown[place];
      if (!this.rows.has(index)) this.rows.set(index, this.row(place));
      const { line, button } = this.rows.get(index);
      if (place === this.current) button.setAttribute("aria-current", "step");
      else button.removeAttribute("aria-current");
      button.classList.toggle("later", place > this.current);
      // In order, for keyboard navigation.
      const next = before ? before.nextSibling : this.inner.firstChild;
      if (next !== line) this.inner.insertBefore(line, next);
      before = line;
    }
  }

  row(place) {
    const index = this.shown[place];
    const line = document.createElement("li");
    line.style.top = `${place * ROW}px`;
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.event = index;
    const time = document.createElement("span");
    time.className = "time";
    time.textContent = inSeconds(this.timeline.events[index].at, this.timeline.recording.end);
    const told = document.createElement("span");
    told.className = "told";
    told.textContent = this.describeEvent(index);
    button.title = told.textContent;
    button.append(time, told);
    line.append(button);
    return { place, line, button };
  }
}
