"use strict";
// The controls: the clock, buttons, keys, the time line and the list.

/** The available speeds, in virtual seconds per second. */
const SPEEDS = [-3, -2, -1, 0, 1, 2, 3].flatMap((power) => [1, 2, 5].map((digit) => digit * 10 ** power));

const byId = (id) => document.getElementById(id);

class Player {
  constructor(recording) {
    this.timeline = readTimeline(recording);
    this.describeEvent = makeDescribeEvent(this.timeline);
    this.groups = groupsOf(this.timeline);
    this.painter = new Painter(byId("picture"), this.timeline);
    this.moment = { time: 0, count: 0 };
    this.playing = false;
    this.speed = SPEEDS.indexOf(this.fittingSpeed());
    this.list = new EventList(byId("events"), this.timeline, this.describeEvent, (index) => this.jump(index));
    this.describe();
    this.makeFilters();
    this.makeLegend();
    this.listen();
    this.filter();
    this.toStart();
  }

  get end() {
    return this.timeline.recording.end;
  }

  /** A speed at which a message takes most of a second from node to node. */
  fittingSpeed() {
    const travels = this.timeline.events
      .filter(({ what }) => what === "hop" || what === "message")
      .map(({ at, arrival }) => arrival - at)
      .sort((a, b) => a - b);
    const typical = travels[travels.length >> 1] || this.end / 60 || 1e6;
    const wanted = typical / 0.7e6;
    return SPEEDS.reduce((best, speed) =>
      Math.abs(Math.log(speed / wanted)) < Math.abs(Math.log(best / wanted)) ? speed : best);
  }

  // --- moving through time

  go(moment, force = false) {
    this.moment = moment;
    this.show(force);
  }

  toStart() {
    this.pause();
    this.go(momentAt(this.timeline, 0), true);
  }

  toEnd() {
    this.pause();
    this.go(momentAt(this.timeline, this.end), true);
  }

  /** Moves to the moment just after event number `index`. */
  jump(index) {
    this.pause();
    this.go(momentAfter(this.timeline, index), true);
  }

  /** Moves to the next listed event, or back to the previous one. */
  step(direction) {
    this.pause();
    const { shown } = this.list;
    const at = this.list.last(this.moment.count);
    const target = direction > 0 ? at + 1 : at - 1;
    if (target < 0) this.go({ time: 0, count: 0 }, true);
    else if (target < shown.length) this.jump(shown[target]);
    else this.toEnd();
  }

  seek(time) {
    this.go(momentAt(this.timeline, time), true);
  }

  play() {
    if (this.playing) return;
    if (this.moment.time >= this.end) this.go(momentAt(this.timeline, 0), true);
    this.playing = true;
    this.last = null;
    this.showState();
    requestAnimationFrame((now) => this.tick(now));
  }

  pause() {
    this.playing = false;
    this.showState();
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  faster(steps) {
    this.speed = Math.min(Math.max(this.speed + steps, 0), SPEEDS.length - 1);
    this.showState();
    this.show();
  }

  /** Microseconds of virtual time per millisecond. */
  get pace() {
    return SPEEDS[this.speed] * 1000;
  }

  tick(now) {
    if (!this.playing) return;
    // A page that was hidden continues where it stopped.
    const passed = Math.min(now - (this.last ?? now), 100);
    this.last = now;
    let time = this.moment.time + passed * this.pace;
    if (byId("skip").checked) time = Math.max(time, this.afterQuiet());
    if (time >= this.end) {
      this.toEnd();
      return;
    }
    this.go(momentAt(this.timeline, time));
    requestAnimationFrame((next) => this.tick(next));
  }

  /** A moment shortly before the next listed event, if nothing is visible until then. */
  afterQuiet() {
    const next = this.list.shown[this.list.last(this.moment.count) + 1];
    const until = next === undefined ? this.end : this.timeline.events[next].at;
    const quiet = until - this.moment.time > 1000 * this.pace;
    if (!quiet || isAnythingMoving(this.timeline, this.moment)) return 0;
    const fading = sceneAt(this.timeline, this.moment, this.linger);
    if (fading.routes.some(({ end }) => end) || fading.nodes.some(({ fading: over, coming }) => over > 0 || coming < 1)) return 0;
    return next === undefined ? until : until - 300 * this.pace;
  }

  /** How long ended routes and departed nodes stay visible. */
  get linger() {
    return 1200 * this.pace;
  }

  // --- display

  show(force = false) {
    const { moment } = this;
    const scene = sceneAt(this.timeline, moment, this.linger);
    this.painter.draw(scene);
    this.list.mark(moment.count, force);
    byId("time").value = moment.time / 1000;
    const clock = `${inSeconds(moment.time, this.end)} of ${inSeconds(this.end, this.end)}`;
    byId("time").setAttribute("aria-valuetext", clock);
    byId("clock").textContent = clock;
    byId("now").textContent = moment.count > 0 ? this.describeEvent(moment.count - 1) : "no event yet";
    const told = this.summary(scene);
    byId("counts").replaceChildren(...told.map(([name, value, kind]) => {
      const count = document.createElement("span");
      count.className = `count ${kind ?? ""}`;
      const number = document.createElement("b");
      number.textContent = value;
      count.append(number, ` ${name}`);
      return count;
    }));
    const picture = byId("picture");
    picture.setAttribute("aria-label", `The network at ${clock}: ${told.map(([name, value]) => `${value} ${name}`).join(", ")}`);
    byId("cursor").style.left = `${(100 * moment.time) / Math.max(this.end, 1)}%`;
  }

  /** The counters, as [name, value, kind]. */
  summary({ counts, others }) {
    const { recording, nodes, routes } = this.timeline;
    const told = [["members", counts.members]];
    if (nodes.some((node) => node.sybil)) told.push(["Sybils (included)", counts.sybils, "sybil"]);
    if (routes.some((route) => route.lookup)) {
      const under = counts.lookups - counts.ok - counts.wrong - counts.failed;
      told.push(["lookups", counts.lookups], ["in progress", under, "lookup"]);
      told.push(["\u2713 correct", counts.ok, "ok"], ["\u2260 wrong", counts.wrong, "wrong"], ["\u2717 failed", counts.failed, "failed"]);
    }
    recording.counters.forEach((name, place) => told.push([name, counts.counters?.[place] ?? 0, "service"]));
    told.push(["other messages per second", Math.round(others)]);
    return told;
  }

  showState() {
    const button = byId("play");
    button.setAttribute("aria-label", this.playing ? "Pause" : "Play");
    button.title = this.playing ? "Pause (space)" : "Play (space)";
    document.body.dataset.state = this.playing ? "playing" : "paused";
    byId("now").setAttribute("aria-live", this.playing ? "off" : "polite");
    const speed = SPEEDS[this.speed];
    byId("speed").textContent = speed < 1 ? `${Number((speed * 1000).toPrecision(1))} ms per second` : `${speed} s per second`;
  }

  // --- fixed texts

  describe() {
    const { recording } = this.timeline;
    const { head } = recording;
    const point = head.point.map(([key, value]) => `${key} = ${value}`);
    byId("about").textContent = [
      head.protocol,
      `${head.experiment} \u201c${head.scenario}\u201d`,
      `run ${head.run}`,
      ...point,
      `${recording.travel} lookups`,
    ].join(" \u00b7 ");
    byId("space").textContent = this.painter.chart.about;
    const notes = [...head.notes];
    if (recording.cut) {
      notes.unshift(`The recording ends at ${inSeconds(this.end, this.end)}, after ${recording.events.length} events, the maximum. The run continued.`);
    }
    byId("notes").replaceChildren(...notes.map((note) => {
      const line = document.createElement("p");
      line.textContent = note;
      return line;
    }));
    byId("time").max = this.end / 1000;
  }

  makeFilters() {
    const counts = GROUPS.map((_, group) => this.groups.filter((of) => of === group).length);
    const boxes = GROUPS.flatMap(({ name }, group) => {
      if (counts[group] === 0) return [];
      const label = document.createElement("label");
      const box = document.createElement("input");
      box.type = "checkbox";
      box.checked = true;
      box.dataset.group = group;
      box.addEventListener("change", () => this.filter());
      label.append(box, ` ${name} (${counts[group]})`);
      return [label];
    });
    byId("filters").append(...boxes);
  }

  /** Lists the events of the selected kinds. */
  filter() {
    const boxes = [...byId("filters").querySelectorAll("input")];
    const wanted = new Set(boxes.filter((box) => box.checked).map((box) => Number(box.dataset.group)));
    const indices = [];
    this.groups.forEach((group, index) => wanted.has(group) && indices.push(index));
    this.list.show(indices);
    this.list.mark(this.moment.count, true);
  }

  makeLegend() {
    const { recording, nodes, routes, directMessages, states } = this.timeline;
    const lines = [["member", "\u25cf", "a member; dashed while it joins, with a ring when it starts"]];
    const hasPeers = nodes.some((node) => node.peers.length > 0);
    byId("peers").parentElement.hidden = !hasPeers;
    if (hasPeers) lines.push(["member", "\u2500", "from a node under the pointer to the nodes that it knows, dashed to those that are gone; a click keeps the node"]);
    if (nodes.some((node) => node.sybil)) lines.push(["sybil", "\u25b2", "a Sybil: a node of the adversary"]);
    if (nodes.some((node) => node.goes < Infinity && !node.farewell)) lines.push(["failed", "\u2715", "a node that has crashed"]);
    if (nodes.some((node) => node.farewell)) lines.push(["faint", "\u25cc", "a node that has left"]);
    if (routes.some((route) => route.lookup)) {
      lines.push(["lookup", "\u25c7", "the key of a lookup, with its number"]);
      lines.push(["lookup", "\u25cf", "a lookup in progress"], ["lookup", "\u25cb", "its answer"]);
      for (const outcome of ["ok", "wrong", "failed"]) {
        const { colour, sign } = OUTCOMES[outcome];
        const words = { ok: "a lookup that ended at the root", wrong: "a lookup that ended at another node", failed: "a failed lookup" };
        lines.push([colour, sign, words[outcome]]);
      }
    }
    if (routes.some((route) => !route.lookup)) lines.push(["service", "\u25cf", "a message of the service to the root of a key, \u25c6"]);
    if (directMessages.length > 0) lines.push(["service", "\u25a1", "a direct message of the service to a node"]);
    if (states.length > 0) {
      const kinds = new Set(states.map(({ state }) => state));
      const item = recording.item || "item";
      if (kinds.has("pending")) lines.push(["service", "\u25cb", `${item}: not executed yet`]);
      if (kinds.has("running")) lines.push(["wrong", "\u25cf", `${item}: in execution`]);
      if (kinds.has("done")) lines.push(["service", "\u25cf", kinds.has("pending") ? `${item}: mapped` : `${item}: stored`]);
      if (kinds.has("replica")) lines.push(["faint", "\u00b7", `${item}: a replica`]);
    }
    byId("legend").append(...lines.map(([colour, sign, words]) => {
      const line = document.createElement("li");
      const mark = document.createElement("span");
      mark.className = "mark";
      mark.style.color = `var(--${colour})`;
      mark.textContent = sign;
      mark.setAttribute("aria-hidden", "true");
      line.append(mark, words);
      return line;
    }));
  }

  /** The course of the run behind the slider: lookups, other messages, joins and departures. */
  drawCourse() {
    const canvas = byId("course");
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth * ratio, canvas.clientHeight * ratio].map(Math.round);
    if (width === 0) return;
    [canvas.width, canvas.height] = [width, height];
    const draw = canvas.getContext("2d");
    const { colours } = this.painter;
    const at = (time) => (time / Math.max(this.end, 1)) * width;
    const { width: length, counts } = this.timeline.recording.others;
    const most = Math.max(...counts, 1);
    draw.fillStyle = colours.cell;
    counts.forEach((count, i) => {
      const tall = (count / most) * height * 0.9;
      draw.fillRect(at(i * length), height - tall, Math.max(at(length), 1), tall);
    });
    const mark = (time, colour, top, tall) => {
      draw.fillStyle = colours[colour];
      draw.fillRect(at(time) - ratio / 2, top * height, 1.5 * ratio, tall * height);
    };
    for (const route of this.timeline.routes) {
      mark(this.timeline.events[route.begins].at, route.lookup ? "lookup" : "service", 0.68, 0.3);
    }
    this.timeline.events.forEach((event) => {
      if (event.at > 0 && event.what === "appear") {
        mark(event.at, this.timeline.nodes[event.node].sybil ? "sybil" : "member", 0.02, 0.26);
      } else if (event.what === "crash" || event.what === "leave") {
        mark(event.at, event.what === "crash" ? "failed" : "faint", 0.35, 0.26);
      }
    });
  }

  // --- input

  listen() {
    const act = {
      play: () => this.toggle(),
      back: () => this.step(-1),
      forward: () => this.step(1),
      start: () => this.toStart(),
      end: () => this.toEnd(),
      slower: () => this.faster(-1),
      faster: () => this.faster(1),
    };
    for (const [id, action] of Object.entries(act)) byId(id).addEventListener("click", action);
    byId("time").addEventListener("input", (event) => this.seek(Number(event.target.value) * 1000));
    byId("course").addEventListener("pointerdown", (event) => this.seek((event.offsetX / event.target.clientWidth) * this.end));
    const keys = {
      " ": act.play,
      ArrowLeft: act.back,
      ArrowRight: act.forward,
      "+": act.faster,
      "=": act.faster,
      "-": act.slower,
      Home: act.start,
      End: act.end,
    };
    // The space bar presses the focused control; Enter selects a row of the list.
    const isMeant = (event) =>
      keys[event.key] && !event.ctrlKey && !event.metaKey && !event.altKey
      && !(event.key === " " && event.target.closest?.(".buttons button, input[type=checkbox], summary"));
    // In the capturing phase, as the slider would also react.
    document.addEventListener("keydown", (event) => {
      if (!isMeant(event)) return;
      event.preventDefault();
      keys[event.key]();
    }, true);
    // Buttons react when the space bar is released.
    document.addEventListener("keyup", (event) => event.key === " " && isMeant(event) && event.preventDefault(), true);
    const picture = byId("picture");
    const hover = (event) => {
      const side = picture.clientWidth;
      const node = this.painter.nodeAt(event.offsetX / side, event.offsetY / side);
      if (node !== this.painter.hovered) {
        this.painter.hovered = node;
        this.show();
      }
    };
    picture.addEventListener("pointermove", hover);
    picture.addEventListener("pointerdown", (event) => {
      hover(event);
      // A click keeps a node; a click on it, or beside all nodes, releases it.
      const { painter } = this;
      painter.chosen = painter.hovered === painter.chosen ? null : painter.hovered;
      this.show();
    });
    byId("peers").addEventListener("change", (event) => {
      this.painter.allPeers = event.target.checked;
      this.show();
    });
    picture.addEventListener("pointerleave", () => {
      this.painter.hovered = null;
      this.show();
    });
    const repaint = () => {
      this.painter.takeColours();
      this.drawCourse();
      this.show();
    };
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
    new ResizeObserver(repaint).observe(picture);
  }
}

const player = new Player(JSON.parse(byId("recording").textContent));
