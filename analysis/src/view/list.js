"use strict";
// The list of all events, of which only those in sight are in the page: there may be a hundred
// thousand.

/** The height of a row in pixels, as in the style sheet. */
const ROW = 28;

class EventList {
  /** In `box`; `choose` is called with the number of an event that is clicked. */
  constructor(box, timeline, words, choose) {
    this.box = box;
    this.timeline = timeline;
    this.words = words;
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

  /** Marks the last event that has happened after `count` events, and brings it into sight. */
  mark(count, force) {
    const current = this.last(count);
    if (current === this.current && !force) return;
    this.current = current;
    // Who reads the list elsewhere is left in peace.
    if (force || performance.now() - this.touched > 3000) {
      const top = Math.max(current, 0) * ROW;
      const { scrollTop, clientHeight } = this.box;
      if (top < scrollTop || top > scrollTop + clientHeight - 2 * ROW) {
        this.box.scrollTop = top - clientHeight / 2;
      }
    }
    this.render();
  }

  /** The place in the list of the last of its events among the first `count`; -1 before the first. */
  last(count) {
    let [low, high] = [0, this.shown.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.shown[middle] < count) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Puts the rows in sight into the page. Those that are there stay: one may be about to be clicked. */
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
      // In order, for those who go through the page by keyboard.
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
    told.textContent = this.words(index);
    button.title = told.textContent;
    button.append(time, told);
    line.append(button);
    return { place, line, button };
  }
}
