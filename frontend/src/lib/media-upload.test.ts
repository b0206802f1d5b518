import { describe, expect, it } from "vitest";
import type { DetailedError } from "tus-js-client";
import { digestOf, shouldRetry, sizeInWords } from "./media-upload";

function refused(status: number, body = ""): DetailedError {
  return { originalResponse: { getStatus: () => status, getBody: () => body } } as unknown as DetailedError;
}

describe("uploads", () => {
  it("tries again after what a network or a restarting server does, and after nothing else", () => {
    expect(shouldRetry({ originalResponse: null } as unknown as DetailedError)).toBe(true);
    expect([500, 503, 423].map((status) => shouldRetry(refused(status)))).toEqual([true, true, true]);
    expect([401, 403, 404, 410, 413, 422, 460].some((status) => shouldRetry(refused(status)))).toBe(false);
    expect(shouldRetry(refused(409, '{"code":"upload_offset_differs"}'))).toBe(true);
    expect(shouldRetry(refused(409, '{"code":"media_quota_full"}'))).toBe(false);
  });
  it("digests a file as the server does", async () => {
    expect(await digestOf(new Blob(["abc"]))).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  });
  it("says sizes as people do", () => {
    expect([0, 999, 1500, 24_000_000].map(sizeInWords)).toEqual(["0 B", "999 B", "1.5 kB", "24 MB"]);
  });
});
