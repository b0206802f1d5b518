import { describe, expect, test } from "vitest";
import { axisOf, BadSeries, column, columnsOf, numbersOf, timeReader } from "./series";

describe("reading measurements", () => {
  test("columns carry the names of the first row", () => {
    expect(columnsOf("time,a\r\n1,2\r\n3,4\r\n")).toEqual({ time: ["1", "3"], a: ["2", "4"] });
    expect(columnsOf("time;a\n1;2", ";")).toEqual({ time: ["1"], a: ["2"] });
  });

  test("quoted cells may hold the separator, quotes and line breaks", () => {
    expect(columnsOf('n,v\n"a, ""b""",1\n"c\nd",2')).toEqual({ n: ['a, "b"', "c\nd"], v: ["1", "2"] });
  });

  test("a file without names has numbered columns", () => {
    expect(columnsOf("1,2\n3,4")).toEqual({ "0": ["1", "3"], "1": ["2", "4"] });
    expect(column({ Speed: [1], b: [2] }, "speed")).toEqual([1]);
    expect(column({ Speed: [1], b: [2] }, "1")).toEqual([2]);
  });

  test("an empty cell is a gap, not a zero", () => {
    expect([...numbersOf(["1", "", null, "x"])]).toEqual([1, NaN, NaN, NaN]);
  });
});

describe("the axis", () => {
  test("is row numbers without a time column", () => {
    expect([...axisOf({ a: [5, 6, 7] }, "", "")]).toEqual([0, 1, 2]);
  });

  test("is milliseconds where times are dates", () => {
    expect([...axisOf({ t: ["2026-01-31 10:00:00.5", "2026-01-31 10:00:01.25"] }, "t", "%Y-%m-%d %H:%M:%S.%L")]).toEqual([Date.UTC(2026, 0, 31, 10, 0, 0, 500), Date.UTC(2026, 0, 31, 10, 0, 1, 250)]);
  });

  test("refuses times that it cannot read or that go backwards, and names the row", () => {
    expect(() => axisOf({ t: ["1", "soon"] }, "t", "")).toThrow(/soon.*row 2/);
    expect(() => axisOf({ t: [1, 3, 2] }, "t", "")).toThrow(/backwards in row 3/);
    expect(() => axisOf({ a: [1] }, "time", "")).toThrow(BadSeries);
  });

  test("formats are those of strftime", () => {
    expect(timeReader("%m/%d/%Y %I:%M %p")("01/31/2026 02:05 PM")).toBe(Date.UTC(2026, 0, 31, 14, 5));
    expect(timeReader("%d %b %y")("5 Mar 99")).toBe(Date.UTC(1999, 2, 5));
    expect(timeReader("%Y-%m-%dT%H:%M:%S%Z")("2026-01-31T12:00:00+02:00")).toBe(Date.UTC(2026, 0, 31, 10));
    expect(timeReader("%H:%M:%S.%f")("00:00:01.123456")).toBe(1123);
    expect(timeReader("%Y")("soon")).toBeNaN();
    expect(() => timeReader("%K")).toThrow(BadSeries);
  });
});
