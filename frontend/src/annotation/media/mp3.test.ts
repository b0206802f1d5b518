import { expect, test } from "vitest";
import { frameLength, isMp3, nextFrame } from "./mp3";

/** MPEG 1 layer III, 128 kbit/s, 44.1 kHz: 417 bytes, 418 with padding. */
const HEADER = [0xff, 0xfb, 0x90, 0x00];

function frames(count: number): Uint8Array {
  const bytes = new Uint8Array(417 * count);
  for (let at = 0; at < count; at++) bytes.set(HEADER, at * 417);
  return bytes;
}

test("a header says how long its frame is", () => {
  expect(frameLength(Uint8Array.from(HEADER), 0)).toBe(417);
  expect(frameLength(Uint8Array.from([0xff, 0xfb, 0x92, 0]), 0)).toBe(418);
  expect(frameLength(Uint8Array.from([0xff, 0xf3, 0x80, 0]), 0)).toBe(208);
  expect(frameLength(Uint8Array.from([0xff, 0xfb, 0xf0, 0]), 0)).toBe(0);
  expect(frameLength(Uint8Array.from([1, 2, 3, 4]), 0)).toBe(0);
});

test("the next frame is found from anywhere, and two bytes that look like one are not taken for it", () => {
  const bytes = frames(5);
  bytes.set(HEADER, 600);
  expect(nextFrame(bytes, 0)).toBe(0);
  expect(nextFrame(bytes, 1)).toBe(417);
  expect(nextFrame(bytes, 418)).toBe(834);
  expect(nextFrame(new Uint8Array(100), 0)).toBe(-1);
});

test("an MP3 is known by its tag or its first frame", () => {
  expect(isMp3(frames(1))).toBe(true);
  expect(isMp3(new TextEncoder().encode("ID3 ..."))).toBe(true);
  expect(isMp3(new TextEncoder().encode("RIFF"))).toBe(false);
});
