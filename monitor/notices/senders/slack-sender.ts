import { slackLine } from "../../../core/notify/slack-line.js";
import type { AlertNotice } from "../../../core/records/alerts/alert-notice.js";
import type { SlackSettings } from "../../../core/settings/sender-settings.js";
import type { AddressPolicy } from "../../../core/network/address-policy.js";
import { sendRequest } from "../../../core/network/send-request.js";
import type { NoticeFacts } from "../notice-facts.js";
import type { Sender } from "./sender.js";
import { wordsOf } from "../words.js";

const TIMEOUT_MS = 10_000;

/** A line in a channel, by an incoming webhook. */
export class SlackSender implements Sender {
  readonly kind = "slack";
  readonly to: readonly string[];
  readonly by: string;

  constructor(
    private readonly settings: SlackSettings,
    private readonly addresses: AddressPolicy,
  ) {
    // The rest of the address is the secret.
    this.by = new URL(settings.url).host;
    this.to = [this.by];
  }

  async send(notice: AlertNotice, facts: NoticeFacts, _to: string, signal: AbortSignal): Promise<void> {
    const { line, commands } = wordsOf(notice, facts);
    const [acknowledge] = commands;
    const { headers, body } = slackLine([
      `${line}.`,
      ...(acknowledge === undefined ? [] : [`${acknowledge[0]}: \`${acknowledge[1]}\``]),
    ]);
    await sendRequest(
      {
        method: "POST",
        url: this.settings.url,
        headers: { "user-agent": "sluice-alerts", ...headers },
        body,
      },
      { addresses: this.addresses, signal, timeoutMs: TIMEOUT_MS },
    );
  }
}
