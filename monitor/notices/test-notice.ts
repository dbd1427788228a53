import { ruleSchema } from "../../core/settings/monitor-settings.js";
import type { AlertNotice } from "../../core/records/alerts/alert-notice.js";
import type { HostRecord } from "../../core/records/hosts/host-record.js";
import { SHOWN_MS, type NoticeFacts } from "./notice-facts.js";

const STEP_MS = 5000;
/** The invented figures: a processor that is idle, and busy for the last minute. */
const IDLE = 12;
const BUSY = 87;
const BUSY_MS = 60_000;

/** An invented alert, to test that people are notified. `name` tells one test from another. */
export function testNotice(
  name: string,
  host: HostRecord,
  now: number,
): { readonly notice: AlertNotice; readonly facts: NoticeFacts } {
  const rule = ruleSchema.parse({ name: "test", metric: "cpu", above: 50 });
  const points = Array.from({ length: SHOWN_MS / STEP_MS + 1 }, (_, index) => {
    const at = now - SHOWN_MS + index * STEP_MS;
    const wave = 4 * Math.sin(index / 7) + 3 * Math.sin(index / 3);
    return { at, value: (now - at > BUSY_MS ? IDLE : BUSY) + wave };
  });
  const notice: AlertNotice = {
    v: 1,
    id: `${name}.raised`,
    turn: "raised",
    at: now,
    rule,
    measures: [],
    test: true,
    alert: {
      v: 1,
      id: name,
      rule: rule.name,
      host: host.id,
      text: `This is a test: CPU of ${host.id} was above 50 % for 30 s; it is ${BUSY} %.`,
      actions: ["notify"],
      phase: "raised",
      raisedAt: now,
      reminders: 0,
      value: BUSY,
      worst: BUSY,
      announced: true,
      pending: [],
    },
  };
  return { notice, facts: { host, points, stepMs: STEP_MS, sentAt: now, isOver: false } };
}
