import type { Rule } from "../../core/settings/monitor-settings.js";
import type { Handler } from "../../core/outbox/attempt.js";
import type { Handlers } from "../../core/outbox/outbox-loop.js";
import type { Outbox } from "../../core/outbox/outbox.js";
import { noticeJobSchema, type AlertNotice } from "../../core/records/alerts/alert-notice.js";
import type { AlertRecord, AlertTurn } from "../../core/records/alerts/alert-record.js";
import type { Action } from "../alerts/actions.js";
import { gatherFacts, type FactSources } from "./notice-facts.js";
import { noticeOf } from "./notice-of.js";
import type { Sender } from "./senders/sender.js";
import type { SentNotices } from "./sent-notices.js";

export interface TellPeopleOptions extends FactSources {
  readonly senders: readonly Sender[];
  readonly outbox: Outbox;
  readonly sent: SentNotices;
  readonly rules: readonly Rule[];
}

/** Notifies people of alerts from a queue, so that the monitor never waits for a mail server. */
export class TellPeople implements Action {
  constructor(private readonly options: TellPeopleOptions) {}

  /** Throws `redis-unavailable`. */
  async tell(turn: AlertTurn, alert: AlertRecord): Promise<void> {
    const { alerts, rules, senders, outbox } = this.options;
    const notice = noticeOf(turn, alert, rules, await alerts.current());
    for (const { kind, to: recipients } of senders)
      for (const to of recipients) {
        // Added again while it waits, it replaces itself.
        const key = `${kind} ${notice.id} ${to}`;
        await outbox.add(kind, { notice, to }, { key, lane: kind });
      }
  }

  /** The handlers to start the outbox with. */
  handlers(): Handlers {
    return Object.fromEntries(this.options.senders.map((sender) => [sender.kind, this.handlerOf(sender)]));
  }

  private handlerOf(sender: Sender): Handler {
    const { sent } = this.options;
    return async (payload, signal) => {
      const { notice, to } = noticeJobSchema.parse(payload);
      // The recipient has been removed from the settings since.
      if (!sender.to.includes(to)) return;
      if (await sent.has(sender.kind, notice.id, to)) return;
      await sender.send(notice, await this.facts(notice), to, signal);
      await sent.add(sender.kind, notice.id, to);
    };
  }

  private async facts(notice: AlertNotice) {
    return gatherFacts(notice, this.options);
  }
}
