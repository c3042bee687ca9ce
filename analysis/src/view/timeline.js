"use strict";
// The state at any moment of a recording.
//
// A moment is a time in microseconds and the number of events until then, as several events may
// have one time. `readTimeline` reads the events once; `sceneAt` is a pure function of its result
// and a moment, so the order in which moments are visited has no effect.

/** The history of each node, route and item in a recording, by event numbers. */
function readTimeline(recording) {
  const { events } = recording;
  const never = Infinity;
  const nodes = recording.nodes.map((entry, number) => ({
    number,
    id: entry.id,
    site: entry.site,
    sybil: entry.sybil === true,
    appears: never,
    joins: never,
    goes: never,
    farewell: false,
    /** Its positions, each with the event from which on it is there. */
    places: [],
    /** The nodes that it knows, each list with the number of events before. */
    peers: [],
  }));
  for (const { events: from, node, peers } of recording.peers ?? []) nodes[node].peers.push({ from, peers });
  const routes = [];
  const directMessages = [];
  /** The items of nodes: state, first event and last event. */
  const states = [];
  const open = nodes.map(() => new Map());
  const counts = [{ members: 0, sybils: 0, lookups: 0, ok: 0, wrong: 0, failed: 0, counters: null }];
  const named = new Map();
  let measured = never;

  const close = (node, item, index) => {
    const state = open[node].get(item);
    if (state) {
      state.until = index;
      open[node].delete(item);
    }
  };
  events.forEach((event, index) => {
    const count = { ...counts[index] };
    counts.push(count);
    const node = nodes[event.node];
    switch (event.what) {
      case "appear":
        node.appears = index;
        node.places.push({ from: index, place: event.place });
        break;
      case "move":
        node.places.push({ from: index, place: event.place });
        break;
      case "join":
        node.joins = index;
        count.members += 1;
        count.sybils += node.sybil ? 1 : 0;
        break;
      case "leave":
      case "crash":
        node.goes = index;
        node.farewell = event.what === "leave";
        if (node.joins < index) {
          count.members -= 1;
          count.sybils -= node.sybil ? 1 : 0;
        }
        for (const item of [...open[event.node].keys()]) close(event.node, item, index);
        break;
      case "measure":
        measured = index;
        break;
      case "begin": {
        const number = (named.get(event.kind) ?? 0) + 1;
        named.set(event.kind, number);
        routes.push({
          kind: event.kind,
          name: `${event.kind} ${number}`,
          lookup: event.kind === "lookup",
          key: event.key,
          from: event.from,
          begins: index,
          carried: [],
          timeouts: [],
          /** The hops without delivery. */
          lost: new Set(),
          ends: never,
          /** The time from which on none of its messages moves. */
          rests: event.at,
        });
        count.lookups += event.kind === "lookup" ? 1 : 0;
        break;
      }
      case "hop":
      case "answer": {
        const route = routes[event.route];
        route.carried.push(index);
        route.rests = Math.max(route.rests, event.arrival);
        break;
      }
      case "timeout": {
        const { carried, timeouts, lost } = routes[event.route];
        timeouts.push(index);
        lost.add(carried.findLast((step) => events[step].from === event.from && events[step].to === event.to));
        break;
      }
      case "end": {
        const route = routes[event.route];
        route.ends = index;
        route.rests = Math.max(route.rests, event.at);
        if (route.lookup) count[event.outcome] += 1;
        break;
      }
      case "message":
        directMessages.push(index);
        break;
      case "items":
        for (const item of event.items) {
          close(event.node, item, index);
          if (event.holding === "none") continue;
          const state = { node: event.node, item, state: event.holding, from: index, until: never };
          states.push(state);
          open[event.node].set(item, state);
        }
        break;
      case "counters":
        count.counters = event.values;
        break;
    }
  });
  // Items are numbered in the order of their keys.
  const items = [...new Set(states.map((state) => state.item))];
  items.sort((a, b) => (recording.keys[a].key < recording.keys[b].key ? -1 : 1));
  const itemNumbers = new Map(items.map((item, number) => [item, number]));
  return { recording, events, nodes, routes, directMessages, states, counts, itemNumbers, measured };
}

/** Number of events until `time`. */
function countAt(timeline, time) {
  let [low, high] = [0, timeline.events.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (timeline.events[middle].at <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The moment at `time`, after all events of that time. */
function momentAt(timeline, time) {
  const within = Math.min(Math.max(time, 0), timeline.recording.end);
  return { time: within, count: countAt(timeline, within) };
}

/** The moment just after event number `index`. */
function momentAfter(timeline, index) {
  return { time: timeline.events[index].at, count: index + 1 };
}

/** The position of a node after this number of events. */
function placeOf(node, count) {
  let place = node.places[0].place;
  for (const step of node.places) {
    if (step.from >= count) break;
    place = step.place;
  }
  return place;
}

/** The numbers of the nodes that a node knows after this number of events. */
function peersOf(node, count) {
  let peers = [];
  for (const step of node.peers) {
    if (step.from > count) break;
    peers = step.peers;
  }
  return peers;
}

/** Rate per second, at `time`, of the messages that are not recorded individually. */
function othersAt({ recording }, time) {
  const { width, counts } = recording.others;
  const interval = Math.min(Math.floor(time / width), counts.length - 1);
  return interval < 0 ? 0 : (counts[interval] * 1e6) / width;
}

/**
 * The state at `moment`. Departed nodes and ended routes stay visible for `linger`
 * microseconds; `fading` is the elapsed fraction of that time.
 */
function sceneAt(timeline, moment, linger) {
  const { events } = timeline;
  const { time, count } = moment;
  const since = (index) => time - events[index].at;
  const faded = (age) => (linger > 0 ? age / linger : 1);

  const nodes = [];
  for (const node of timeline.nodes) {
    if (node.appears >= count) continue;
    const place = placeOf(node, count);
    const gone = node.goes < count;
    const status = gone ? (node.farewell ? "left" : "crashed") : node.joins < count ? "member" : "joining";
    const fading = gone ? faded(since(node.goes)) : 0;
    if (fading >= 1) continue;
    // Initial nodes have no arrival.
    const coming = events[node.appears].at > 0 ? Math.min(faded(since(node.appears)), 1) : 1;
    nodes.push({ node, status, place, fading, coming });
  }

  const carried = (index) => {
    const { from, to, at, arrival, what } = events[index];
    const part = arrival > at ? Math.min((time - at) / (arrival - at), 1) : 1;
    return { from, to, answer: what === "answer", part };
  };
  const routes = [];
  for (const route of timeline.routes) {
    if (route.begins >= count) break;
    const ended = route.ends < count;
    const fading = ended ? Math.max(faded(time - route.rests), 0) : 0;
    if (fading >= 1) continue;
    const steps = route.carried
      .filter((index) => index < count)
      .map((index) => ({ ...carried(index), lost: route.lost.has(index) }));
    routes.push({
      route,
      trail: steps.filter((step) => step.part >= 1 && !step.answer),
      flights: steps.filter((step) => step.part < 1),
      timeouts: route.timeouts
        .filter((index) => index < count && since(index) < linger)
        .map((index) => ({ from: events[index].from, to: events[index].to, fading: faded(since(index)) })),
      end: ended ? events[route.ends] : null,
      fading,
    });
  }

  const directMessages = timeline.directMessages
    .filter((index) => index < count && events[index].arrival > time)
    .map((index) => ({ ...carried(index), kind: events[index].kind }));

  const items = new Map();
  for (const { node, item, state, from, until } of timeline.states) {
    if (from >= count) break;
    if (until < count) continue;
    if (!items.has(node)) items.set(node, []);
    items.get(node).push({ item, state });
  }
  return {
    moment,
    nodes,
    routes,
    directMessages,
    items,
    counts: timeline.counts[count],
    others: othersAt(timeline, time),
  };
}

/** Whether a message is on its way, or a route has just ended, at `moment`. */
function isAnythingMoving(timeline, { time, count }) {
  const moves = (index) => index < count && timeline.events[index].arrival > time;
  return timeline.routes.some((route) => route.begins < count && route.carried.some(moves))
    || timeline.directMessages.some(moves);
}
