import type { Clock } from "../../../core/clock.js";
import { standardWebhook } from "../../../core/notify/standard-webhook.js";
import type { AlertNotice } from "../../../core/records/alerts/alert-notice.js";
import type { WebhookSettings } from "../../../core/settings/sender-settings.js";
import type { AddressPolicy } from "../../../core/network/address-policy.js";
import { sendRequest } from "../../../core/network/send-request.js";
import type { NoticeFacts } from "../notice-facts.js";
import type { Sender } from "./sender.js";
import { wordsOf } from "../words.js";

const TIMEOUT_MS = 10_000;

/** Posts `alert.raised`, `alert.reminded` and `alert.resolved` as Standard Webhooks. */
export class WebhookSender implements Sender {
  readonly kind = "webhook";
  readonly to: readonly string[];
  readonly by: string;

  constructor(
    private readonly settings: WebhookSettings,
    private readonly clock: Clock,
    private readonly addresses: AddressPolicy,
  ) {
    this.by = new URL(settings.url).host;
    this.to = [this.by];
  }

  async send(notice: AlertNotice, facts: NoticeFacts, _to: string, signal: AbortSignal): Promise<void> {
    const { url, secret } = this.settings;
    const { id, turn, at } = notice;
    const event = {
      type: `alert.${turn}`,
      timestamp: new Date(at).toISOString(),
      data: dataOf(notice, wordsOf(notice, facts).line),
    };
    const message = standardWebhook(event, { id, sentAt: this.clock.now(), secret });
    const headers = { "user-agent": "sluice-alerts", ...message.headers };
    await sendRequest(
      { method: "POST", url, headers, body: message.body },
      { addresses: this.addresses, signal, timeoutMs: TIMEOUT_MS },
    );
  }
}

function dataOf({ alert, rule, measures, test }: AlertNotice, text: string): object {
  const { id, host, value, worst, raisedAt, resolvedAt, reminders } = alert;
  return {
    alert: id,
    rule: alert.rule,
    host,
    text,
    metric: rule?.metric ?? null,
    value,
    worst,
    raisedAt: new Date(raisedAt).toISOString(),
    resolvedAt: resolvedAt === undefined ? null : new Date(resolvedAt).toISOString(),
    reminders,
    measures,
    ...(test === true ? { test } : {}),
  };
}
