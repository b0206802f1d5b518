/** WAV files read as they arrive: lowest and highest of each part, without ever holding the whole sound. */

export interface WaveHeader {
  channels: number;
  rate: number;
  /** Bytes of one sample of one channel. */
  width: 1 | 2 | 3 | 4;
  float: boolean;
  /** Where the samples begin, and how many bytes of them there are. */
  offset: number;
  bytes: number;
}

const PCM = 1;
const FLOAT = 3;
const EXTENSIBLE = 0xfffe;

/** The header in the first bytes of a file; null where it is no WAV with plain samples. */
export function waveHeader(head: Uint8Array): WaveHeader | null {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const name = (at: number) => String.fromCharCode(...head.subarray(at, at + 4));
  if (head.length < 44 || name(0) !== "RIFF" || name(8) !== "WAVE") return null;
  let format: Omit<WaveHeader, "offset" | "bytes"> | null = null;
  for (let at = 12; at + 8 <= head.length; ) {
    const size = view.getUint32(at + 4, true);
    if (name(at) === "fmt " && at + 24 <= head.length) format = formatAt(view, at + 8, size);
    if (name(at) === "data") return format && { ...format, offset: at + 8, bytes: size };
    at += 8 + size + (size % 2);
  }
  return null;
}

function formatAt(view: DataView, at: number, size: number): Omit<WaveHeader, "offset" | "bytes"> | null {
  const kind = view.getUint16(at, true);
  const inner = kind === EXTENSIBLE && size >= 26 && at + 26 <= view.byteLength ? view.getUint16(at + 24, true) : kind;
  const bits = view.getUint16(at + 14, true);
  const usable = (inner === PCM && [8, 16, 24, 32].includes(bits)) || (inner === FLOAT && bits === 32);
  const channels = view.getUint16(at + 2, true);
  return usable && channels > 0 ? { channels, rate: view.getUint32(at + 4, true), width: (bits / 8) as 1 | 2 | 3 | 4, float: inner === FLOAT } : null;
}

/** Gathers the peaks of each channel from pieces of a file, in order, its header included. */
export class WavePeaks {
  readonly peaks: Float32Array[];
  readonly #frameBytes: number;
  readonly #frames: number;
  #skip: number;
  #left: Uint8Array = new Uint8Array();
  #frame = 0;

  constructor(readonly header: WaveHeader, readonly buckets: number, frames = Math.floor(header.bytes / (header.channels * header.width))) {
    this.#frameBytes = header.channels * header.width;
    this.#frames = Math.max(frames, 1);
    this.#skip = header.offset;
    this.peaks = Array.from({ length: header.channels }, () => new Float32Array(buckets * 2));
  }

  push(piece: Uint8Array): void {
    const skipped = Math.min(this.#skip, piece.length);
    this.#skip -= skipped;
    const bytes = joined(this.#left, piece.subarray(skipped));
    const whole = Math.floor(bytes.length / this.#frameBytes);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let frame = 0; frame < whole && this.#frame < this.#frames; frame++, this.#frame++) this.#take(view, frame * this.#frameBytes);
    this.#left = bytes.slice(whole * this.#frameBytes);
  }

  #take(view: DataView, at: number): void {
    const bucket = Math.floor((this.#frame * this.buckets) / this.#frames) * 2;
    for (let channel = 0; channel < this.header.channels; channel++) {
      const value = this.#sample(view, at + channel * this.header.width);
      const peaks = this.peaks[channel]!;
      if (value < peaks[bucket]!) peaks[bucket] = value;
      if (value > peaks[bucket + 1]!) peaks[bucket + 1] = value;
    }
  }

  #sample(view: DataView, at: number): number {
    if (this.header.float) return view.getFloat32(at, true);
    if (this.header.width === 2) return view.getInt16(at, true) / 32768;
    if (this.header.width === 1) return (view.getUint8(at) - 128) / 128;
    if (this.header.width === 4) return view.getInt32(at, true) / 2147483648;
    return ((view.getInt8(at + 2) << 16) | view.getUint16(at, true)) / 8388608;
  }
}

function joined(left: Uint8Array, right: Uint8Array): Uint8Array {
  if (!left.length) return right;
  const both = new Uint8Array(left.length + right.length);
  both.set(left);
  both.set(right, left.length);
  return both;
}
