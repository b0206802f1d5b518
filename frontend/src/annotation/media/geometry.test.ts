import { describe, expect, test } from "vitest";
import { boundsOf, boxBetween, corners, dragged, grown, moved, rotated, shapeOf, shapeOnTurned, valueOf, withoutPoint, withPoint, type Box, type Polygon } from "./geometry";

const size = { width: 400, height: 200 };
const box: Box = { kind: "box", x: 40, y: 20, width: 100, height: 50, rotation: 0 };
const near = (value: { x: number; y: number }, x: number, y: number) => (expect(value.x).toBeCloseTo(x, 6), expect(value.y).toBeCloseTo(y, 6));

describe("shapes and results", () => {
  test("a result in percent is the same result again after pixels", () => {
    const value = { x: 12.5, y: 33.3333333, width: 20.0000001, height: 10, rotation: 37 };
    expect(valueOf(shapeOf("box", value, size), size)).toEqual(value);
    const ellipse = { x: 50, y: 40, radiusX: 10, radiusY: 5, rotation: 12 };
    expect(valueOf(shapeOf("ellipse", ellipse, size), size)).toEqual(ellipse);
    const polygon = { points: [[10, 10], [50, 12.5], [30, 90]] as [number, number][], closed: true };
    expect(valueOf(shapeOf("polygon", polygon, size), size)).toEqual(polygon);
    expect(valueOf(shapeOf("mark", { x: 1, y: 2, width: 0.75 }, size), size)).toEqual({ x: 1, y: 2, width: 0.75 });
  });

  test("a result made on a turned picture lies on the same things", () => {
    // A picture of 400 x 200, turned clockwise by 90 degrees, is 200 wide and 400 high; what was its top left is top right.
    const place = { x: 50, y: 0, width: 50, height: 25, rotation: 0 };
    expect(boundsOf(shapeOnTurned("box", place, 90, size))).toMatchObject({ x: expect.closeTo(0), y: expect.closeTo(0), width: expect.closeTo(100), height: expect.closeTo(100) });
    expect(boundsOf(shapeOnTurned("box", place, 180, size))).toMatchObject({ x: expect.closeTo(0), y: expect.closeTo(150), width: expect.closeTo(200), height: expect.closeTo(50) });
    expect(boundsOf(shapeOnTurned("box", place, 270, size))).toMatchObject({ x: expect.closeTo(300), y: expect.closeTo(100), width: expect.closeTo(100), height: expect.closeTo(100) });
    const points = [[0, 0], [100, 0], [100, 100]] as [number, number][];
    expect((shapeOnTurned("polygon", { points }, 90, size) as Polygon).points).toEqual([{ x: 0, y: 200 }, { x: 0, y: 0 }, { x: 400, y: 0 }]);
  });

  test("a box drawn from any corner is the same box", () => {
    const drawn = boxBetween({ x: 10, y: 20 }, { x: 60, y: 80 });
    expect(boxBetween({ x: 60, y: 80 }, { x: 10, y: 20 })).toEqual(drawn);
    expect(drawn).toMatchObject({ x: 10, y: 20, width: 50, height: 60 });
  });
});

describe("turning", () => {
  test("a box turns clockwise about its top left corner", () => {
    const [a, b, c, d] = corners({ ...box, rotation: 90 });
    near(a, 40, 20);
    near(b, 40, 120);
    near(c, -10, 120);
    near(d, -10, 20);
  });

  test("turning in place keeps the middle and comes round after a full turn", () => {
    const turnedBox = rotated(box, 30);
    const [before, after] = [boundsOf(box), boundsOf(turnedBox)];
    expect(after.x + after.width / 2).toBeCloseTo(before.x + before.width / 2, 6);
    expect(turnedBox.rotation).toBe(30);
    const round = Array.from({ length: 12 }).reduce<Box>((each) => rotated(each, 30), box);
    near(round, box.x, box.y);
    expect(round.rotation).toBe(0);
    expect(rotated(box, -10).rotation).toBe(350);
  });

  test("the frame of a turned ellipse touches it", () => {
    const frame = boundsOf({ kind: "ellipse", x: 100, y: 100, rx: 40, ry: 10, rotation: 90 });
    expect(frame.width).toBeCloseTo(20, 6);
    expect(frame.height).toBeCloseTo(80, 6);
  });
});

describe("changing", () => {
  test("a moved shape stops at the edge without changing its size", () => {
    expect(moved(box, -500, 500, size)).toMatchObject({ x: 0, y: 150, width: 100, height: 50 });
    const polygon: Polygon = { kind: "polygon", points: [{ x: 10, y: 10 }, { x: 50, y: 10 }, { x: 30, y: 40 }] };
    expect(moved(polygon, 1000, 0, size).points).toEqual([{ x: 360, y: 10 }, { x: 400, y: 10 }, { x: 380, y: 40 }]);
    expect(moved({ kind: "mark", x: 5, y: 5, size: 20 }, -50, 0, size)).toMatchObject({ x: 0, y: 5 });
  });

  test("pulling a corner leaves the opposite corner where it is, also when turned", () => {
    for (const rotation of [0, 25, 140]) {
      const from = { ...box, x: 200, y: 80, rotation };
      const [first, , third] = corners(from);
      const out = (a: { x: number; y: number }, b: { x: number; y: number }) => ({ x: b.x + (b.x - a.x) / 10, y: b.y + (b.y - a.y) / 10 });
      near(corners(dragged(from, "se", out(first, third), size))[0], first.x, first.y);
      near(corners(dragged(from, "nw", out(third, first), size))[2], third.x, third.y);
    }
  });

  test("a corner pulled past the other side turns the box over", () => {
    expect(dragged(box, "e", { x: 10, y: 30 }, size)).toMatchObject({ x: 10, width: 30, height: 50 });
  });

  test("growing stays inside and never goes below a pixel", () => {
    expect(grown(box, 1000, 1000, size)).toMatchObject({ x: 40, y: 20, width: 360, height: 180 });
    expect(grown(box, -1000, -1000, size)).toMatchObject({ width: 1, height: 1 });
  });

  test("a point goes into the nearest side of a polygon, and a triangle keeps its three", () => {
    const triangle: Polygon = { kind: "polygon", points: [{ x: 0, y: 0 }, { x: 100, y: 0 }, { x: 50, y: 80 }] };
    const four = withPoint(triangle, { x: 50, y: 2 });
    expect(four.points[1]).toEqual({ x: 50, y: 2 });
    expect(withPoint(triangle, { x: 20, y: 45 }).points[3]).toEqual({ x: 20, y: 45 });
    expect(withoutPoint(four, 1)).toEqual(triangle);
    expect(withoutPoint(triangle, 0)).toBe(triangle);
  });
});
