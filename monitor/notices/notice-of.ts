import { SILENT_RULE, type AlertAction, type Rule } from "../../core/settings/monitor-settings.js";
import type { AlertNotice } from "../../core/records/alerts/alert-notice.js";
import type { AlertRecord, AlertTurn } from "../../core/records/alerts/alert-record.js";

/** The notice of a turn. `open`: all alerts, to see what else Sluice does because of this host. Pure. */
export function noticeOf(
  turn: AlertTurn,
  alert: AlertRecord,
  rules: readonly Rule[],
  open: readonly AlertRecord[],
): AlertNotice {
  const rule = alert.rule === SILENT_RULE ? undefined : rules.find(({ name }) => name === alert.rule);
  return {
    v: 1,
    id: `${alert.id}.${turn}${turn === "reminded" ? `-${alert.reminders}` : ""}`,
    turn,
    at: timeOf(turn, alert),
    alert,
    ...(rule === undefined ? {} : { rule }),
    measures: measuresOn(alert.host, open),
  };
}

/** The id of the turn that it began with. */
export function firstNoticeId({ alert }: AlertNotice): string {
  return `${alert.id}.raised`;
}

function timeOf(turn: AlertTurn, { raisedAt, remindedAt, resolvedAt }: AlertRecord): number {
  if (turn === "raised") return raisedAt;
  return (turn === "reminded" ? remindedAt : resolvedAt) ?? raisedAt;
}

function measuresOn(host: string, open: readonly AlertRecord[]): AlertAction[] {
  const lasting = open.filter((alert) => alert.host === host && alert.phase !== "resolved");
  return [...new Set(lasting.flatMap(({ actions }) => actions))].filter((action) => action !== "notify");
}
