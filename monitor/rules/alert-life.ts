import type { AlertAction } from "../../core/settings/monitor-settings.js";
import type {
  Acknowledgement,
  AlertRecord,
  AlertTurn,
  Silence,
} from "../../core/records/alerts/alert-record.js";

/** What persons have said about an alert. */
export interface Quiet {
  readonly acknowledged?: Acknowledgement | undefined;
  readonly silence?: Silence | undefined;
}

export interface NewAlert {
  readonly id: string;
  readonly rule: string;
  readonly host: string;
  readonly text: string;
  readonly actions: readonly AlertAction[];
  readonly value: number;
}

/** An alert begins. Under a silence nobody is notified, now or later. */
export function raised(alert: NewAlert, now: number, quiet: Quiet = {}): AlertRecord {
  const record: AlertRecord = {
    ...alert,
    v: 1,
    actions: [...alert.actions],
    phase: "raised",
    raisedAt: now,
    reminders: 0,
    worst: alert.value,
    announced: false,
    pending: [],
  };
  return owing(record, "raised", now, quiet);
}

/** It still lasts: a reminder when it is due, unless somebody has seen to it. */
export function lasting(
  alert: AlertRecord,
  now: number,
  remindSeconds: number,
  quiet: Quiet = {},
): AlertRecord {
  const told = alert.remindedAt ?? alert.raisedAt;
  const isDue = remindSeconds > 0 && now - told >= remindSeconds * 1000;
  if (!isDue || quiet.acknowledged !== undefined || isSilent(quiet, now)) return alert;
  const reminded = { ...alert, phase: "reminded" as const, remindedAt: now, reminders: alert.reminders + 1 };
  return owing(reminded, "reminded", now, quiet);
}

/** It is over. People who were not notified of its start are not notified of its end. */
export function resolved(alert: AlertRecord, now: number, quiet: Quiet = {}): AlertRecord {
  if (alert.phase === "resolved") return alert;
  const { acknowledged } = quiet;
  const over: AlertRecord = {
    ...alert,
    phase: "resolved",
    resolvedAt: now,
    ...(acknowledged === undefined ? {} : { acknowledged }),
    // A late reminder would only confuse.
    pending: alert.pending.filter(({ turn }) => turn !== "reminded"),
  };
  return over.announced ? owing(over, "resolved", now, quiet) : over;
}

/** A newer value. */
export function withValue(alert: AlertRecord, value: number, isWorse: boolean): AlertRecord {
  return { ...alert, value, worst: isWorse ? value : alert.worst };
}

/** An action has handled a turn. */
export function told(alert: AlertRecord, action: AlertAction, turn: AlertTurn): AlertRecord {
  return { ...alert, pending: alert.pending.filter((each) => each.action !== action || each.turn !== turn) };
}

function owing(alert: AlertRecord, turn: AlertTurn, now: number, quiet: Quiet): AlertRecord {
  if (isSilent(quiet, now)) return { ...alert, pending: [] };
  const pending = [...alert.pending, ...alert.actions.map((action) => ({ action, turn }))];
  return { ...alert, announced: true, pending };
}

function isSilent({ silence }: Quiet, now: number): boolean {
  return silence !== undefined && now < silence.until;
}
