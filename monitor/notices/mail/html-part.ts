import type { AlertNotice } from "../../../core/records/alerts/alert-notice.js";
import type { AlertTurn } from "../../../core/records/alerts/alert-record.js";
import { CHART_HEIGHT, CHART_WIDTH } from "../chart/chart.js";
import type { Words } from "../words.js";

/** Told from white and from black: the mail program chooses the ground. */
const COLOURS: Readonly<Record<AlertTurn, string>> = {
  raised: "#e0403a",
  reminded: "#d97706",
  resolved: "#2e9e5b",
};
const TITLES: Readonly<Record<AlertTurn, string>> = {
  raised: "Alert",
  reminded: "Still an alert",
  resolved: "Resolved",
};
const GREY = "#808080";
const FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";
const MONO = "font-family:ui-monospace,Menlo,Consolas,monospace";

/** A mail as HTML: one column, nothing fetched from anywhere. `chartId`: of the inline image; none without figures. */
export function htmlPart(
  { turn, alert, test }: AlertNotice,
  words: Words,
  { pagesUrl, chartId }: { pagesUrl: string; chartId: string | undefined },
): string {
  const { line, figure, limit, facts, commands, chart } = words;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${escaped(line)}</title>
</head>
<body style="margin:0;padding:0">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0">
<tr><td align="center" style="padding:16px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:${CHART_WIDTH}px;text-align:left;${FONT};font-size:16px;line-height:1.45">
<tr><td style="border-top:4px solid ${COLOURS[turn]};padding-top:14px;font-size:14px;color:${GREY}">${test === true ? "Test" : TITLES[turn]} · ${escaped(alert.host)}</td></tr>
<tr><td style="font-size:30px;line-height:1.25;font-weight:600;color:${COLOURS[turn]}">${escaped(figure)}</td></tr>
${limit === "" ? "" : `<tr><td style="padding-bottom:6px">${escaped(limit)}</td></tr>`}
${chartId === undefined ? "" : chartRow(chartId, chart)}
<tr><td style="padding-top:10px"><table role="presentation" cellpadding="0" cellspacing="0" border="0" style="font-size:15px">
${facts.map(([label, value]) => factRow(label, value)).join("\n")}
</table></td></tr>
${commands.map(([what, command]) => commandRow(what, command)).join("\n")}
<tr><td style="padding-top:20px;font-size:14px;color:${GREY}">Sluice: <a href="${escaped(pagesUrl)}" style="color:#2f81f7">${escaped(pagesUrl)}</a></td></tr>
</table>
</td></tr>
</table>
</body>
</html>
`;
}

function chartRow(chartId: string, chart: string): string {
  return `<tr><td style="padding-top:12px"><img src="cid:${chartId}" width="${CHART_WIDTH}" height="${CHART_HEIGHT}" alt="${escaped(chart)}" style="display:block;width:100%;max-width:${CHART_WIDTH}px;height:auto;border:0"></td></tr>
<tr><td style="font-size:13px;color:${GREY}">${escaped(chart)}</td></tr>`;
}

function factRow(label: string, value: string): string {
  return `<tr><td valign="top" style="padding:4px 14px 4px 0;color:${GREY};white-space:nowrap">${escaped(label)}</td><td valign="top" style="padding:4px 0">${escaped(value)}</td></tr>`;
}

function commandRow(what: string, command: string): string {
  return `<tr><td style="padding-top:12px;font-size:14px"><span style="color:${GREY}">${escaped(what)}</span><br><code style="${MONO};font-size:14px">${escaped(command)}</code></td></tr>`;
}

function escaped(text: string): string {
  return (
    text
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll('"', "&quot;")
      .replaceAll("'", "&#39;")
      // A number stays with its unit.
      .replace(/(\d) (?=%|[kMG]?B\b|s\b|min\b|h\b|days\b)/g, "$1&nbsp;")
  );
}
