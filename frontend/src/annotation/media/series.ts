/** Rows of measurements: CSV or columns, with a time column that may be written as dates. */

export const SERIES_BYTES_MAX = 200 * 2 ** 20;

export class BadSeries extends Error {}

export type Columns = Record<string, ArrayLike<number | string | null>>;

/**
 * Columns of a CSV text, by the names in its first row; a file whose first row is numbers has columns "0", "1", ...
 *
 * Cells in double quotes may hold the separator and doubled quotes. Short rows give empty cells.
 */
export function columnsOf(text: string, separator = ","): Record<string, string[]> {
  const rows = rowsOf(text.replace(/^\uFEFF/, ""), separator);
  const first = rows[0];
  if (!first) throw new BadSeries("The file is empty.");
  const headless = first.every((cell) => cell !== "" && !Number.isNaN(Number(cell)));
  const names = headless ? first.map((_, at) => String(at)) : first.map((cell) => cell.trim());
  const body = headless ? rows : rows.slice(1);
  return Object.fromEntries(names.map((name, at) => [name, body.map((row) => row[at] ?? "")]));
}

function rowsOf(text: string, separator: string): string[][] {
  // Most files have no quotes: splitting is many times faster than walking through the letters.
  const lines = text.split(/\r\n|\n|\r/);
  if (!text.includes('"')) return lines.filter((line) => line.trim() !== "").map((line) => line.split(separator));
  const rows: string[][] = [[""]];
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const letter = text[at]!;
    const row = rows.at(-1)!;
    if (letter === '"') {
      if (quoted && text[at + 1] === '"') row[row.length - 1] += text[++at]!;
      else quoted = !quoted;
    } else if (quoted) row[row.length - 1] += letter;
    else if (letter === separator) row.push("");
    else if (letter === "\n") rows.push([""]);
    else if (letter !== "\r") row[row.length - 1] += letter;
  }
  return rows.filter((row) => row.length > 1 || row[0]!.trim() !== "");
}

/** A column by its name (any case) or its number. */
export function column(columns: Columns, name: string): ArrayLike<number | string | null> | undefined {
  const names = Object.keys(columns);
  const found = names.find((each) => each === name) ?? names.find((each) => each.toLowerCase() === name.toLowerCase()) ?? (/^\d+$/.test(name) ? names[Number(name)] : undefined);
  return found === undefined ? undefined : columns[found];
}

/** Numbers of a column; an empty or unreadable cell is NaN and draws a gap. */
export function numbersOf(cells: ArrayLike<number | string | null>): Float64Array {
  return Float64Array.from(cells, (cell) => (cell === null || cell === "" ? NaN : Number(cell)));
}

/**
 * The axis: row numbers without a time column, else its numbers, or milliseconds since 1970 where a format is given.
 *
 * Throws `BadSeries` where a time cannot be read or time goes backwards.
 */
export function axisOf(columns: Columns, timeColumn: string, format: string): Float64Array {
  const rows = Math.max(0, ...Object.values(columns).map((each) => each.length));
  if (!timeColumn) return Float64Array.from({ length: rows }, (_, at) => at);
  const cells = column(columns, timeColumn);
  if (!cells) throw new BadSeries(`The data has no column “${timeColumn}”.`);
  const read = format ? timeReader(format) : (cell: string) => Number(cell);
  const axis = new Float64Array(cells.length);
  for (let at = 0; at < cells.length; at++) {
    const cell = String(cells[at] ?? "");
    const value = cell === "" ? NaN : read(cell);
    if (Number.isNaN(value)) throw new BadSeries(`The time “${cell.slice(0, 40)}” in row ${at + 1} cannot be read${format ? ` as ${format}` : ""}.`);
    if (at && value < axis[at - 1]!) throw new BadSeries(`Time goes backwards in row ${at + 1} (“${cell.slice(0, 40)}”).`);
    axis[at] = value;
  }
  return axis;
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
/** Parts of a strftime format, as in d3's `utcParse` (and %f, microseconds). */
const PARTS: Record<string, string> = {
  Y: "(\\d{4})", y: "(\\d{2})", m: "(\\d{1,2})", d: "(\\d{1,2})", e: "\\s?(\\d{1,2})", H: "(\\d{1,2})", I: "(\\d{1,2})", M: "(\\d{1,2})", S: "(\\d{1,2})",
  L: "(\\d{1,3})", f: "(\\d{1,6})", p: "([AaPp][Mm])", b: "([A-Za-z]{3,})", B: "([A-Za-z]{3,})", Z: "(Z|[+-]\\d{2}:?\\d{2})", Q: "(-?\\d+)", s: "(-?\\d+(?:\\.\\d+)?)",
};

/** Milliseconds since 1970 (UTC) of a text in this format; NaN where it does not fit. */
export function timeReader(format: string): (text: string) => number {
  const names: string[] = [];
  const whole = format.replaceAll("%%", "%").replaceAll("%F", "%Y-%m-%d").replaceAll("%T", "%H:%M:%S");
  const pattern = whole.replace(/%-?([A-Za-z])|[.*+?^${}()|[\]\\]/g, (found, name: string | undefined) => {
    if (!name) return `\\${found}`;
    if (!(name in PARTS)) throw new BadSeries(`The time format “%${name}” is not known.`);
    names.push(name);
    return PARTS[name]!;
  });
  const expression = new RegExp(`^\\s*${pattern}\\s*$`);
  return (text) => {
    const found = expression.exec(text);
    return found ? milliseconds(Object.fromEntries(names.map((name, at) => [name, found[at + 1]!]))) : NaN;
  };
}

function milliseconds(parts: Record<string, string>): number {
  const number = (name: string, otherwise: number) => (parts[name] === undefined ? otherwise : Number(parts[name]));
  if (parts.Q !== undefined) return Number(parts.Q);
  if (parts.s !== undefined) return Number(parts.s) * 1000;
  const year = parts.y === undefined ? number("Y", 1970) : number("y", 0) + (number("y", 0) < 69 ? 2000 : 1900);
  const word = parts.b ?? parts.B;
  const month = word === undefined ? number("m", 1) - 1 : MONTHS.indexOf(word.slice(0, 3).toLowerCase());
  const noon = /p/i.test(parts.p ?? "") ? 12 : 0;
  const hour = parts.I === undefined ? number("H", 0) : (number("I", 0) % 12) + noon;
  const thousandths = parts.f === undefined ? Number((parts.L ?? "0").padEnd(3, "0")) : Number(parts.f.padEnd(6, "0")) / 1000;
  if (month < 0 || month > 11) return NaN;
  return Date.UTC(year, month, number("d", number("e", 1)), hour, number("M", 0), number("S", 0), Math.floor(thousandths)) - zone(parts.Z);
}

function zone(text: string | undefined): number {
  const found = /([+-])(\d{2}):?(\d{2})/.exec(text ?? "");
  return found ? (found[1] === "-" ? -1 : 1) * (Number(found[2]) * 60 + Number(found[3])) * 60_000 : 0;
}
