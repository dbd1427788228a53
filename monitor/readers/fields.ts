/** A whole number as the kernel writes it; undefined for anything else, and for what a double cannot hold exactly. */
export function count(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,20}$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** The first line that begins with `name`, split at blanks, without the name itself. */
export function fieldsOf(text: string, name: string): string[] | undefined {
  const line = text.split("\n").find((each) => each.startsWith(`${name} `));
  return line?.slice(name.length).trim().split(/\s+/);
}

/** `NAME VALUE` lines (a cgroup's `cpu.stat`, `memory.stat`): the value of one name. */
export function valueOf(text: string, name: string): number | undefined {
  return count(fieldsOf(text, name)?.[0]);
}
