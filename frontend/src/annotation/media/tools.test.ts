import { expect, test } from "vitest";
import { inWords, kindOf } from "./tools";
import { urlsOf } from "./source";

test("a stored region is known by its value", () => {
  expect(kindOf({ format: "rle", rle: [1] })).toBe("brush");
  expect(kindOf({ points: [[1, 2]], closed: true })).toBe("polygon");
  expect(kindOf({ x: 1, y: 2, radiusX: 3, radiusY: 4 })).toBe("ellipse");
  expect(kindOf({ x: 1, y: 2, width: 3, height: 4 })).toBe("box");
  expect(kindOf({ x: 1, y: 2, width: 3 })).toBe("mark");
  expect(kindOf({ start: 1, end: 2 })).toBeNull();
});

test("shapes are told in words", () => {
  expect(inWords({ x: 10.4, y: 20, width: 40, height: 12 })).toBe("box 40 % × 12 % at 10 %, 20 %");
  expect(inWords({ points: [[1, 2], [3, 4], [5, 6]] })).toBe("polygon of 3 points");
});

test("material is one address, or one for each page", () => {
  expect(urlsOf({ url: "/a" })).toEqual(["/a"]);
  expect(urlsOf({ pages: ["/a", "/b"] })).toEqual(["/a", "/b"]);
  expect(urlsOf(undefined)).toEqual([]);
});
