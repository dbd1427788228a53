/** A whole number as the kernel writes it; undefined for anything else, and for what a double cannot hold exactly. */
export function count(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,20}$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** The first line that begins with `name`, split at blanks, without the name itself. */
export function fieldsOf(text: string, name: string): string[] | undefined {
  return lineOf(text, name)?.trim().split(/\s+/);
}

/** `NAME VALUE` lines (a cgroup's `cpu.stat`, `memory.stat`): the value of one name. */
export function valueOf(text: string, name: string): number | undefined {
  return count(lineOf(text, name)?.trim().split(/\s/, 1)[0]);
}

/** Without taking the other lines apart: these texts are read for each instance, once a second. */
function lineOf(text: string, name: string): string | undefined {
  const start = text.startsWith(`${name} `) ? 0 : text.indexOf(`\n${name} `) + 1;
  if (start === 0 && !text.startsWith(`${name} `)) return undefined;
  const end = text.indexOf("\n", start);
  return text.slice(start + name.length, end < 0 ? undefined : end);
}
