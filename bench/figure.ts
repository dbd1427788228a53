/** One thing measured, as people and programs read it. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  /** `ms`, `MB`, `requests/s`, `×` for a ratio; empty for a count. */
  readonly unit: string;
  readonly aim?: Aim;
  /** What surrounds the value: least and most, for example. */
  readonly spread?: string;
  /** How it was measured, in a sentence. */
  readonly method: string;
}

/** In the figure's unit; DESIGN.md, section 10. */
export type Aim = { readonly atMost: number } | { readonly atLeast: number };

export function valueText({ value, unit }: Figure): string {
  return `${numberText(value)}${unit === "" ? "" : ` ${unit}`}`;
}

export function aimText({ aim }: Figure): string {
  if (aim === undefined) return "";
  if ("atMost" in aim && aim.atMost === 0) return "0";
  return "atMost" in aim ? `≤ ${numberText(aim.atMost)}` : `≥ ${numberText(aim.atLeast)}`;
}

/** Undefined: the figure has no aim. */
export function isMet({ value, aim }: Figure): boolean | undefined {
  if (aim === undefined) return undefined;
  return "atMost" in aim ? value <= aim.atMost : value >= aim.atLeast;
}

export function verdictText(figure: Figure): string {
  const met = isMet(figure);
  if (met === undefined) return "";
  return met ? "met" : "missed";
}

const SMALLEST = 0.01;

/** Three figures that count, or as many places; whole numbers as they are. */
function numberText(value: number): string {
  if (!Number.isFinite(value)) return "none";
  if (Number.isInteger(value) || Math.abs(value) >= 100)
    return value.toFixed(0).replace(/\B(?=(\d{3})+$)/g, ",");
  return Math.abs(value) < SMALLEST ? value.toFixed(3) : value.toPrecision(3);
}
