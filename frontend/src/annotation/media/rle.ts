/**
 * Masks as run lengths, in the format of Label Studio's brush results.
 *
 * The stream is thi.ng's rle-pack over the RGBA bytes of the whole picture, row by row: 32 bits number of values,
 * 5 bits word size - 1, four times 4 bits run-length size - 1; then runs: 1 bit "repeats", 2 bits which size,
 * length - 1 in that size, and one word (repeats) or as many words as the length says. Only alpha counts here:
 * a mask holds one byte per pixel, 0 or 255. Written streams carry the same value in all four channels,
 * as Label Studio's own `mask2rle` does.
 */

const SIZES = [3, 4, 8, 16] as const;
const WORD = 8;
const LONGEST = 2 ** 16;

export class BadMask extends Error {}

class Bits {
  #at = 0;
  constructor(readonly bytes: ArrayLike<number>) {}

  read(count: number): number {
    let value = 0;
    let left = count;
    while (left > 0) {
      const byte = this.bytes[this.#at >> 3];
      if (byte === undefined) throw new BadMask("The mask ends too early.");
      const offset = this.#at & 7;
      const take = Math.min(left, 8 - offset);
      value = value * 2 ** take + ((byte >> (8 - offset - take)) & ((1 << take) - 1));
      this.#at += take;
      left -= take;
    }
    return value;
  }
}

/** The alpha of each pixel; throws `BadMask` where the stream is cut or made for another number of pixels. */
export function decodeMask(rle: ArrayLike<number>, pixels: number): Uint8Array {
  const bits = new Bits(rle);
  const total = bits.read(32);
  if (total !== pixels * 4) throw new BadMask(`The mask is for ${total / 4} pixels, the picture has ${pixels}.`);
  const word = bits.read(5) + 1;
  const sizes = [0, 0, 0, 0].map(() => bits.read(4) + 1);
  const mask = new Uint8Array(pixels);
  for (let at = 0; at < total; ) {
    const repeats = bits.read(1);
    const end = Math.min(at + 1 + bits.read(sizes[bits.read(2)]!), total);
    if (repeats) {
      const value = bits.read(word);
      // Alpha is every fourth value, from the third on (counted from 0).
      if (value) mask.fill(value, at >> 2, end >> 2);
      at = end;
    } else {
      for (; at < end; at++) {
        const value = bits.read(word);
        if ((at & 3) === 3) mask[at >> 2] = value;
      }
    }
  }
  return mask;
}

class BitWriter {
  readonly bytes: number[] = [];
  #byte = 0;
  #used = 0;

  write(value: number, count: number): void {
    for (let left = count - 1; left >= 0; left--) {
      this.#byte = (this.#byte << 1) | (Math.floor(value / 2 ** left) & 1);
      if (++this.#used === 8) {
        this.bytes.push(this.#byte);
        this.#byte = this.#used = 0;
      }
    }
  }

  /** Label Studio's converter reads the last bits as a number of their own, unpadded; both readers stop before them. */
  finish(): number[] {
    if (this.#used) this.bytes.push(this.#byte << (8 - this.#used));
    return this.bytes;
  }
}

/** The stream of a mask in which every pixel that is not 0 counts as 255. */
export function encodeMask(mask: Uint8Array): number[] {
  const bits = new BitWriter();
  bits.write(mask.length * 4, 32);
  bits.write(WORD - 1, 5);
  for (const size of SIZES) bits.write(size - 1, 4);
  for (let at = 0; at < mask.length; ) {
    const on = mask[at] !== 0;
    let end = at + 1;
    while (end < mask.length && (mask[end] !== 0) === on) end++;
    writeRun(bits, (end - at) * 4, on ? 255 : 0);
    at = end;
  }
  return bits.finish();
}

function writeRun(bits: BitWriter, length: number, value: number): void {
  for (let left = length; left > 0; ) {
    const run = Math.min(left, LONGEST);
    const size = run <= 8 ? 0 : run <= 16 ? 1 : run <= 256 ? 2 : 3;
    bits.write(1, 1);
    bits.write(size, 2);
    bits.write(run - 1, SIZES[size]!);
    bits.write(value, WORD);
    left -= run;
  }
}

/** Number of pixels in a mask. */
export function maskArea(mask: Uint8Array): number {
  let area = 0;
  for (const each of mask) if (each) area++;
  return area;
}
