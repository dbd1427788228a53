import type { Database } from "../../core/redis/database.js";
import type { Clock } from "../../core/clock.js";
import type { Log } from "../../core/log.js";
import type { AddressPolicy } from "../../core/network/address-policy.js";
import type { MonitorSettings } from "../../core/settings/monitor-settings.js";
import { Outbox } from "../../core/outbox/outbox.js";
import { ALERT_OUTBOX } from "../../core/records/alerts/alert-notice.js";
import { AlertRecords } from "../../core/records/alerts/alert-records.js";
import { HostRecords } from "../../core/records/hosts/host-records.js";
import { SampleSeries } from "../../core/records/hosts/sample-series.js";
import type { Actions } from "../alerts/actions.js";
import { openSenders } from "./senders/open-senders.js";
import { SentNotices } from "./sent-notices.js";
import { TellPeople } from "./tell-people.js";

export interface NoticeOptions {
  readonly redis: Database;
  readonly settings: MonitorSettings;
  /** Where a browser finds Sluice. */
  readonly pagesUrl: string;
  readonly addresses: AddressPolicy;
  readonly clock: Clock;
  readonly log: Log;
}

/** Longer than a mail may take: a server that scans it is silent for a while. */
const DEADLINE_MS = 90_000;

/** Sends what waits in the queue. `actions` are for the monitor; without senders in the settings there are none. */
export function startNotices({ redis, settings, pagesUrl, addresses, clock, log }: NoticeOptions): {
  readonly actions: Actions;
  readonly stop: () => Promise<void>;
} {
  const senders = openSenders(settings, pagesUrl, clock, addresses);
  if (senders.length === 0) {
    log.warn(
      "nobody is notified of alerts: sluice.yml sets none of monitor.email, monitor.webhook, monitor.slack",
    );
    return { actions: {}, stop: async () => undefined };
  }
  const outbox = new Outbox(redis, ALERT_OUTBOX, { clock, log, deadlineMs: DEADLINE_MS });
  const people = new TellPeople({
    senders,
    outbox,
    sent: new SentNotices(redis),
    rules: settings.rules,
    series: new SampleSeries(redis),
    hosts: new HostRecords(redis),
    alerts: new AlertRecords(redis),
    clock,
  });
  const running = outbox.start(people.handlers());
  return { actions: { notify: people }, stop: async () => running.stop() };
}
