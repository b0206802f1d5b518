import { describe, expect, test } from "vitest";
import { nextTurn, shownAt, shownSize } from "./turning";

const SIZE = { width: 400, height: 200 };

describe("material that is turned", () => {
  test("is as wide as it was high after a quarter", () => {
    expect([0, 1, 2, 3].map((turns) => shownSize(SIZE, turns).width)).toEqual([400, 200, 400, 200]);
  });

  test("has its top left corner at the top right, bottom right, bottom left, and back", () => {
    const corner = [0, 1, 2, 3].map((turns) => shownAt({ x: 0, y: 0 }, SIZE, turns));
    expect(corner).toEqual([{ x: 0, y: 0 }, { x: 200, y: 0 }, { x: 400, y: 200 }, { x: 0, y: 400 }]);
    expect([0, 1, 2, 3].map(nextTurn)).toEqual([1, 2, 3, 0]);
  });
});
