import { describe, expect, it, vi } from "vitest";
import type { Reply } from "./api";
import { countedLength, emptyAnswer, problemsOf, type ComparisonData } from "./comparison";
import { Autosave } from "./autosave";
import { clockOffset, moneyWords, remaining, remainingWords, WorkClock, workedWords } from "./clock";
import { choiceOf, groupsOf, insertAt, moveBy, pointOf, ranksOf, settled, tieWith, typedRank } from "./ranking";
import { deskWords, type WorkspaceData } from "./workspace";

describe("ranks with ties", () => {
  it("leaves a gap after a tie: 1, 2, 2, 4", () => {
    expect(ranksOf([["A"], ["B", "C"], ["D"]])).toEqual({ A: 1, B: 2, C: 2, D: 4 });
  });
  it("comes back from ranks as the same groups", () => {
    const groups = [["C"], ["A", "D"], ["B"]];
    expect(groupsOf(ranksOf(groups))).toEqual(groups);
  });
  it("moves one out of a tie before passing a neighbour", () => {
    expect(moveBy([["A"], ["B", "C"]], "C", -1)).toEqual([["A"], ["C"], ["B"]]);
    expect(moveBy([["A"], ["C"], ["B"]], "C", -1)).toEqual([["C"], ["A"], ["B"]]);
    expect(moveBy([["C"], ["A"]], "C", -1)).toEqual([["C"], ["A"]]);
    expect(moveBy([["A", "B"], ["C"]], "A", 1)).toEqual([["B"], ["A"], ["C"]]);
  });
  it("ties by typing the same rank, and swaps where ties are not allowed", () => {
    expect(typedRank({ A: 1, B: 2 }, "C", 2, true)).toEqual({ A: 1, B: 2, C: 2 });
    expect(typedRank({ A: 1, B: 2 }, "A", 2, false)).toEqual({ A: 2, B: 1 });
    expect(typedRank({ A: 1 }, "B", 1, false)).toEqual({ B: 1 });
    expect(settled({ A: 1, B: 3, C: 3, D: 6 })).toEqual({ A: 1, B: 2, C: 2, D: 4 });
  });
  it("ties two that had no rank on the last place", () => {
    expect(tieWith([["A"]], "B", "C")).toEqual([["A"], ["B", "C"]]);
    expect(insertAt([["A"], ["B"]], "A", 1)).toEqual([["B"], ["A"]]);
  });
});

describe("the 7-point scale", () => {
  it("maps to ranks and strength and back for every point", () => {
    for (let point = 1; point <= 7; point++) expect(pointOf(choiceOf(point, "A", "B"), "A", "B")).toBe(point);
    expect(choiceOf(1, "A", "B")).toEqual({ ranks: { A: 1, B: 2 }, strength: 3 });
    expect(choiceOf(4, "A", "B")).toEqual({ ranks: { A: 1, B: 1 }, strength: 0 });
    expect(choiceOf(5, "A", "B")).toEqual({ ranks: { A: 2, B: 1 }, strength: 1 });
  });
});

const pair: ComparisonData = {
  context: null,
  prompt: [],
  responses: ["A", "B"].map((label) => ({ label, body: { html: label, text: label } })),
  config: { question: "?", dimensions: [{ key: "clear", title: "Clarity", required: true }], allow_ties: false, allow_both_bad: true, ranking: "full", justification_min_chars: 5 },
};

describe("what is missing from an answer", () => {
  it("names every gap and none when complete", () => {
    expect(problemsOf(pair, emptyAnswer())).toHaveLength(3);
    const done = { ...choiceOf(2, "A", "B"), both_bad: false, ratings: { clear: { A: 3, B: 4 } }, justification: "sound" };
    expect(problemsOf(pair, done)).toEqual([]);
    expect(problemsOf(pair, { ...done, justification: "  so   " })[0]).toContain("3 more characters");
    expect(problemsOf(pair, { ...done, ...choiceOf(4, "A", "B") })[0]).toContain("Ties");
  });
  it("takes both bad alone as an answer, and no half-filled optional ratings", () => {
    const optional = { ...pair, config: { ...pair.config, dimensions: [{ key: "clear", title: "Clarity", required: false }] } };
    const bad = { ...emptyAnswer(), both_bad: true, justification: "neither" };
    expect(problemsOf(optional, bad)).toEqual([]);
    expect(problemsOf(optional, { ...bad, ratings: { clear: { A: 2 } } })).toEqual(["Rate clarity for B."]);
  });
  it("counts people's characters, not UTF-16 units", () => {
    expect(countedLength(" 👍🏽é   a")).toBe(5);
  });
});

describe("clock", () => {
  it("ignores a client clock that is wrong by hours", () => {
    const client = Date.parse("2026-01-01T03:00:00Z");
    const offset = clockOffset("2026-01-01T00:00:00Z", client);
    expect(remaining("2026-01-01T00:30:00Z", offset, client + 60_000)).toBe(29 * 60_000);
  });
  it("speaks in calm words", () => {
    expect(remainingWords(27.5 * 60_000)).toBe("27 min left");
    expect(remainingWords(65 * 60_000)).toBe("1 h 5 min left");
    expect(remainingWords(-1)).toBe("ended");
    expect(workedWords(130_000)).toBe("2:10");
    expect(moneyWords("1234.50 USD")).toBe("$1,234.50");
    expect(moneyWords("3.00 CHF")).toBe("3.00 CHF");
  });
  it("stops counting work when nobody works or the machine slept", () => {
    const clock = new WorkClock(0, 0, 10_000);
    for (let t = 1000; t <= 60_000; t += 1000) clock.tick(t, true);
    expect(clock.tick(60_000, true)).toBe(10_000);
    clock.touch(61_000);
    expect(clock.tick(3_600_000, true)).toBeLessThan(20_000);
  });
  it("counts a moment once, however often the time is shown and something is touched", () => {
    const clock = new WorkClock(0);
    for (let t = 100; t <= 5_000; t += 100) {
      clock.touch(t);
      expect(clock.worked).toBe(t);
    }
    expect(clock.tick(5_000, true)).toBe(5_000);
  });
});

describe("autosave", () => {
  const settle = (ms: number) => vi.advanceTimersByTimeAsync(ms);
  it("saves at most once a second, the latest value, and says saved only when it is", async () => {
    vi.useFakeTimers();
    const saved: number[] = [];
    const autosave = new Autosave<number>(
      async (value) => (saved.push(value), { ok: true, status: 200, body: { saved_at: "2026-01-01T10:42:00Z" } }),
      () => {},
      () => false,
    );
    for (let value = 0; value < 30; value++) {
      autosave.change(value);
      expect(autosave.state.kind).not.toBe("saved");
      await settle(100);
    }
    await settle(1500);
    expect(saved.length).toBeLessThanOrEqual(5);
    expect(saved.at(-1)).toBe(29);
    expect(autosave.state).toEqual({ kind: "saved", at: new Date("2026-01-01T10:42:00Z") });
    expect(autosave.unsaved).toBe(false);
  });
  it("keeps trying while offline, then saves", async () => {
    vi.useFakeTimers();
    let online = false;
    let tries = 0;
    const autosave = new Autosave<string>(
      async (): Promise<Reply<null>> => (tries++, online ? { ok: true, status: 204, body: null } : { ok: false, offline: true }),
      () => {},
      () => false,
    );
    autosave.change("text");
    await settle(3000);
    expect(autosave.state.kind).toBe("failed");
    expect(autosave.takeUnsaved()).toBe("text");
    online = true;
    await settle(20_000);
    expect(autosave.state.kind).toBe("saved");
    expect(tries).toBeGreaterThan(1);
  });
  it("gives up on a refusal that cannot be mended", async () => {
    vi.useFakeTimers();
    let tries = 0;
    const autosave = new Autosave<string>(
      async () => (tries++, { ok: false, problem: { status: 409, code: "lease_ended", title: "", detail: "" } }),
      () => {},
      (reply) => "problem" in reply && reply.problem.status === 409,
    );
    autosave.change("text");
    await settle(60_000);
    expect(tries).toBe(1);
  });
});

describe("what the desk says of itself", () => {
  const claim = (kind: WorkspaceData["claim"]["kind"]) => ({ kind }) as WorkspaceData["claim"];
  it("leads work back to the board, and tests and their practice back to the test", () => {
    expect(deskWords({ claim: claim("revision") })).toMatchObject({ kind: "Revision", back: "Back to the board" });
    expect(deskWords({ claim: claim("assessment") })).toMatchObject({ kind: "Assessment", back: "Back to the test" });
    expect(deskWords({ claim: claim("practice") }).kept).toBe("Nothing is kept or counted here");
  });
  it("takes the page's own words before those", () => {
    const words = { kept: "What you submit becomes the known answer", back: "Back to the challenge" };
    expect(deskWords({ claim: claim("practice"), words })).toMatchObject({ kind: "Practice", ...words });
  });
});
