import { createHmac } from "node:crypto";
import type { Message } from "./message.js";

export interface WebhookEvent {
  readonly type: string;
  /** When it happened, ISO 8601. */
  readonly timestamp: string;
  readonly data: object;
}

export interface Signing {
  /** The same at every try. */
  readonly id: string;
  /** The try's own time, ms since 1970. */
  readonly sentAt: number;
  /** `whsec_` and base64; without one the message is not signed. */
  readonly secret: string | undefined;
}

/**
 * The message of Standard Webhooks (https://www.standardwebhooks.com, 1.0): `{type, timestamp, data}`, signed with
 * HMAC-SHA256 over `ID.TIMESTAMP.BODY`. Pure.
 */
export function standardWebhook(
  { type, timestamp, data }: WebhookEvent,
  { id, sentAt, secret }: Signing,
): Message {
  const body = JSON.stringify({ type, timestamp, data });
  const seconds = String(Math.floor(sentAt / 1000));
  const headers = {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": seconds,
  };
  if (secret === undefined) return { headers, body };
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${seconds}.${body}`).digest("base64");
  return { headers: { ...headers, "webhook-signature": `v1,${signature}` }, body };
}
