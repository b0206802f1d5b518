/** Long rows of numbers drawn small: the lowest and highest per pixel, so that no spike is lost. */

/** One sample for an average pixel column is enough; below two samples per pixel the row itself is drawn. */
const SAMPLES_PER_PIXEL = 2;

/** First index whose value is not below `value` in an ascending row. */
export function lowerBound(row: ArrayLike<number>, value: number): number {
  let [low, high] = [0, row.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (row[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The indices to draw of rows over an ascending axis, between two values of it, on so many pixels.
 *
 * Where there are more than two samples per pixel, each pixel column keeps the indices of the lowest and the
 * highest sample in it, in order. One sample beyond each end is kept, so that lines reach the edges. NaN is never
 * lowest or highest.
 */
export function drawnIndices(axis: ArrayLike<number>, values: ArrayLike<number>, from: number, to: number, pixels: number): Int32Array {
  const first = Math.max(lowerBound(axis, from) - 1, 0);
  const end = Math.min(lowerBound(axis, to) + 1, axis.length);
  const count = end - first;
  if (count <= pixels * SAMPLES_PER_PIXEL) return Int32Array.from({ length: Math.max(count, 0) }, (_, at) => first + at);
  const kept: number[] = [];
  for (let pixel = 0; pixel < pixels; pixel++) {
    const start = first + Math.floor((count * pixel) / pixels);
    const stop = first + Math.floor((count * (pixel + 1)) / pixels);
    let [low, high] = [start, start];
    for (let at = start + 1; at < stop; at++) {
      if (values[at]! < values[low]! || Number.isNaN(values[low])) low = at;
      if (values[at]! > values[high]! || Number.isNaN(values[high])) high = at;
    }
    kept.push(Math.min(low, high));
    if (low !== high) kept.push(Math.max(low, high));
  }
  return Int32Array.from(kept);
}

/** Lowest and highest of each of `buckets` equal parts: [low, high, low, high, ...]. */
export function peaksOf(samples: ArrayLike<number>, buckets: number): Float32Array {
  const peaks = new Float32Array(buckets * 2);
  for (let bucket = 0; bucket < buckets; bucket++) {
    const start = Math.floor((samples.length * bucket) / buckets);
    const stop = Math.max(Math.floor((samples.length * (bucket + 1)) / buckets), start + 1);
    let [low, high] = [Infinity, -Infinity];
    for (let at = start; at < stop && at < samples.length; at++) {
      const value = samples[at]!;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    if (high >= low) peaks.set([low, high], bucket * 2);
  }
  return peaks;
}

/** Peaks of a part of peaks, for the pixels on show. */
export function peaksWithin(peaks: Float32Array, from: number, to: number, pixels: number): Float32Array {
  const buckets = peaks.length / 2;
  const out = new Float32Array(pixels * 2);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const start = Math.floor(buckets * (from + ((to - from) * pixel) / pixels));
    const stop = Math.max(Math.floor(buckets * (from + ((to - from) * (pixel + 1)) / pixels)), start + 1);
    let [low, high] = [0, 0];
    for (let at = Math.max(start, 0); at < stop && at < buckets; at++) {
      low = Math.min(low, peaks[at * 2]!);
      high = Math.max(high, peaks[at * 2 + 1]!);
    }
    out[pixel * 2] = low;
    out[pixel * 2 + 1] = high;
  }
  return out;
}
