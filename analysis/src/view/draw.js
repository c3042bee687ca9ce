"use strict";
// Draws a moment of a recording on a canvas. Things with different colours also have different shapes.

/** Maximum number of distinguishable dots beside a node. */
const MOST_DOTS = 18;

/** The style of route outcomes: a colour of the style sheet, a sign and a word. */
const OUTCOMES = {
  ok: { colour: "ok", sign: "\u2713", word: "correct" },
  wrong: { colour: "wrong", sign: "\u2260", word: "wrong node" },
  failed: { colour: "failed", sign: "\u2717", word: "failed" },
  delivered: { colour: "service", sign: "\u2713", word: "delivered" },
  absorbed: { colour: "service", sign: "\u2295", word: "consumed" },
};

class Painter {
  constructor(canvas, timeline) {
    this.canvas = canvas;
    this.timeline = timeline;
    this.chart = makeChart(timeline.recording.space, timeline.states.length > 0);
    /** The node under the pointer. */
    this.hovered = null;
    /** The node that a click has chosen. */
    this.chosen = null;
    /** Whether the peers of all nodes are shown. */
    this.allPeers = false;
    this.cells = { of: "", polygons: [] };
    this.colours = {};
    this.takeColours();
  }

  /** Reads the colours of the style sheet, which follow the reader's light or dark mode. */
  takeColours() {
    const style = getComputedStyle(document.documentElement);
    const names = ["ink", "paper", "faint", "line", "cell", "member", "sybil", "sybilCell", "lookup", "ok", "wrong", "failed", "service"];
    for (const name of names) this.colours[name] = style.getPropertyValue(`--${name}`).trim();
  }

  /** Sets the resolution of the canvas to that of the screen. */
  fit() {
    const side = Math.round(this.canvas.clientWidth * (window.devicePixelRatio || 1));
    if (this.canvas.width !== side) {
      this.canvas.width = side;
      this.canvas.height = side;
    }
    // Lengths below are fractions of the picture; a point is a pixel of the page.
    this.point = 1 / Math.max(this.canvas.clientWidth, 1);
    // Marks are smaller in a small picture, text is not.
    this.mark = this.point * Math.min(1, Math.max(0.6, this.canvas.clientWidth / 650));
    return side;
  }

  draw(scene) {
    const side = this.fit();
    this.scene = scene;
    const draw = this.canvas.getContext("2d");
    this.context = draw;
    draw.setTransform(side, 0, 0, side, 0, 0);
    draw.clearRect(0, 0, 1, 1);
    draw.lineJoin = "round";
    draw.textBaseline = "middle";
    this.places = new Map(scene.nodes.map((seen) => [seen.node.number, seen.place]));
    this.size = this.mark * Math.min(9, Math.max(4, 10 - scene.nodes.length / 25));
    this.drawSpace();
    this.drawHovered();
    this.drawPeers();
    scene.routes.forEach((seen) => this.drawTrail(seen));
    this.drawAllItems();
    // Sybils first: they are larger, and often at the position of another node.
    for (const sybil of [true, false]) {
      scene.nodes.filter(({ node }) => node.sybil === sybil).forEach((seen) => this.drawNode(seen));
    }
    scene.directMessages.forEach((message) => this.drawDirectMessage(message));
    scene.routes.forEach((seen) => this.drawRoute(seen));
    this.drawLabel();
  }

  stroke(colour, width, dash = []) {
    this.context.strokeStyle = this.colours[colour];
    this.context.lineWidth = width * this.point;
    this.context.setLineDash(dash.map((length) => length * this.point));
    this.context.stroke();
    this.context.setLineDash([]);
  }

  fill(colour) {
    this.context.fillStyle = this.colours[colour];
    this.context.fill();
  }

  circle([x, y], radius) {
    this.context.beginPath();
    this.context.arc(x, y, radius, 0, 2 * Math.PI);
  }

  polygon(points) {
    this.context.beginPath();
    points.forEach(([x, y], i) => (i === 0 ? this.context.moveTo(x, y) : this.context.lineTo(x, y)));
  }

  text(words, [x, y], colour = "ink", size = 12, align = "left") {
    const draw = this.context;
    // Text is set in pixels: as a fraction of 1 its size would be too small for browsers.
    draw.save();
    const side = this.canvas.width;
    const scale = side * this.point;
    draw.setTransform(scale, 0, 0, scale, x * side, y * side);
    draw.font = `${size}px system-ui, sans-serif`;
    draw.textAlign = align;
    draw.lineWidth = 3;
    draw.strokeStyle = this.colours.paper;
    draw.strokeText(words, 0, 0);
    draw.fillStyle = this.colours[colour];
    draw.fillText(words, 0, 0);
    draw.restore();
  }

  /** Text beside a point, on the side with space. */
  label(words, [x, y], colour, size = 12) {
    const left = x > 0.75;
    const away = this.size + 5 * this.point;
    this.text(words, [x + (left ? -away : away), y - away], colour, size, left ? "right" : "left");
  }

  // --- the space

  drawSpace() {
    const { chart } = this;
    if (chart.ring) {
      this.circle(chart.ring.centre, chart.ring.radius);
      this.stroke("line", 1.5);
      const [x, y] = chart.ring.centre;
      const top = y - chart.ring.radius;
      this.polygon([[x, top - 5 * this.point], [x, top + 5 * this.point]]);
      this.stroke("line", 1.5);
      this.text("0", [x, top + 14 * this.point], "faint", 11, "center");
    } else if (chart.disc) {
      this.circle(chart.disc.centre, chart.disc.radius);
      this.stroke("line", 1.5);
    } else {
      const { margin } = chart.square;
      if (chart.cells) this.drawCells();
      this.context.beginPath();
      this.context.rect(margin, margin, 1 - 2 * margin, 1 - 2 * margin);
      this.stroke("line", 1.5, [6, 4]);
    }
  }

  /** The live members, which have cells. */
  members() {
    return this.scene.nodes.filter((seen) => seen.status === "member");
  }

  drawCells() {
    const members = this.members();
    const of = members.map(({ node, place }) => `${node.number}:${place}`).join(" ");
    if (this.cells.of !== of) {
      const polygons = torusCells(members.map(({ place }) => place));
      this.cells = { of, polygons };
    }
    this.within(() => {
      members.forEach(({ node, place }, i) => {
        for (const right of [-1, 0, 1]) {
          for (const up of [-1, 0, 1]) {
            const corner = ([x, y]) => this.chart.onto([place[0] + right + x, place[1] + up + y]);
            this.polygon(this.cells.polygons[i].map(corner));
            this.context.closePath();
            if (node.sybil || node === this.focus) this.fill(node.sybil ? "sybilCell" : "cell");
            this.stroke("line", 1);
          }
        }
      });
    });
  }

  /** Draws clipped to the square, if there is one. */
  within(draw) {
    const { square } = this.chart;
    this.context.save();
    if (square) {
      this.context.beginPath();
      this.context.rect(square.margin, square.margin, 1 - 2 * square.margin, 1 - 2 * square.margin);
      this.context.clip();
    }
    draw();
    this.context.restore();
  }

  /** The node whose region, peers and facts are shown. */
  get focus() {
    return this.hovered ?? this.chosen;
  }

  /** Lines from nodes to the nodes that they know; dashed if these have left. */
  drawPeers() {
    const { count } = this.scene.moment;
    const states = new Map(this.scene.nodes.map((seen) => [seen.node.number, seen.status]));
    const isHere = (status) => status === "member" || status === "joining";
    this.within(() => {
      for (const { node, place, status } of this.scene.nodes) {
        const isFocus = node === this.focus;
        if (!isHere(status) || !(isFocus || this.allPeers)) continue;
        for (const number of peersOf(node, count)) {
          const dash = isHere(states.get(number)) ? [] : [2, 3];
          for (const points of this.chart.lines(place, this.place(number))) {
            this.polygon(points);
            this.stroke(isFocus ? "member" : "line", isFocus ? 1.4 : 0.8, dash);
          }
        }
      }
    });
  }

  /** The region of the ring of the node in focus. */
  drawHovered() {
    const { focus: hovered, chart } = this;
    const members = this.members();
    if (!hovered || !chart.ring || !members.some((seen) => seen.node === hovered)) return;
    const angle = (fraction) => (fraction - 0.25) * 2 * Math.PI;
    const [x, y] = chart.ring.centre;
    for (const [from, to] of ownedArcs(chart.kind, members, hovered)) {
      this.context.beginPath();
      this.context.arc(x, y, chart.ring.radius, angle(from), angle(to));
      this.stroke("lookup", 6);
    }
  }

  // --- nodes and their items

  drawNode({ node, status, place, fading, coming }) {
    const at = this.chart.node(place);
    const { size, context: draw } = this;
    draw.save();
    draw.globalAlpha = 1 - fading;
    if (status === "crashed" || status === "left") {
      const arm = size * 1.1;
      if (status === "crashed") {
        this.polygon([[at[0] - arm, at[1] - arm], [at[0] + arm, at[1] + arm]]);
        this.stroke("failed", 3);
        this.polygon([[at[0] - arm, at[1] + arm], [at[0] + arm, at[1] - arm]]);
        this.stroke("failed", 3);
      } else {
        this.shape(node, at, size * (1 - fading));
        this.stroke("faint", 2, [3, 2]);
      }
      draw.restore();
      return;
    }
    draw.globalAlpha = 0.25 + 0.75 * coming;
    this.shape(node, at, size);
    if (status === "member") {
      this.fill(node.sybil ? "sybil" : "member");
      this.stroke("paper", 1);
    } else {
      this.fill("paper");
      this.stroke(node.sybil ? "sybil" : "member", 2, [3, 2]);
    }
    if (coming < 1) {
      draw.globalAlpha = 1 - coming;
      this.circle(at, size * (1 + 2 * coming));
      this.stroke(node.sybil ? "sybil" : "member", 1.5);
    }
    draw.restore();
  }

  /** A circle, or a triangle for a Sybil. */
  shape(node, [x, y], size) {
    if (!node.sybil) {
      this.circle([x, y], size);
      return;
    }
    const arm = size * 1.35;
    this.polygon([[x, y - arm], [x + arm * 0.95, y + arm * 0.75], [x - arm * 0.95, y + arm * 0.75]]);
    this.context.closePath();
  }

  drawAllItems() {
    const holders = this.scene.nodes.filter(({ node, status }) =>
      status !== "crashed" && status !== "left" && this.scene.items.has(node.number));
    const gap = 7 * this.mark;
    const places = holders.map(({ place }) => place);
    const spread = this.chart.spread?.(places, gap) ?? places;
    holders.forEach(({ node, place }, i) => {
      if (this.chart.spread) {
        this.polygon([this.chart.node(place), this.chart.beside(spread[i], 1, gap)]);
        this.stroke("line", 1);
      }
      this.drawItems(this.scene.items.get(node.number), spread[i], gap);
    });
  }

  drawItems(items, place, gap) {
    const order = ["running", "pending", "done", "replica"];
    const sorted = [...items].sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state));
    sorted.slice(0, MOST_DOTS).forEach(({ state }, number) => {
      this.drawItem(state, this.chart.beside(place, number, gap));
    });
    if (sorted.length > MOST_DOTS) {
      const at = this.chart.beside(place, MOST_DOTS + 1, gap);
      this.text(`+${sorted.length - MOST_DOTS}`, at, "faint", 10, "center");
    }
  }

  drawItem(state, at) {
    const radius = 2.6 * this.mark;
    this.circle(at, state === "replica" ? radius * 0.6 : radius);
    switch (state) {
      case "replica":
        return this.fill("faint");
      case "pending":
        this.fill("paper");
        return this.stroke("service", 1.2);
      case "running":
        this.fill("wrong");
        return this.stroke("ink", 1.2);
      default:
        return this.fill("service");
    }
  }

  // --- messages

  place(number) {
    return this.places.get(number) ?? placeOf(this.timeline.nodes[number], this.scene.moment.count);
  }

  colourOf(route) {
    return route.lookup ? "lookup" : "service";
  }

  drawTrail({ route, trail, flights, timeouts, fading }) {
    const draw = this.context;
    this.within(() => {
      draw.globalAlpha = 1 - fading;
      const line = (from, to, width, dash) => {
        for (const points of this.chart.lines(this.place(from), this.place(to))) {
          this.polygon(points);
          this.stroke(this.colourOf(route), width, dash);
        }
      };
      trail.forEach(({ from, to, lost }) => line(from, to, 2, lost ? [2, 4] : []));
      flights.forEach(({ from, to, answer }) => line(from, to, 1, answer ? [2, 4] : [6, 4]));
    });
    for (const { to, fading: over } of timeouts) {
      draw.globalAlpha = 1 - over;
      this.label("no answer", this.chart.node(this.place(to)), "failed");
    }
    draw.globalAlpha = 1;
  }

  drawRoute({ route, flights, end, fading }) {
    const { context: draw, point } = this;
    const colour = this.colourOf(route);
    const number = route.name.split(" ").at(-1);
    draw.globalAlpha = 1 - fading;
    // The key, as a diamond.
    const [x, y] = this.chart.key(this.timeline.recording.keys[route.key].place);
    const arm = 5 * point;
    this.polygon([[x, y - arm], [x + arm, y], [x, y + arm], [x - arm, y]]);
    draw.closePath();
    this.fill(route.lookup ? "paper" : "service");
    this.stroke(colour, 1.8);
    if (route.lookup) this.text(number, [x + 8 * point, y], colour, 11);
    for (const { from, to, part, answer } of flights) {
      const at = this.chart.along(this.place(from), this.place(to), part);
      this.circle(at, (answer ? 3 : 5) * point);
      this.fill(answer ? "paper" : colour);
      this.stroke(colour, answer ? 1.5 : 1);
      if (!answer) this.label(route.lookup ? number : route.name, at, colour, 11);
    }
    // The end, as a ring with a sign and a word.
    if (end && route.lookup) {
      const { colour: own, sign, word } = OUTCOMES[end.outcome];
      const last = end.node ?? route.carried.reduce((at, index) => this.timeline.events[index].to ?? at, route.from);
      if (last !== null && last !== undefined) {
        const at = this.chart.node(this.place(last));
        this.circle(at, this.size + 5 * point);
        this.stroke(own, 3);
        this.label(`${sign} ${number} ${word}`, at, own);
      }
    }
    draw.globalAlpha = 1;
  }

  drawDirectMessage({ from, to, part, kind }) {
    const at = this.chart.along(this.place(from), this.place(to), part);
    const arm = 3 * this.mark;
    this.context.beginPath();
    this.context.rect(at[0] - arm, at[1] - arm, 2 * arm, 2 * arm);
    this.fill("paper");
    this.stroke("service", 1.5);
    if (this.scene.directMessages.length <= 4) this.label(kind, at, "service", 10);
  }

  // --- the pointer

  /** The node nearest to a point of the picture, if one is near. */
  nodeAt(x, y) {
    let [found, least] = [null, 14 * this.point];
    for (const { node, place, status } of this.scene.nodes) {
      if (status === "crashed" || status === "left") continue;
      const [p, q] = this.chart.node(place);
      const distance = Math.hypot(p - x, q - y);
      if (distance < least) [found, least] = [node, distance];
    }
    return found;
  }

  drawLabel() {
    const seen = this.scene.nodes.find(({ node }) => node === this.focus);
    if (!seen) return;
    const { node, place, status } = seen;
    const [x, y] = this.chart.node(place);
    this.circle([x, y], this.size + 3 * this.point);
    this.stroke("ink", 1.5);
    const held = this.scene.items.get(node.number)?.length ?? 0;
    const item = this.timeline.recording.item;
    const words = [
      `${node.sybil ? "Sybil" : "node"} ${node.number}${status === "joining" ? ", joining" : ""}`,
      `ID ${node.id.slice(0, 8)}\u2026, host ${node.site}`,
      ...(node.peers.length > 0 ? [`knows ${peersOf(node, this.scene.moment.count).length} nodes`] : []),
      ...(item ? [`${held} ${item}${held === 1 ? "" : "s"} stored, replicas included`] : []),
    ];
    const left = x > 0.6;
    const down = y > 0.85 ? -44 : 0;
    words.forEach((line, i) => {
      this.text(line, [x + (left ? -14 : 14) * this.point, y + (14 * i + 16 + down) * this.point], "ink", 12, left ? "right" : "left");
    });
  }
}
