import type { AlertNotice } from "../../../core/records/alerts/alert-notice.js";
import type { Words } from "../words.js";

/** A mail as plain text. */
export function textPart({ alert }: AlertNotice, words: Words, pagesUrl: string): string {
  const { figure, limit, facts, commands, chart } = words;
  const width = Math.max(...facts.map(([label]) => label.length));
  return [
    `${alert.host}: ${figure}`,
    ...(limit === "" ? [] : [limit]),
    "",
    ...facts.map(([label, value]) => `${label.padEnd(width)}  ${value}`),
    "",
    `${chart}.`,
    ...(commands.length === 0 ? [] : [""]),
    ...commands.flatMap(([what, command]) => [`${what}:`, `  ${command}`]),
    "",
    `Sluice: ${pagesUrl}`,
    "",
  ].join("\n");
}
