// Checks of the player's own functions, by other ways to the same: run in its page.

/** Numbers that look random, and are the same each time. */
function draws(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** The first moment at which `sceneAt` differs from a replay, event by event; null if none does. */
function firstDifference(timeline) {
  const { events, nodes } = timeline;
  const alive = new Map();
  const held = new Map();
  const open = new Map();
  const counts = { lookups: 0, ok: 0, wrong: 0, failed: 0 };
  const routes = [];
  let counters = null;
  const scenes = [];
  for (let count = 0; count <= events.length; count += 1) {
    if (count > 0) {
      const event = events[count - 1];
      const { what, node } = event;
      if (what === "appear") alive.set(node, { status: "joining", place: event.place });
      if (what === "join") alive.get(node).status = "member";
      if (what === "move") alive.get(node).place = event.place;
      if (what === "leave" || what === "crash") {
        alive.delete(node);
        held.delete(node);
      }
      if (what === "items") {
        if (!held.has(node)) held.set(node, new Map());
        for (const item of event.items) {
          held.get(node).delete(item);
          if (event.holding !== "none") held.get(node).set(item, event.holding);
        }
      }
      if (what === "begin") {
        open.set(routes.length, true);
        routes.push(event.kind);
        if (event.kind === "lookup") counts.lookups += 1;
      }
      if (what === "end") {
        open.delete(event.route);
        if (routes[event.route] === "lookup") counts[event.outcome] += 1;
      }
      if (what === "counters") counters = event.values;
    }
    const time = count > 0 ? events[count - 1].at : 0;
    const moment = { time, count };
    // Who is gone is seen no longer: there is no time to linger.
    const scene = sceneAt(timeline, moment, 0);
    if (count % 97 === 0) scenes.push([moment, JSON.stringify({ ...scene, items: [...scene.items] })]);
    const members = [...alive].filter(([, { status }]) => status === "member");
    const expected = {
      nodes: [...alive].map(([number, { status, place }]) => [number, status, place]).sort((a, b) => a[0] - b[0]),
      members: members.length,
      sybils: members.filter(([number]) => nodes[number].sybil).length,
      items: [...held].flatMap(([holder, items]) => [...items].map(([item, state]) => [holder, item, state])).sort((a, b) => a[0] - b[0] || a[1] - b[1]),
      open: [...open.keys()],
      counts,
      counters,
    };
    const found = {
      nodes: scene.nodes.map(({ node, status, place }) => [node.number, status, place]),
      members: scene.counts.members,
      sybils: scene.counts.sybils,
      items: [...scene.items].flatMap(([holder, items]) => items.map(({ item, state }) => [holder, item, state])).sort((a, b) => a[0] - b[0] || a[1] - b[1]),
      open: scene.routes.filter(({ end }) => end === null).map(({ route }) => timeline.routes.indexOf(route)),
      counts: Object.fromEntries(Object.keys(counts).map((name) => [name, scene.counts[name]])),
      counters: scene.counts.counters,
    };
    if (JSON.stringify(expected) !== JSON.stringify(found)) return { moment, expected, found };
  }
  // The other way, and at random: a moment is the same however it was reached.
  const draw = draws(7);
  const order = [...scenes].reverse().concat(scenes.map(() => scenes[Math.floor(draw() * scenes.length)]));
  for (const [moment, told] of order) {
    const scene = sceneAt(timeline, moment, 0);
    const again = JSON.stringify({ ...scene, items: [...scene.items] });
    if (again !== told) return { moment, told, again };
  }
  return null;
}

/** What is wrong with the cells of random points on the torus; null if nothing is. */
function faultOfCells() {
  const draw = draws(3);
  for (const count of [1, 2, 3, 10, 200]) {
    const points = Array.from({ length: count }, () => [draw(), draw()]);
    const cells = torusCells(points);
    const area = (cell) => cell.reduce((sum, [x, y], i) => {
      const [p, q] = cell[(i + 1) % cell.length];
      return sum + (x * q - p * y) / 2;
    }, 0);
    const whole = cells.reduce((sum, cell) => sum + area(cell), 0);
    if (Math.abs(whole - 1) > 1e-9) return { count, whole };
    const short = (difference) => difference - Math.round(difference);
    for (let i = 0; i < 500; i += 1) {
      const [x, y] = [draw(), draw()];
      const away = points.map(([p, q]) => [short(x - p), short(y - q)]);
      const lengths = away.map(([dx, dy]) => dx * dx + dy * dy);
      const nearest = lengths.indexOf(Math.min(...lengths));
      const [dx, dy] = away[nearest];
      // Inside of every side, as the corners go around counterclockwise.
      const cell = cells[nearest];
      const inside = cell.every(([a, b], corner) => {
        const [c, d] = cell[(corner + 1) % cell.length];
        return (c - a) * (dy - b) - (d - b) * (dx - a) >= -1e-9;
      });
      if (!inside) return { count, point: [x, y], nearest, cell };
    }
  }
  return null;
}

/** What is wrong with the arcs that belong to nodes; null if nothing is. */
function faultOfArcs() {
  const draw = draws(5);
  const hex = (top) => top.toString(16).padStart(8, "0") + "0".repeat(32);
  const tops = Array.from({ length: 20 }, () => Math.floor(draw() * 2 ** 32));
  const members = tops.map((top, number) => ({ node: { number, id: hex(top) }, place: [top / 2 ** 32] }));
  const wrap = (x) => x - Math.floor(x);
  const roots = {
    ring: (key) => (top) => wrap(top / 2 ** 32 - key / 2 ** 32),
    "two-way-ring": (key) => (top) => Math.min(wrap(top / 2 ** 32 - key / 2 ** 32), wrap(key / 2 ** 32 - top / 2 ** 32)),
    xor: (key) => (top) => (key ^ top) >>> 0,
  };
  for (const [kind, distance] of Object.entries(roots)) {
    const arcs = members.map(({ node }) => ownedArcs(kind, members, node));
    let missed = 0;
    for (let i = 0; i < 1000; i += 1) {
      const key = Math.floor(draw() * 2 ** 32);
      const far = tops.map(distance(key));
      const root = far.indexOf(Math.min(...far));
      const within = arcs[root].some(([from, to]) => wrap(key / 2 ** 32 - from) <= to - from);
      missed += within ? 0 : 1;
    }
    // The arcs of the XOR metric are looked for in steps of a thousandth.
    if (missed > (kind === "xor" ? 40 : 0)) return { kind, missed };
  }
  return null;
}
