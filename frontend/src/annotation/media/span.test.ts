import { expect, test } from "vitest";
import { clock, lanesOf, pulled, showing, ticksOf, windowAt, zoomed } from "./span";

test("zooming keeps what is under the pointer where it is", () => {
  const next = zoomed({ start: 0, end: 100 }, 4, 60, 100, 1);
  expect(next.end - next.start).toBe(25);
  expect((60 - next.start) / 25).toBeCloseTo(0.6, 9);
  expect(zoomed(next, 0.01, 60, 100, 1)).toEqual({ start: 0, end: 100 });
  expect(zoomed(next, 1e9, 60, 100, 1).end - zoomed(next, 1e9, 60, 100, 1).start).toBe(1);
});

test("the window stays within the line", () => {
  expect(windowAt(-5, 10, 100, 1)).toEqual({ start: 0, end: 10 });
  expect(windowAt(95, 10, 100, 1)).toEqual({ start: 90, end: 100 });
  expect(showing({ start: 0, end: 10 }, 5, 100)).toEqual({ start: 0, end: 10 });
  expect(showing({ start: 0, end: 10 }, 20, 100)).toEqual({ start: 11, end: 21 });
});

test("a stretch that is pulled stays within the line and keeps its least width", () => {
  expect(pulled({ start: 10, end: 20 }, "both", 500, 100)).toEqual({ start: 90, end: 100 });
  expect(pulled({ start: 10, end: 20 }, "both", -500, 100)).toEqual({ start: 0, end: 10 });
  expect(pulled({ start: 10, end: 20 }, "start", 15, 100, 2)).toEqual({ start: 18, end: 20 });
  expect(pulled({ start: 10, end: 20 }, "end", -15, 100, 2)).toEqual({ start: 10, end: 12 });
});

test("stretches that cover each other lie in different lanes, others share one", () => {
  const spans = [{ start: 0, end: 10 }, { start: 5, end: 15 }, { start: 10, end: 12 }, { start: 20, end: 30 }];
  expect(lanesOf(spans)).toEqual([0, 1, 0, 0]);
});

test("ticks are round and few", () => {
  expect(ticksOf({ start: 0.3, end: 10 }, 5)).toEqual([2, 4, 6, 8, 10]);
  expect(ticksOf({ start: 0, end: 29 }, 6, true)).toEqual([0, 5, 10, 15, 20, 25]);
  expect(ticksOf({ start: 0, end: 36_000 }, 4)).toHaveLength(4);
});

test("clocks read as clocks", () => {
  expect(clock(62.5)).toBe("1:02.5");
  expect(clock(3723.25, 2)).toBe("1:02:03.25");
  expect(clock(59.96, 1)).toBe("1:00.0");
  expect(clock(5, 0)).toBe("0:05");
});
