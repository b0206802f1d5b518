import { expect, test } from "vitest";
import { textWithin, type Run } from "./pagetext";

const runs: Run[] = [
  { text: "Invoice 2026-17", x: 100, y: 50, width: 150, height: 12 },
  { text: "page 1", x: 400, y: 51, width: 60, height: 12 },
  { text: "Total 42.50 EUR", x: 100, y: 80, width: 150, height: 12 },
];

test("a box takes the lines whose middle it holds, in order of reading", () => {
  expect(textWithin(runs, { x: 90, y: 40, width: 400, height: 60 })).toBe("Invoice 2026-17 page 1\nTotal 42.50 EUR");
  expect(textWithin(runs, { x: 90, y: 78, width: 200, height: 16 })).toBe("Total 42.50 EUR");
  expect(textWithin(runs, { x: 90, y: 60, width: 400, height: 10 })).toBe("");
});

test("a box over a part of a line takes the letters under it", () => {
  expect(textWithin(runs, { x: 160, y: 78, width: 50, height: 16 })).toBe("42.50");
});
