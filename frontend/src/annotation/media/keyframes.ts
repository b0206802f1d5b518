/**
 * A box that is followed through a video: keyframes, with straight lines between them.
 *
 * Frames count from 1. Places are percent of the picture. `enabled` says whether the thing stays in sight after
 * the keyframe; where it is false the box is shown on that frame and then no more, until the next keyframe.
 */

export interface Place {
  x: number;
  y: number;
  width: number;
  height: number;
  rotation: number;
}
export interface Keyframe extends Place {
  frame: number;
  enabled: boolean;
  /** Seconds: frame divided by frame rate. */
  time?: number;
}
export type Sequence = readonly Keyframe[];

const PROPS = ["x", "y", "width", "height", "rotation"] as const;

export const sorted = (sequence: Sequence): Keyframe[] => [...sequence].sort((a, b) => a.frame - b.frame);

/** The last keyframe at or before a frame. */
export function keyframeBefore(sequence: Sequence, frame: number): Keyframe | undefined {
  return sequence.findLast((each) => each.frame <= frame);
}

/** Where the box is on a frame; null before its first keyframe and where it is out of sight. */
export function placeAt(sequence: Sequence, frame: number): Place | null {
  const before = keyframeBefore(sequence, frame);
  if (!before || (before.frame !== frame && !before.enabled)) return null;
  const after = sequence.find((each) => each.frame > frame);
  if (!after || before.frame === frame) return place(before);
  const part = (frame - before.frame) / (after.frame - before.frame);
  return place(Object.fromEntries(PROPS.map((prop) => [prop, before[prop] + (after[prop] - before[prop]) * part])) as unknown as Place);
}

const place = (from: Place): Place => ({ x: from.x, y: from.y, width: from.width, height: from.height, rotation: from.rotation ?? 0 });

/** The sequence with the box at this place on this frame: its keyframe is moved, or a new one is made. */
export function placedAt(sequence: Sequence, frame: number, where: Place): Keyframe[] {
  const old = sequence.find((each) => each.frame === frame);
  const enabled = old?.enabled ?? keyframeBefore(sequence, frame)?.enabled ?? true;
  return sorted([...sequence.filter((each) => each !== old), { ...old, ...where, frame, enabled }]);
}

/** A keyframe set or taken away on this frame. The last keyframe stays: a box without one is nowhere. */
export function keyframeToggled(sequence: Sequence, frame: number): Keyframe[] {
  if (sequence.some((each) => each.frame === frame)) return sequence.length > 1 ? sequence.filter((each) => each.frame !== frame) : [...sequence];
  const where = placeAt(sequence, frame) ?? keyframeBefore(sequence, frame) ?? sequence[0];
  return where ? placedAt(sequence, frame, place(where)) : [];
}

/** The box ends on this frame, or goes on after it where it ended here. */
export function endToggled(sequence: Sequence, frame: number): Keyframe[] {
  const at = sequence.some((each) => each.frame === frame) ? [...sequence] : keyframeToggled(sequence, frame);
  return at.map((each) => (each.frame === frame ? { ...each, enabled: !each.enabled } : each));
}

/** Stretches of frames [first, last] on which the box is in sight, in a video of so many frames. */
export function stretches(sequence: Sequence, frames: number): [number, number][] {
  const found: [number, number][] = [];
  sequence.forEach((each, at) => {
    const next = sequence[at + 1];
    const last = each.enabled ? (next ? next.frame : Math.max(frames, each.frame)) : each.frame;
    const open = found.at(-1);
    if (open && open[1] >= each.frame) open[1] = Math.max(open[1], last);
    else found.push([each.frame, last]);
  });
  return found;
}

/** What a result keeps: keyframes in order, each with its time. */
export function written(sequence: Sequence, frameRate: number): Keyframe[] {
  return sorted(sequence).map((each) => ({ ...each, time: each.frame / frameRate }));
}

/** The frame on show at a time, and the time in the middle of a frame, where a seek surely lands on it. */
export const frameAt = (seconds: number, frameRate: number): number => Math.floor(seconds * frameRate + 1e-6) + 1;
export const timeOf = (frame: number, frameRate: number): number => (frame - 0.5) / frameRate;
export const framesIn = (seconds: number, frameRate: number): number => Math.max(Math.round(seconds * frameRate), 1);
