import { catalogue } from "../../core/errors/error-catalogue.js";

const COLUMNS = 100;

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
    return `### ${code} (${status})\n\n${wrap(message(placeholders))}\n\n${wrap(`→ ${hint(placeholders)}`)}\n`;
  });
  return `# Errors\n\nWhat each message says, and what to do. The number is the HTTP status in the API.\n\n${entries.join("\n")}`;
}

/** Lines of at most 100 columns. None begins with a sign that Markdown takes for a list. */
function wrap(text: string): string {
  const words = text.split(/\s+/).filter((word) => word !== "");
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && (word === "-" || last.length + 1 + word.length <= COLUMNS))
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.join("\n");
}
