import { ruleSchema } from "../../../core/settings/monitor-settings.js";
import type { AlertNotice } from "../../../core/records/alerts/alert-notice.js";
import type { AlertRecord } from "../../../core/records/alerts/alert-record.js";
import type { NoticeFacts } from "../../../monitor/notices/notice-facts.js";

export const RAISED_AT = Date.parse("2026-01-31T10:31:05Z");

export function anAlert(rest: Partial<AlertRecord> = {}): AlertRecord {
  return {
    v: 1,
    id: "3f2a9c1d",
    rule: "cpu",
    host: "web-1",
    text: "CPU of web-1 was above 50 % for 30 s; it is 87 %.",
    actions: ["notify"],
    phase: "raised",
    raisedAt: RAISED_AT,
    reminders: 0,
    value: 87,
    worst: 87,
    announced: true,
    pending: [],
    ...rest,
  };
}

/** That the processor of web-1 is busy, but for what a test says. */
export function aNotice(rest: Partial<AlertNotice> = {}): AlertNotice {
  return {
    v: 1,
    id: "3f2a9c1d.raised",
    turn: "raised",
    at: RAISED_AT,
    alert: anAlert(),
    rule: ruleSchema.parse({ name: "cpu", metric: "cpu", above: 50 }),
    measures: [],
    ...rest,
  };
}

export function someFacts(rest: Partial<NoticeFacts> = {}): NoticeFacts {
  const points = [
    { at: RAISED_AT - 60_000, value: 4.3 },
    { at: RAISED_AT, value: 87 },
  ];
  return {
    host: {
      v: 1,
      id: "web-1",
      roles: ["proxy", "production"],
      startedAt: "2026-01-01T00:00:00.000Z",
      inventory: {
        system: "Debian 12",
        kernel: "6.1",
        processor: "Example 9000",
        cpus: 4,
        memoryMegabytes: 7936,
        virtual: "KVM",
      },
    },
    points,
    stepMs: 60_000,
    sentAt: RAISED_AT,
    isOver: false,
    ...rest,
  };
}
