import { aimText, valueText, verdictText, type Figure } from "./figure.js";

export interface BenchResult {
  readonly bench: string;
  readonly figures: readonly Figure[];
  readonly notes: readonly string[];
  /** Why it could not be measured to the end. */
  readonly failure?: string;
}

/** A figure for people: name, value and aim on a line, how it was measured below. */
export function figureLines(figure: Figure): string {
  const aim = figure.aim === undefined ? "" : `  (aim ${aimText(figure)}: ${verdictText(figure)})`;
  const spread = figure.spread === undefined ? "" : `  ${figure.spread}`;
  return `  ${figure.name}: ${valueText(figure)}${spread}${aim}\n      ${figure.method}`;
}

/** All figures in a table, a line each. */
export function tableText(results: readonly BenchResult[]): string {
  const rows = results.flatMap(({ bench, figures, failure }) => [
    ...figures.map((figure) => [bench, figure.name, valueText(figure), aimText(figure), verdictText(figure)]),
    ...(failure === undefined ? [] : [[bench, `not to the end: ${firstWords(failure)}`, "", "", "failed"]]),
  ]);
  const all = [["bench", "figure", "value", "aim", ""], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, column) =>
          column === 2 ? cell.padStart(widths[2] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function firstWords(text: string): string {
  return (text.split("\n")[0] ?? "").slice(0, 60);
}

/** For programs; `aim` and `met` only where there is an aim. */
export function jsonText(machine: object, results: readonly BenchResult[]): string {
  return `${JSON.stringify({ machine, benches: results }, null, 2)}\n`;
}
