import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Clock } from "../../core/clock.js";
import type { Handlers } from "../../core/outbox/outbox-loop.js";
import type { Outbox } from "../../core/outbox/outbox.js";
import type { Message } from "../../core/notify/message.js";
import type { AddressPolicy } from "../../core/network/address-policy.js";
import { sendRequest } from "../../core/network/send-request.js";
import { appEventSchema, type AppEvent } from "../events/app-event.js";
import type { ReceiverAddress, ReceiverStore } from "./receiver-store.js";
import { slackMessage } from "./slack-form.js";
import { standardMessage } from "./standard-form.js";

export interface NotifierOptions {
  readonly receivers: ReceiverStore;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly addresses: AddressPolicy;
}

const KIND = "notification";
const TIMEOUT_MS = 10_000;

const payloadSchema = z.object({
  /** The message's, the same at every try. */
  id: z.string(),
  receiver: z.string(),
  event: appEventSchema,
});

/** A notification that could not be delivered. */
export interface Undelivered {
  readonly receiver: string;
  readonly type: string;
  /** When it was given up, ISO 8601. */
  readonly at: string;
  readonly reason: string;
}

/** Notifies an app's receivers of its events, from a queue, so that nothing waits for them. */
export class Notifier {
  constructor(private readonly options: NotifierOptions) {}

  /** Returns how many receivers will be notified. The same event (same time) is not sent twice. Throws `redis-unavailable`. */
  async tell(event: AppEvent): Promise<number> {
    const { receivers, outbox } = this.options;
    const concerned = await receivers.concernedBy(event);
    for (const receiver of concerned) {
      const payload: z.infer<typeof payloadSchema> = { id: `msg_${randomUUID()}`, receiver, event };
      const { app, release, type, at, test } = event;
      const once = test === true ? {} : { once: `${app}/${release}/${type}/${at}/${receiver}` };
      await outbox.add(KIND, payload, { lane: `${app}/${receiver}`, ...once });
    }
    return concerned.length;
  }

  /** What the outbox is to be started with. */
  handlers(): Handlers {
    return { [KIND]: async (payload, signal) => this.deliver(payloadSchema.parse(payload), signal) };
  }

  /** What an app's receivers were not told, newest first. Throws `redis-unavailable`. */
  async undelivered(app: string): Promise<Undelivered[]> {
    const givenUp = await this.options.outbox.givenUp();
    return givenUp.flatMap(({ job, at, reason }) => {
      const { success, data } = payloadSchema.safeParse(job.payload);
      if (!success || data.event.app !== app) return [];
      const { receiver, event } = data;
      return [{ receiver, type: event.type, at: new Date(at).toISOString(), reason }];
    });
  }

  private async deliver(
    { id, receiver, event }: z.infer<typeof payloadSchema>,
    signal: AbortSignal,
  ): Promise<void> {
    const address = await this.options.receivers.address(event.app, receiver);
    // It was removed meanwhile.
    if (address === undefined) return;
    const { headers, body } = this.messageFor(address, id, event);
    await sendRequest(
      { method: "POST", url: address.url, headers: { "user-agent": "sluice-notify", ...headers }, body },
      { addresses: this.options.addresses, signal, timeoutMs: TIMEOUT_MS },
    );
  }

  private messageFor(address: ReceiverAddress, id: string, event: AppEvent): Message {
    if (address.form === "slack") return slackMessage(event);
    const sentAt = this.options.clock.now();
    return standardMessage(event, { id, sentAt, secret: address.secret });
  }
}
