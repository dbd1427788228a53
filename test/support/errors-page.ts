import { catalogue } from "../../core/errors/error-catalogue.js";

/** A value that stands for any: its name in messages, a list of its name where a list is wanted. */
const placeholders: unknown = new Proxy(
  {},
  {
    get: (_target, name) =>
      Object.assign([`‹${String(name)}›`], {
        toString: () => `‹${String(name)}›`,
        replace: () => `‹${String(name)}›`,
        length: 1,
      }),
  },
);

/** `docs/errors.md`, made from the catalogue. */
export function errorsPage(): string {
  const entries = Object.entries(catalogue).map(([code, entry]) => {
    // Any entry takes the placeholders: they only stand in for its values.
    const { message, hint, status } = entry as {
      message: (values: unknown) => string;
      hint: (values: unknown) => string;
      status: number;
    };
    return `### ${code} (${status})\n\n${oneLine(message(placeholders))}\n\n→ ${oneLine(hint(placeholders))}\n`;
  });
  return `# Errors\n\nWhat each message says, and what to do. The number is the HTTP status in the API.\n\n${entries.join("\n")}`;
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, " ");
}
