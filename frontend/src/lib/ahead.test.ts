import { describe, expect, it } from "vitest";
import { FILES_MAX, manner, mediaIn, WHOLE_BYTES_MAX } from "./ahead";

const address = (number: number, and = "&"): string => `/media/med_${number.toString(16).padStart(32, "0")}/file?expires=1790000000${and}signature=${"ab".repeat(32)}`;

describe("files of a task that is fetched ahead", () => {
  it("are found in fields and in rendered text, each once and in order", () => {
    const task = { image: address(2), prompt: [{ html: `<img src="${address(1, "&amp;")}" alt="">` }, { html: `<p>${address(2, "&amp;")}</p>` }] };
    expect(mediaIn(task)).toEqual([address(2), address(1)]);
  });

  it("are ours alone, and not more than a limit", () => {
    expect(mediaIn({ text: "see /media/somewhere and https://example.org/a.png", none: null })).toEqual([]);
    expect(mediaIn(undefined)).toEqual([]);
    expect(mediaIn(Array.from({ length: FILES_MAX + 5 }, (_, number) => address(number)))).toHaveLength(FILES_MAX);
  });

  it("are decoded, fetched whole, or begun, by type and length", () => {
    expect(manner("image/jpeg", 300_000)).toBe("picture");
    expect(manner("audio/wav", 300_000)).toBe("whole");
    expect(manner("video/mp4", WHOLE_BYTES_MAX + 1)).toBe("beginning");
    expect(manner("image/tiff", WHOLE_BYTES_MAX + 1)).toBe("beginning");
  });
});
