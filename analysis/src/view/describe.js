"use strict";
// Describes each event in words.

/** The kinds of events that a reader may hide, with the events of each. */
const GROUPS = [
  { name: "joins and departures", has: ({ what }) => ["appear", "join", "leave", "crash"].includes(what) },
  { name: "moves", has: ({ what }) => what === "move" },
  { name: "lookups", has: ({ what }, lookup) => lookup && ["begin", "end", "misbehave"].includes(what) },
  { name: "hops of lookups", has: ({ what }, lookup) => lookup && ["hop", "answer", "timeout"].includes(what) },
  { name: "messages of the service", has: ({ what }, lookup) => lookup === false || ["message", "returned"].includes(what) },
  { name: "stored items", has: ({ what }) => what === "items" },
  { name: "counts", has: ({ what }) => ["counters", "measure"].includes(what) },
];

/** The number of the group of each event. */
function groupsOf(timeline) {
  let begun = 0;
  return timeline.events.map((event) => {
    const number = event.what === "begin" ? begun++ : event.route;
    const lookup = number === undefined ? undefined : timeline.routes[number].lookup;
    return GROUPS.findIndex((group) => group.has(event, lookup));
  });
}

/** A time in seconds, with as many digits as a span of `end` microseconds is worth. */
function inSeconds(time, end) {
  return `${(time / 1e6).toFixed(end < 1e8 ? 3 : end < 1e10 ? 2 : 0)} s`;
}

/** A duration in readable form. */
function span(micros) {
  if (micros < 1e3) return `${micros.toFixed(0)} \u00b5s`;
  if (micros < 1e6) return `${(micros / 1e3).toFixed(micros < 1e4 ? 1 : 0)} ms`;
  return `${(micros / 1e6).toFixed(micros < 1e7 ? 2 : 1)} s`;
}

const shortened = (hex) => `${hex.slice(0, 6)}\u2026`;

/** Ascending numbers as ranges: 1, 2, 5 to 9. */
function ranges(numbers, most) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const parts = [];
  for (const number of sorted) {
    const last = parts.at(-1);
    if (last && last[1] === number - 1) last[1] = number;
    else parts.push([number, number]);
  }
  const words = parts.map(([a, b]) => (a === b ? `${a}` : b === a + 1 ? `${a}, ${b}` : `${a} to ${b}`));
  return words.length > most ? `${words.slice(0, most).join(", ")} and others` : words.join(", ");
}

/** Describes the events of one timeline. */
function makeDescribeEvent(timeline) {
  const { recording, nodes, routes, events } = timeline;
  const node = (number) => `${nodes[number].sybil ? "Sybil" : "node"} ${number}`;
  const key = (number) => shortened(recording.keys[number].key);
  const several = (count) => `${count} ${recording.item || "item"}${count === 1 ? "" : "s"}`;
  const routeOf = new Map(routes.map((route) => [route.begins, route]));
  const asks = recording.travel === "iterative";

  const held = ({ node: holder, items, holding: state }) => {
    const which = ranges(items.map((item) => timeline.itemNumbers.get(item) ?? item), 8);
    const what = `${several(items.length)} (${which})`;
    return {
      none: `${node(holder)} no longer holds ${what}`,
      replica: `${node(holder)} holds a replica of ${what}`,
      pending: `${node(holder)} owns ${what}, not executed yet`,
      running: `${node(holder)} starts to execute ${what}`,
      done: recording.counters.some((name) => name.includes("mapped"))
        ? `${node(holder)} has mapped ${what}`
        : `${node(holder)} owns ${what}`,
    }[state];
  };
  const ended = (event, index) => {
    const route = routes[event.route];
    const hops = route.carried.filter((step) => step < index && events[step].what === "hop").length;
    const cost = `after ${hops} hop${hops === 1 ? "" : "s"} and ${span(event.at - events[route.begins].at)}`;
    const elsewhere = event.root === undefined || event.root === null ? "there is no root" : `the root is ${node(event.root)}`;
    return {
      ok: `${route.name} ends at ${event.node === null ? "" : node(event.node)}, the root, ${cost}`,
      wrong: `${route.name} ends at a wrong node, ${event.node === null ? "" : node(event.node)}: ${elsewhere}; ${cost}`,
      failed: route.from === null ? `${route.name} has no initiator` : `${route.name} fails ${cost}`,
      delivered: `${route.name} is delivered to ${event.node === null ? "" : node(event.node)} ${cost}`,
      absorbed: `${route.name} is consumed by ${event.node === null ? "" : node(event.node)} on the path`,
    }[event.outcome];
  };
  const counterText = (event, index) => {
    const before = timeline.counts[index].counters ?? [];
    const changed = recording.counters
      .map((name, place) => [name, event.values[place], before[place]])
      .filter(([, value, old]) => value !== old)
      .map(([name, value]) => `${name}: ${value}`);
    return changed.join("; ");
  };

  /** Event number `index` in words. */
  return (index) => {
    const event = events[index];
    const name = event.route === undefined ? "" : routes[event.route].name;
    switch (event.what) {
      case "appear": {
        const { id, site } = nodes[event.node];
        return event.at === 0
          ? `${node(event.node)} is online on host ${site} with ID ${shortened(id)}`
          : `${node(event.node)} starts on host ${site} with ID ${shortened(id)}`;
      }
      case "join":
        return `${node(event.node)} has joined: it is a member`;
      case "leave":
        return `${node(event.node)} leaves gracefully`;
      case "crash":
        return `${node(event.node)} crashes`;
      case "move":
        return `${node(event.node)} moves`;
      case "measure":
        return "the measurement starts";
      case "begin": {
        const route = routeOf.get(index);
        const from = event.from === null ? "no node" : node(event.from);
        return route.lookup
          ? `${route.name}: ${from} looks up key ${key(event.key)}`
          : `${route.name}: ${from} sends a message to the root of key ${key(event.key)}`;
      }
      case "hop": {
        const verb = asks ? "queries" : "forwards to";
        return `${name}: ${node(event.from)} ${verb} ${node(event.to)} (${span(event.arrival - event.at)})`;
      }
      case "answer":
        return `${name}: ${node(event.from)} answers ${node(event.to)} (${span(event.arrival - event.at)})`;
      case "timeout": {
        const gone = nodes[event.to].goes < index ? ", which is offline" : "";
        return `${name}: ${node(event.from)} gets no reply from ${node(event.to)}${gone}: time-out`;
      }
      case "misbehave":
        return event.action === "drop"
          ? `${name}: ${node(event.node)} drops it`
          : `${name}: ${node(event.node)} claims to be the root`;
      case "end":
        return ended(event, index);
      case "message":
        return `${node(event.from)} sends ${node(event.to)} \u201c${event.kind}\u201d (${span(event.arrival - event.at)})`;
      case "returned":
        return `\u201c${event.kind}\u201d is returned to ${node(event.from)}: not delivered to ${node(event.to)}`;
      case "items":
        return held(event);
      case "counters":
        return counterText(event, index);
      default:
        return event.what;
    }
  };
}
