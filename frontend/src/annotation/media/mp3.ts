/** Where frames of an MP3 begin, so that a long one can be decoded in pieces. ISO/IEC 11172-3 and 13818-3, layer III. */

const RATES_1 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const RATES_2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
const HERTZ = [44100, 48000, 32000];

/** Bytes of the frame whose header stands here; 0 where none does. */
export function frameLength(bytes: Uint8Array, at: number): number {
  if (at + 4 > bytes.length || bytes[at] !== 0xff || (bytes[at + 1]! & 0xe0) !== 0xe0) return 0;
  const version = (bytes[at + 1]! >> 3) & 3;
  const layer = (bytes[at + 1]! >> 1) & 3;
  const rate = bytes[at + 2]! >> 4;
  const hertz = HERTZ[(bytes[at + 2]! >> 2) & 3];
  if (version === 1 || layer !== 1 || rate === 0 || rate === 15 || hertz === undefined) return 0;
  const first = version === 3;
  const kilobits = (first ? RATES_1 : RATES_2)[rate]!;
  const sampled = first ? hertz : version === 2 ? hertz / 2 : hertz / 4;
  return Math.floor(((first ? 144 : 72) * kilobits * 1000) / sampled) + ((bytes[at + 2]! >> 1) & 1);
}

/** The first place from here on where a frame begins that is followed by another; -1 where there is none. */
export function nextFrame(bytes: Uint8Array, from: number): number {
  for (let at = from; at + 4 <= bytes.length; at++) {
    const length = frameLength(bytes, at);
    if (length && frameLength(bytes, at + length)) return at;
  }
  return -1;
}

/** Starts like an MP3: with a tag, or with a frame. */
export const isMp3 = (head: Uint8Array): boolean => (head[0] === 0x49 && head[1] === 0x44 && head[2] === 0x33) || frameLength(head, 0) > 0;
