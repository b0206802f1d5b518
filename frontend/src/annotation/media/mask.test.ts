import { expect, test } from "vitest";
import { maskBounds, stroke, tinted } from "./mask";
import { maskArea } from "./rle";

const size = { width: 60, height: 40 };

test("a dot covers the pixels whose middle is within its radius", () => {
  const mask = new Uint8Array(60 * 40);
  stroke(mask, size, { x: 30, y: 20 }, { x: 30, y: 20 }, 10, 255);
  expect(Math.abs(maskArea(mask) - Math.PI * 100)).toBeLessThan(12);
  expect(maskBounds(mask, size)).toEqual({ x: 20, y: 10, width: 20, height: 20 });
});

test("the eraser takes back just what a stroke of the same way put there", () => {
  const mask = new Uint8Array(60 * 40);
  stroke(mask, size, { x: 5, y: 5 }, { x: 50, y: 30 }, 4, 255);
  expect(maskArea(mask)).toBeGreaterThan(300);
  stroke(mask, size, { x: 5, y: 5 }, { x: 50, y: 30 }, 4, 0);
  expect(maskArea(mask)).toBe(0);
  expect(maskBounds(mask, size)).toBeNull();
});

test("a stroke over the edge stays in the picture and says what it changed", () => {
  const mask = new Uint8Array(60 * 40);
  expect(stroke(mask, size, { x: -10, y: 20 }, { x: 5, y: 20 }, 3, 255)).toEqual({ x: 0, y: 17, width: 8, height: 6 });
  expect(maskBounds(mask, size)!.x).toBe(0);
  expect(stroke(mask, size, { x: 500, y: 500 }, { x: 500, y: 500 }, 3, 255).width).toBe(0);
});

test("what is shown of a mask is its pixels in one colour", () => {
  const mask = new Uint8Array(4 * 4).fill(255, 0, 4);
  const shown = tinted(mask, { width: 4, height: 4 }, { width: 2, height: 2 }, { x: 0, y: 0, width: 2, height: 2 }, [1, 2, 3]);
  expect([...shown]).toEqual(new Array(16).fill(0));
  const whole = tinted(mask, { width: 4, height: 4 }, { width: 4, height: 4 }, { x: 1, y: 0, width: 1, height: 2 }, [1, 2, 3]);
  expect([...whole]).toEqual([1, 2, 3, 255, 0, 0, 0, 0]);
});
