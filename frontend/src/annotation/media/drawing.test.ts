import { describe, expect, test } from "vitest";
import { drawnIndices, lowerBound, peaksOf, peaksWithin } from "./drawing";

const axis = Float64Array.from({ length: 1_000_000 }, (_, at) => at / 10);

describe("drawing a million measurements", () => {
  test("a spike of one measurement is among those that are drawn", () => {
    const values = Float64Array.from(axis, (at) => Math.sin(at));
    values[654_321] = 900;
    values[123_456] = -900;
    const shown = drawnIndices(axis, values, 0, 100_000, 1000);
    expect(shown).toContain(654_321);
    expect(shown).toContain(123_456);
    expect(shown.length).toBeLessThanOrEqual(2000);
    expect([...shown].every((at, index) => index === 0 || at > shown[index - 1]!)).toBe(true);
  });

  test("close up every measurement is drawn, with one beyond each edge", () => {
    const shown = drawnIndices(axis, axis, 500, 520, 1000);
    expect([...shown]).toEqual(Array.from({ length: 202 }, (_, at) => 4999 + at));
  });

  test("gaps neither hide nor make a lowest or highest", () => {
    const values = Float64Array.from({ length: 1000 }, (_, at) => (at % 3 ? NaN : at));
    const shown = [...drawnIndices(Float64Array.from({ length: 1000 }, (_, at) => at), values, 0, 999, 10)];
    expect(shown).toContain(999);
    expect(shown.filter((at) => Number.isNaN(values[at])).length).toBe(0);
  });

  test("lower bound finds the first value that is not below", () => {
    expect(lowerBound([1, 2, 2, 5], 2)).toBe(1);
    expect(lowerBound([1, 2, 2, 5], 6)).toBe(4);
    expect(lowerBound([], 1)).toBe(0);
  });
});

describe("the shape of a sound", () => {
  test("peaks are the lowest and highest of each part", () => {
    expect([...peaksOf([0, 1, -1, 0, 0.5, 0.25], 3)]).toEqual([0, 1, -1, 0, 0.25, 0.5]);
    expect([...peaksOf([0.5], 1)]).toEqual([0.5, 0.5]);
  });

  test("peaks for the screen keep what peaks found", () => {
    const peaks = peaksOf(Float32Array.from({ length: 8000 }, (_, at) => (at === 4001 ? 1 : 0)), 800);
    const shown = peaksWithin(peaks, 0, 1, 100);
    expect(shown[50 * 2 + 1]).toBe(1);
    expect(Math.max(...peaksWithin(peaks, 0, 0.5, 100))).toBe(0);
  });
});
