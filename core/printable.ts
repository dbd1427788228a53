/** ECMA-48: sets colours and the like, and moves nothing. */
// eslint-disable-next-line no-control-regex -- it is meant
const STYLE = /\u001b\[[\d;:]*m/g;
const STYLES = new RegExp(`(${STYLE.source})`);
const RESET = "\u001b[0m";
/** Control sequences, strings such as a window's title or the clipboard's text, two-byte sequences; then what is left. */
const CONTROLS =
  // eslint-disable-next-line no-control-regex -- these are meant
  /\u001b\[[0-?]*[ -/]*[@-~]|\u001b[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[ -/]*[0-~]|[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g;

/**
 * A line that an app wrote, fit for a terminal: it can set colours in its own line, but neither move the cursor nor change
 * what others printed, nor give the terminal orders.
 */
export function printable(line: string): string {
  const shown = line
    .split(STYLES)
    .map((part, index) => (index % 2 === 1 ? part : part.replace(CONTROLS, "")))
    .join("");
  return shown.includes("\u001b") ? `${shown}${RESET}` : shown;
}
