import { describe, expect, test } from "vitest";
import { BadMask, decodeMask, encodeMask, maskArea } from "./rle";

/** Written by `mask2rle` of label-studio-sdk 2 for a picture of 7 x 5 pixels: two corners and a block in the middle. */
const STREAM = [0, 0, 0, 140, 57, 27, 252, 127, 248, 124, 2, 223, 253, 240, 11, 127, 247, 192, 45, 255, 225, 240, 8, 255, 192];
const SMALL = Uint8Array.from("10000000011100001110000111000000001", (each) => (each === "1" ? 255 : 0));

/** The beginning of the stream of the same for 300 x 200 pixels with one row and one column on it. */
const WIDE_START = [0, 3, 169, 128, 57, 27, 255, 46, 223, 0, 224, 149, 255, 254, 225, 124, 2, 63, 254, 9, 86, 1, 31, 255, 4, 171, 0, 143, 255, 130];

function wide(): Uint8Array {
  const mask = new Uint8Array(300 * 200);
  mask.fill(255, 10 * 300, 11 * 300);
  for (let y = 50; y < 150; y++) mask[y * 300 + 100] = 255;
  return mask;
}

describe("masks as Label Studio keeps them", () => {
  test("a known stream gives the known mask, and the mask the stream", () => {
    expect(decodeMask(STREAM, 35)).toEqual(SMALL);
    // Its writer leaves the last bits unpadded; all before them is the same.
    expect(encodeMask(SMALL).slice(0, -1)).toEqual(STREAM.slice(0, -1));
  });

  test("long runs are written as the known writer does", () => {
    const stream = encodeMask(wide());
    expect(stream.slice(0, WIDE_START.length)).toEqual(WIDE_START);
    expect(stream).toHaveLength(530);
    expect(decodeMask(stream, 300 * 200)).toEqual(wide());
  });

  test("any mask comes back as it was", () => {
    let seed = 7;
    for (const share of [0, 0.02, 0.5, 0.98, 1]) {
      const mask = Uint8Array.from({ length: 5000 }, () => ((seed = (seed * 48271) % 2147483647) / 2147483647 < share ? 255 : 0));
      expect(decodeMask(encodeMask(mask), 5000)).toEqual(mask);
    }
  });

  test("a run longer than 65 536 values comes back", () => {
    const mask = new Uint8Array(400_000).fill(255, 70_000, 300_000);
    expect(maskArea(decodeMask(encodeMask(mask), mask.length))).toBe(230_000);
  });

  test("values that do not repeat are read, and only alpha counts", () => {
    // One pixel, red and opaque, as four single values: 4 values, words of 8 bits, sizes 3 4 8 16.
    const bits = [[4, 32], [7, 5], [2, 4], [3, 4], [7, 4], [15, 4], [0, 1], [0, 2], [3, 3], [255, 8], [0, 8], [0, 8], [200, 8]];
    const text = bits.map(([value, width]) => value!.toString(2).padStart(width!, "0")).join("");
    const bytes = text.match(/.{1,8}/g)!.map((each) => parseInt(each.padEnd(8, "0"), 2));
    expect([...decodeMask(bytes, 1)]).toEqual([200]);
  });

  test("a stream that is cut or made for another picture is refused", () => {
    expect(() => decodeMask(STREAM.slice(0, 12), 35)).toThrow(BadMask);
    expect(() => decodeMask(STREAM, 36)).toThrow(/35 pixels/);
    expect(() => decodeMask([], 1)).toThrow(BadMask);
  });
});
