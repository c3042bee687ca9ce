"use strict";
// The positions of nodes and keys in the picture, and the paths of messages.
//
// Pictures are squares of side 1, y downwards. A path between two positions is a list of lines, each
// a list of points, and `along`, the point of a message at a fraction of it.

/** The picture of a space; `dots` means that space is left for dots beside the nodes. */
function makeChart(space, dots) {
  switch (space.kind) {
    case "torus":
      return torusChart(space.dimensions);
    case "disc":
      return discChart();
    default:
      return ringChart(space.kind, dots);
  }
}

const blend = (a, b, part) => [a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part];

/** IDs clockwise on a circle, 0 at the top. */
function ringChart(kind, dots) {
  const [centre, radius] = [[0.5, 0.5], dots ? 0.37 : 0.43];
  const at = (fraction, distance) => {
    const angle = (fraction - 0.25) * 2 * Math.PI;
    return [centre[0] + distance * Math.cos(angle), centre[1] + distance * Math.sin(angle)];
  };
  const along = (from, to, part) => {
    const [a, b] = [at(from[0], radius), at(to[0], radius)];
    // Long paths bend most, so that they do not all cross the centre.
    const apart = Math.hypot(a[0] - b[0], a[1] - b[1]) / (2 * radius);
    const bend = blend(blend(a, b, 0.5), centre, 0.4 * apart);
    return blend(blend(a, bend, part), blend(bend, b, part), part);
  };
  return {
    kind,
    ring: { centre, radius },
    about: {
      ring: "The ring of IDs, clockwise from the top. A key belongs to the first node at or after it.",
      "two-way-ring": "The ring of IDs, clockwise from the top. A key belongs to the node nearest to it in either direction.",
      xor: "IDs are drawn on a ring, clockwise from the top, although they are leaves of a tree: a key belongs to the node with the smallest XOR distance, which may not be its neighbour on this ring.",
    }[kind],
    node: (place) => at(place[0], radius),
    key: (place) => at(place[0], radius + 0.032),
    /** The position of dot number `number` beside a node. */
    beside: ([fraction], number, gap) => {
      const [row, column] = [Math.floor(number / 3), (number % 3) - 1];
      const [x, y] = at(fraction, radius + 0.05 + row * gap);
      const angle = (fraction - 0.25) * 2 * Math.PI;
      return [x - Math.sin(angle) * column * gap, y + Math.cos(angle) * column * gap];
    },
    /** The start of the dots of nodes at these positions, without overlap. */
    spread: (places, gap) => spreadOut(places.map(([fraction]) => fraction), (3.6 * gap) / (2 * Math.PI * (radius + 0.05))).map((fraction) => [fraction]),
    along,
    lines: (from, to) => [Array.from({ length: 17 }, (_, i) => along(from, to, i / 16))],
  };
}

/** Moves fractions of a circle apart until neighbours are `least` apart, or as far as possible. */
function spreadOut(fractions, least) {
  const apart = Math.min(least, 0.95 / fractions.length);
  const order = fractions.map((fraction, place) => ({ fraction, place })).sort((a, b) => a.fraction - b.fraction);
  for (let round = 0; round < 30; round += 1) {
    order.forEach((one, i) => {
      const next = order[(i + 1) % order.length];
      const between = next.fraction - one.fraction + (i + 1 === order.length ? 1 : 0);
      const missing = (apart - between) / 2;
      if (next === one || missing <= 0) return;
      one.fraction -= missing;
      next.fraction += missing;
    });
  }
  const spread = [...fractions];
  order.forEach(({ fraction, place }) => (spread[place] = fraction));
  return spread;
}

/** The first two coordinates of a torus, whose opposite sides coincide. */
function torusChart(dimensions) {
  const margin = 0.04;
  const onto = ([x, y]) => [margin + x * (1 - 2 * margin), 1 - margin - y * (1 - 2 * margin)];
  const plane = (place) => [place[0], dimensions > 1 ? place[1] : 0.5];
  const short = (difference) => difference - Math.round(difference);
  const wrap = (x) => x - Math.floor(x);
  const way = (from, to) => {
    const [a, b] = [plane(from), plane(to)];
    return [a, b, [short(b[0] - a[0]), short(b[1] - a[1])]];
  };
  return {
    kind: "torus",
    cells: dimensions === 2,
    square: { margin },
    onto,
    about:
      dimensions === 2
        ? "A torus: opposite sides of the square are identical. A key belongs to the node in whose cell it lies."
        : dimensions === 1
          ? "The coordinate of a one-dimensional torus, from left to right; the ends are identical."
          : `The first two of the ${dimensions} coordinates of a torus; opposite sides are identical. Cells of ${dimensions} dimensions are not shown, and nodes that appear near may be far apart.`,
    node: (place) => onto(plane(place)),
    key: (place) => onto(plane(place)),
    beside: (place, number, gap) => {
      const [x, y] = onto(plane(place));
      return [x + ((number % 6) - 2.5) * gap, y + 0.022 + Math.floor(number / 6) * gap];
    },
    along: (from, to, part) => {
      const [a, , [x, y]] = way(from, to);
      return onto([wrap(a[0] + x * part), wrap(a[1] + y * part)]);
    },
    // A path across a side is visible at both sides; parts outside of the square are clipped.
    lines: (from, to) => {
      const [a, b, [x, y]] = way(from, to);
      return [
        [onto(a), onto([a[0] + x, a[1] + y])],
        [onto([b[0] - x, b[1] - y]), onto(b)],
      ];
    },
  };
}

/** The Poincare disc. */
function discChart() {
  const [centre, radius] = [[0.5, 0.5], 0.46];
  const onto = ([x, y]) => [centre[0] + x * radius, centre[1] - y * radius];
  return {
    kind: "disc",
    disc: { centre, radius },
    about:
      "The hyperbolic plane as the Poincare disc: distances near the rim are longer than they appear. A key belongs to the nearest node.",
    node: onto,
    key: onto,
    beside: (place, number, gap) => {
      const [x, y] = onto(place);
      return [x + ((number % 6) - 2.5) * gap, y + 0.022 + Math.floor(number / 6) * gap];
    },
    along: (from, to, part) => blend(onto(from), onto(to), part),
    lines: (from, to) => [[onto(from), onto(to)]],
  };
}

/** The top 32 bits of an ID in hex digits. */
const topBits = (id) => parseInt(id.slice(0, 8), 16);

/**
 * The arcs of the ring, as pairs of fractions, whose keys belong to `node` among `members`, itself
 * one of them.
 */
function ownedArcs(kind, members, node) {
  if (members.length < 2) return [[0, 1]];
  const order = [...members].sort((a, b) => (a.node.id < b.node.id ? -1 : 1));
  const at = order.findIndex((member) => member.node === node);
  const fraction = (place) => order[(place + order.length) % order.length].place[0];
  const behind = (fraction(at) - fraction(at - 1) + 1) % 1;
  const ahead = (fraction(at + 1) - fraction(at) + 1) % 1;
  if (kind === "ring") return [[fraction(at) - behind, fraction(at)]];
  if (kind === "two-way-ring") return [[fraction(at) - behind / 2, fraction(at) + ahead / 2]];
  // With the XOR metric the keys of a node are blocks of the tree, found by search.
  const steps = 1024;
  const bits = order.map((member) => topBits(member.node.id));
  const mine = topBits(node.id);
  const arcs = [];
  for (let i = 0; i < steps; i += 1) {
    const key = Math.floor(((i + 0.5) / steps) * 2 ** 32);
    const distance = (key ^ mine) >>> 0;
    if (bits.some((other) => (key ^ other) >>> 0 < distance)) continue;
    const last = arcs.at(-1);
    if (last && last[1] === i / steps) last[1] = (i + 1) / steps;
    else arcs.push([i / steps, (i + 1) / steps]);
  }
  return arcs;
}
