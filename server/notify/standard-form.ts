import type { Message } from "../../core/notify/message.js";
import { standardWebhook, type Signing } from "../../core/notify/standard-webhook.js";
import type { AppEvent } from "../events/app-event.js";

/** The message of Standard Webhooks. Pure. */
export function standardMessage({ type, at, ...data }: AppEvent, signing: Signing): Message {
  return standardWebhook({ type, timestamp: at, data }, signing);
}
