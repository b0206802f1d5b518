/** Time as the server sees it, and worked time that stops while nobody works. Pure apart from the clock passed in. */

/** How far the server's clock is ahead of ours, in ms: our own clock may be wrong by hours. */
export function clockOffset(serverNow: string, receivedAt: number): number {
  return Date.parse(serverNow) - receivedAt;
}

/** Milliseconds until `until`, by the server's clock. */
export function remaining(until: string, offset: number, now: number): number {
  return Date.parse(until) - (now + offset);
}

/** "27 min left", "1 h 5 min left", "45 s left", "ended". */
export function remainingWords(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds <= 0) return "ended";
  if (seconds < 60) return `${seconds} s left`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min left`;
  return minutes % 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min left` : `${minutes / 60} h left`;
}

/** "2:10", "1:02:10". */
export function workedWords(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (n: number) => String(n).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** "$0.42" from "0.42 USD"; currencies without a common sign keep their letters. */
export function moneyWords(money: string): string {
  const [amount = "", currency = ""] = money.split(" ");
  const sign = { USD: "$", EUR: "€", GBP: "£", JPY: "¥", INR: "₹" }[currency];
  const [whole = "0", minor] = amount.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",") + (minor ? `.${minor}` : "");
  return sign ? sign + grouped : `${grouped} ${currency}`;
}

/** Worked time: grows while the page is visible and something was done within the last `idleAfter` ms. */
export class WorkClock {
  #total: number;
  #last: number;
  #activeAt: number;
  constructor(now: number, startedWith = 0, private readonly idleAfter = 120_000) {
    this.#total = startedWith;
    this.#last = now;
    this.#activeAt = now;
  }
  /** Milliseconds worked, as of the last tick; asking counts nothing. */
  get worked(): number {
    return this.#total;
  }
  touch(now: number): void {
    this.tick(now, true);
    this.#activeAt = now;
  }
  active(now: number): boolean {
    return now - this.#activeAt <= this.idleAfter;
  }
  tick(now: number, visible: boolean): number {
    const until = Math.min(now, this.#activeAt + this.idleAfter);
    // A sleeping laptop makes one huge step: count no more than a few seconds of it.
    if (visible && until > this.#last) this.#total += Math.min(until - this.#last, 5_000);
    this.#last = now;
    return this.#total;
  }
}
