/** Taking over a model's suggestion, field by field. */

type Answer = Record<string, unknown>;

/** What the person has with the suggestion in it. A text that the suggestion leaves empty stays theirs. */
export function taken(value: Answer, suggestion: Answer): Answer {
  return { ...value, ...Object.fromEntries(Object.entries(suggestion).filter(([, given]) => given !== "")) };
}

/** Whether taking it over would replace something that the person has given. */
export function replaces(value: Answer, suggestion: Answer): boolean {
  const after = taken(value, suggestion);
  return Object.keys(suggestion).some((key) => filled(value[key]) && !alike(value[key], after[key]));
}

function filled(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (value !== null && typeof value === "object") return Object.values(value).some(filled);
  return value !== null && value !== undefined && value !== "" && value !== false;
}

function alike(a: unknown, b: unknown): boolean {
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return a === b;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => alike((a as Answer)[key], (b as Answer)[key]));
}
