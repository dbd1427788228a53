/** Texts of several named fields with a character between them, as HAProxy's maps and the visitors' cookie have them. */
export interface Delimited<Name extends string> {
  readonly names: readonly Name[];
  format(fields: Readonly<Record<Name, string>>): string;
  /** Of a text with fewer fields the last ones are undefined. */
  parse(text: string): Partial<Record<Name, string>>;
  /** The same text with another value in one field. */
  replace(text: string, name: Name, value: string): string;
  /** HAProxy's converter that takes out a field, or all from `first` to `last` (configuration manual 2.6, section 7.3.1). */
  field(first: Name, last?: Name): string;
  /** A pattern of Lua that captures a field. */
  luaPattern(name: Name): string;
}

export function delimited<Name extends string>(
  separator: string,
  ...names: readonly Name[]
): Delimited<Name> {
  return {
    names,
    format: (fields) => names.map((name) => fields[name]).join(separator),
    parse: (text) => {
      const values = text.split(separator);
      const fields: Partial<Record<Name, string>> = {};
      for (const [index, name] of names.entries()) {
        const value = values[index];
        if (value !== undefined) fields[name] = value;
      }
      return fields;
    },
    replace: (text, name, value) =>
      text
        .split(separator)
        .map((present, index) => (index === names.indexOf(name) ? value : present))
        .join(separator),
    field: (first, last = first) => {
      // HAProxy counts from 1.
      const from = names.indexOf(first) + 1;
      const count = names.indexOf(last) + 2 - from;
      return count === 1 ? `field(${from},${separator})` : `field(${from},${separator},${count})`;
    },
    luaPattern: (name) => `^${`[^${separator}]*${separator}`.repeat(names.indexOf(name))}([^${separator}]*)`,
  };
}
