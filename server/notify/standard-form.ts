import { createHmac } from "node:crypto";
import type { AppEvent } from "./app-event.js";
import type { Message } from "./message.js";

/**
 * The message of Standard Webhooks (https://www.standardwebhooks.com, 1.0): `{type, timestamp, data}`, signed with
 * HMAC-SHA256 over `ID.TIMESTAMP.BODY`. The id is the same at every try, the time is the try's own (ms since 1970). Pure.
 */
export function standardMessage(
  { type, at, ...data }: AppEvent,
  { id, sentAt, secret }: { readonly id: string; readonly sentAt: number; readonly secret: string },
): Message {
  const body = JSON.stringify({ type, timestamp: at, data });
  const timestamp = String(Math.floor(sentAt / 1000));
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  const headers = {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${signature}`,
  };
  return { headers, body };
}
