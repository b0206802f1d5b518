import { expect, test } from "vitest";
import { waveHeader, WavePeaks } from "./wave";

/** A WAV of 16 bits with these samples, channel by channel in turn. */
function wave(samples: number[], channels: number, bits = 16): Uint8Array {
  const width = bits / 8;
  const bytes = new Uint8Array(44 + samples.length * width);
  const view = new DataView(bytes.buffer);
  const text = (at: number, words: string) => [...words].forEach((letter, index) => view.setUint8(at + index, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, bytes.length - 8, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, 8000, true);
  view.setUint32(28, 8000 * channels * width, true);
  view.setUint16(32, channels * width, true);
  view.setUint16(34, bits, true);
  text(36, "data");
  view.setUint32(40, samples.length * width, true);
  samples.forEach((value, at) => {
    if (bits === 8) view.setUint8(44 + at, value);
    else if (bits === 16) view.setInt16(44 + at * 2, value, true);
    else (view.setUint16(44 + at * 3, value & 0xffff, true), view.setInt8(44 + at * 3 + 2, value >> 16));
  });
  return bytes;
}

function peaks(file: Uint8Array, buckets: number, piece: number): number[][] {
  const found = new WavePeaks(waveHeader(file)!, buckets);
  for (let at = 0; at < file.length; at += piece) found.push(file.subarray(at, at + piece));
  return found.peaks.map((each) => [...each]);
}

test("peaks are the same however the file arrives", () => {
  const file = wave(Array.from({ length: 2000 }, (_, at) => Math.round(30000 * Math.sin(at / 7))), 2);
  const whole = peaks(file, 10, file.length);
  expect(whole).toHaveLength(2);
  expect(peaks(file, 10, 1)).toEqual(whole);
  expect(peaks(file, 10, 37)).toEqual(whole);
});

test("each channel and each part has its own lowest and highest", () => {
  expect(peaks(wave([16384, 0, -16384, 0, 0, 8192, 0, -8192], 2), 2, 5)).toEqual([[-0.5, 0.5, 0, 0], [0, 0, -0.25, 0.25]]);
});

test("samples of 8 and 24 bits are read", () => {
  expect(peaks(wave([128, 255, 0, 128], 1, 8), 1, 100)[0]![0]).toBe(-1);
  expect(peaks(wave([0, 4194304, -4194304], 1, 24), 1, 7)).toEqual([[-0.5, 0.5]]);
});

test("a file that is something else has no header", () => {
  expect(waveHeader(new Uint8Array(100))).toBeNull();
  expect(waveHeader(wave([1], 1).subarray(0, 20))).toBeNull();
  const compressed = wave([1, 2], 1);
  new DataView(compressed.buffer).setUint16(20, 85, true);
  expect(waveHeader(compressed)).toBeNull();
});
