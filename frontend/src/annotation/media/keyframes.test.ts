import { describe, expect, test } from "vitest";
import { endToggled, frameAt, framesIn, keyframeToggled, placeAt, placedAt, stretches, timeOf, written, type Keyframe } from "./keyframes";

const key = (frame: number, x: number, enabled = true): Keyframe => ({ frame, enabled, x, y: 10, width: 20, height: 30, rotation: 0 });

describe("a followed box", () => {
  const sequence = [key(10, 0), key(20, 50), key(30, 60, false), key(40, 5)];

  test("moves in a straight line between keyframes", () => {
    expect(placeAt(sequence, 10)!.x).toBe(0);
    expect(placeAt(sequence, 15)!.x).toBe(25);
    expect(placeAt(sequence, 29)!.x).toBe(59);
  });

  test("is nowhere before it begins and after it ended, and back from its next keyframe on", () => {
    expect(placeAt(sequence, 9)).toBeNull();
    expect(placeAt(sequence, 30)!.x).toBe(60);
    expect(placeAt(sequence, 31)).toBeNull();
    expect(placeAt(sequence, 40)!.x).toBe(5);
    expect(placeAt(sequence, 400)!.x).toBe(5);
  });

  test("has stretches that agree with where it is", () => {
    const found = stretches(sequence, 100);
    expect(found).toEqual([[10, 30], [40, 100]]);
    for (let frame = 1; frame <= 100; frame++) {
      expect(found.some(([first, last]) => frame >= first && frame <= last)).toBe(placeAt(sequence, frame) !== null);
    }
  });

  test("moved on a frame between keyframes gets one there, and keeps the others", () => {
    const next = placedAt(sequence, 15, { x: 99, y: 1, width: 2, height: 3, rotation: 4 });
    expect(next.map((each) => each.frame)).toEqual([10, 15, 20, 30, 40]);
    expect(placeAt(next, 15)).toEqual({ x: 99, y: 1, width: 2, height: 3, rotation: 4 });
    expect(placedAt(next, 15, { x: 1, y: 1, width: 2, height: 3, rotation: 4 })).toHaveLength(5);
  });

  test("a keyframe made in between does not move the box, and goes away again", () => {
    const more = keyframeToggled(sequence, 14);
    for (const frame of [10, 12, 14, 17, 20]) expect(placeAt(more, frame)!.x).toBeCloseTo(placeAt(sequence, frame)!.x, 9);
    expect(keyframeToggled(more, 14)).toEqual(sequence);
    expect(keyframeToggled([key(3, 1)], 3)).toHaveLength(1);
  });

  test("ends where it is told to, and goes on again", () => {
    const ended = endToggled([key(1, 0)], 50);
    expect(placeAt(ended, 50)).not.toBeNull();
    expect(placeAt(ended, 51)).toBeNull();
    expect(placeAt(endToggled(ended, 50), 51)).not.toBeNull();
  });

  test("is written in order with the time of each keyframe", () => {
    expect(written([key(20, 1), key(10, 2)], 10).map(({ frame, time }) => [frame, time])).toEqual([[10, 1], [20, 2]]);
  });
});

test("a seek to the middle of a frame lands on that frame at any frame rate", () => {
  for (const rate of [10, 23.976, 24, 25, 29.97, 60]) {
    for (let frame = 1; frame < 2000; frame += 7) expect(frameAt(timeOf(frame, rate), rate)).toBe(frame);
  }
  expect(frameAt(0, 25)).toBe(1);
  expect(framesIn(2.926, 10)).toBe(29);
});
