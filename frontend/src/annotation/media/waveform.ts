/** The shape of a sound: read in steps, kept as peaks, drawn for the window on show. */
import { peaksOf, peaksWithin } from "./drawing";
import { isMp3, nextFrame } from "./mp3";
import { NotLoaded, streamOf, TooLarge } from "./source";
import type { Span } from "./span";
import { waveHeader, WavePeaks } from "./wave";

/** Longer sound is played and labelled without its shape. */
export const WAVEFORM_SECONDS_MAX = 4 * 3600;
export const WAVEFORM_BYTES_MAX = 500 * 2 ** 20;
/** A browser decodes a file as a whole, at its full rate: longer ones would take more memory than a tablet has. */
export const WHOLE_SECONDS_MAX = 20 * 60;
/** An MP3 is a row of frames: it is decoded in pieces of so many bytes where it is long. */
const PIECE_BYTES = 2 ** 21;
/** A piece ends where a frame begins, this near its end. */
const TAIL_BYTES = 8192;
const HEAD_BYTES = 2 ** 16;
const RATE = 8000;
const PEAKS_PER_SECOND = 100;
const PEAKS_MAX = 400_000;

export class NoWaveform extends Error {}

const WITHOUT = "is shown without its waveform. Everything else works.";

/** Peaks of each channel. Throws `NoWaveform` with words for the person where there is none. */
export async function waveformOf(url: string, seconds: number, cancelled: AbortSignal): Promise<Float32Array[]> {
  if (seconds > WAVEFORM_SECONDS_MAX) throw new NoWaveform(`This sound is longer than ${WAVEFORM_SECONDS_MAX / 3600} hours and ${WITHOUT}`);
  const reader = (await opened(url, cancelled)).getReader();
  const head = await readUpTo(reader, HEAD_BYTES);
  const buckets = Math.max(Math.min(Math.ceil(seconds * PEAKS_PER_SECOND), PEAKS_MAX), 1);
  const header = waveHeader(head);
  if (header) return wavePeaks(reader, head, new WavePeaks(header, buckets, Math.ceil(seconds * header.rate)));
  if (seconds <= WHOLE_SECONDS_MAX) return wholePeaks(joined([head, await readUpTo(reader, Infinity)]), buckets);
  if (isMp3(head)) return mp3Peaks(reader, head, buckets);
  await reader.cancel();
  throw new NoWaveform(`This sound is longer than ${WHOLE_SECONDS_MAX / 60} minutes and ${WITHOUT} (MP3 and WAV can be longer.)`);
}

type Reader = ReadableStreamDefaultReader<Uint8Array>;

async function opened(url: string, cancelled: AbortSignal): Promise<ReadableStream<Uint8Array>> {
  try {
    return await streamOf(url, cancelled, WAVEFORM_BYTES_MAX);
  } catch (error) {
    if (error instanceof TooLarge) throw new NoWaveform(`This file is very large and ${WITHOUT}`);
    if (error instanceof NotLoaded) throw new NoWaveform("The waveform could not be loaded; the sound itself can be played.");
    throw error;
  }
}

async function readUpTo(reader: Reader, most: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  while (length < most) {
    const { done, value } = await reader.read();
    if (done) break;
    pieces.push(value);
    length += value.length;
  }
  return joined(pieces);
}

function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, each) => sum + each.length, 0));
  let at = 0;
  for (const piece of pieces) whole.set(piece, at), (at += piece.length);
  return whole;
}

async function wavePeaks(reader: Reader, head: Uint8Array, peaks: WavePeaks): Promise<Float32Array[]> {
  peaks.push(head);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return peaks.peaks;
    peaks.push(value);
  }
}

async function wholePeaks(bytes: Uint8Array<ArrayBuffer>, buckets: number): Promise<Float32Array[]> {
  const buffer = await decoded(bytes);
  return channelsOf(buffer).map((channel) => peaksOf(channel, buckets));
}

/**
 * Pieces are cut between frames and decoded one after the other. A decoder may lose a frame or two at each joint; the
 * parts are put on the whole length at the end, so that nowhere the shape is off by more than that.
 */
async function mp3Peaks(reader: Reader, head: Uint8Array, buckets: number): Promise<Float32Array[]> {
  const parts: Float32Array[][] = [];
  for (let left = head; ; ) {
    const more = await readUpTo(reader, PIECE_BYTES);
    const bytes = joined([left, more]);
    const cut = more.length ? nextFrame(bytes, Math.max(bytes.length - TAIL_BYTES, 1)) : -1;
    const buffer = await decoded(bytes.slice(0, cut < 0 ? bytes.length : cut));
    parts.push(channelsOf(buffer).map((channel) => peaksOf(channel, Math.max(Math.round(buffer.duration * PEAKS_PER_SECOND), 1))));
    if (cut < 0) break;
    left = bytes.slice(cut);
  }
  const channels = Math.min(...parts.map((part) => part.length));
  return Array.from({ length: channels }, (_, channel) => {
    const row = new Float32Array(parts.reduce((sum, part) => sum + part[channel]!.length, 0));
    let at = 0;
    for (const part of parts) row.set(part[channel]!, at), (at += part[channel]!.length);
    return peaksWithin(row, 0, 1, buckets);
  });
}

const channelsOf = (buffer: AudioBuffer): Float32Array[] => Array.from({ length: buffer.numberOfChannels }, (_, channel) => buffer.getChannelData(channel));

async function decoded(bytes: Uint8Array<ArrayBuffer>): Promise<AudioBuffer> {
  try {
    return await new OfflineAudioContext(1, 1, RATE).decodeAudioData(bytes.buffer);
  } catch (error) {
    if (error instanceof DOMException) throw new NoWaveform("This browser cannot draw the waveform of this format; the sound itself can be played.");
    throw error;
  }
}

/** One picture for one channel (or all in one: lowest and highest of all). */
export function drawWaveform(canvas: HTMLCanvasElement, channels: readonly Float32Array[], window: Span, length: number, scale: number): void {
  const density = devicePixelRatio || 1;
  const [width, height] = [Math.max(Math.round(canvas.clientWidth * density), 1), Math.max(Math.round(canvas.clientHeight * density), 1)];
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d")!;
  context.clearRect(0, 0, width, height);
  context.fillStyle = getComputedStyle(canvas).color;
  const shown = channels.map((each) => peaksWithin(each, window.start / length, window.end / length, width));
  for (let x = 0; x < width; x++) {
    const low = Math.max(Math.min(...shown.map((each) => each[x * 2]!)) * scale, -1);
    const high = Math.min(Math.max(...shown.map((each) => each[x * 2 + 1]!)) * scale, 1);
    const top = ((1 - high) / 2) * height;
    context.fillRect(x, top, 1, Math.max(((1 - low) / 2) * height - top, density));
  }
}
