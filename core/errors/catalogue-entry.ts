/** One entry: what happened, with the values; what to do now; the HTTP status; whether trying again unchanged can help. */
export interface CatalogueEntry<Values> {
  readonly message: (values: Values) => string;
  readonly hint: (values: Values) => string;
  readonly status: number;
  readonly retriable: boolean;
}

export function entry<Values = Record<string, never>>(
  status: number,
  message: (values: Values) => string,
  hint: (values: Values) => string,
  retriable = false,
): CatalogueEntry<Values> {
  return { status, message, hint, retriable };
}

/** User text inside a message: control characters visible, and short. */
export function printable(text: string): string {
  const visible = text.replace(/\p{Cc}/gu, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
  return visible.length > 120 ? `${visible.slice(0, 120)}…` : visible;
}
