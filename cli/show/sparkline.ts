const BARS = "▁▂▃▄▅▆▇█";

/** A small chart: a bar for each of the last `width` values, from 0 to `top`; a blank for one that is missing. */
export function sparkline(values: readonly (number | undefined)[], top: number, width: number): string {
  const shown = values.slice(-width).map((value) => (value === undefined ? " " : bar(value / top)));
  return shown.join("").padStart(width);
}

function bar(share: number): string {
  const index = Math.floor(share * BARS.length);
  return BARS.charAt(Math.min(BARS.length - 1, Math.max(0, Number.isFinite(index) ? index : 0)));
}
