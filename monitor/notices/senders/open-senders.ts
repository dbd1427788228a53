import type { Clock } from "../../../core/clock.js";
import type { AddressPolicy } from "../../../core/network/address-policy.js";
import type { MonitorSettings } from "../../../core/settings/monitor-settings.js";
import { EmailSender } from "../mail/email-sender.js";
import type { Sender } from "./sender.js";
import { SlackSender } from "./slack-sender.js";
import { WebhookSender } from "./webhook-sender.js";

/** Those that the settings ask for. */
export function openSenders(
  { email, webhook, slack }: Pick<MonitorSettings, "email" | "webhook" | "slack">,
  pagesUrl: string,
  clock: Clock,
  addresses: AddressPolicy,
): Sender[] {
  return [
    ...(email === undefined ? [] : [new EmailSender(email, pagesUrl)]),
    ...(webhook === undefined ? [] : [new WebhookSender(webhook, clock, addresses)]),
    ...(slack === undefined ? [] : [new SlackSender(slack, addresses)]),
  ];
}
