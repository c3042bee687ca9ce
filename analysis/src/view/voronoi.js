"use strict";
// The Voronoi cells of points on the unit torus.

/** The part of a convex polygon with `x * p + y * q <= bound` for its points (p, q). */
function clipped(polygon, x, y, bound) {
  const kept = [];
  for (let i = 0; i < polygon.length; i += 1) {
    const [a, b] = [polygon[i], polygon[(i + 1) % polygon.length]];
    const [over, next] = [x * a[0] + y * a[1] - bound, x * b[0] + y * b[1] - bound];
    if (over <= 0) kept.push(a);
    if (over < 0 !== next < 0 && over !== next) {
      const part = over / (over - next);
      kept.push([a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part]);
    }
  }
  return kept;
}

/** The squared distance of the farthest corner of a polygon from 0. */
const reachOf = (polygon) => Math.max(...polygon.map(([x, y]) => x * x + y * y));

/**
 * The cells of `points` in [0, 1)^2, opposite sides joined: for each point the corners of the region
 * nearer to it than to any other, relative to it. A cell begins as the square around its point, bounded
 * by its own images; then the bisectors to the other points cut it, the nearest first.
 * O(n^2 log n) for n points.
 */
function torusCells(points) {
  const short = (difference) => difference - Math.round(difference);
  return points.map(([x, y], me) => {
    let cell = [[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]];
    const cut = (others) => {
      others.sort((a, b) => a[2] - b[2]);
      for (const [dx, dy, squared] of others) {
        // Points more than twice as far as the farthest corner cut nothing off, nor do farther ones.
        if (squared > 4 * reachOf(cell)) break;
        if (squared > 0) cell = clipped(cell, dx, dy, squared / 2);
      }
    };
    const nearest = points.flatMap(([p, q], other) => {
      const [dx, dy] = [short(p - x), short(q - y)];
      return other === me ? [] : [[dx, dy, dx * dx + dy * dy]];
    });
    cut([...nearest]);
    // Their other images are half a side away or more, so they matter only for large cells.
    if (reachOf(cell) > 1 / 16) {
      const around = [-1, 0, 1].flatMap((right) => [-1, 0, 1].map((up) => [right, up]));
      cut(nearest.flatMap(([dx, dy]) => around.map(([right, up]) => {
        const [p, q] = [dx + right, dy + up];
        return [p, q, p * p + q * q];
      })));
    }
    return cell;
  });
}
