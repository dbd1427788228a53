/** `value`, which git would otherwise read as an option if it began with `-`. */
export function plainArgument(value: string): string {
  if (value.startsWith("-")) throw new Error(`git was given an option where it expects a name: ${value}`);
  return value;
}
