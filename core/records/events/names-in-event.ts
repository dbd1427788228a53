const MOST_NAMES = 20;

/**
 * The names of what was changed, as an event has them. An app's files may set any number of variables at once, and every
 * reader of the stream gets the whole event.
 */
export function namesInEvent(names: readonly string[]): string[] {
  const more = names.length - MOST_NAMES;
  return more <= 0 ? [...names] : [...names.slice(0, MOST_NAMES), `… and ${more} more`];
}
