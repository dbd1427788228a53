import { randomBytes } from "node:crypto";
import { z } from "zod";
import type { AppKeys } from "../../core/records/apps/app-keys.js";
import {
  receiverEventsSchema,
  receiverFormSchema,
  type CreatedReceiver,
  type NewReceiver,
  type Receiver,
} from "../../core/api/apps/notifications.js";
import type { AddressPolicy } from "../../core/network/address-policy.js";
import { RefusedAddress, resolveHost } from "../../core/network/resolve-host.js";
import type { Database } from "../../core/redis/database.js";
import { AppError } from "../../core/errors/app-error.js";
import { actorOf, type Actor } from "../../core/records/events/actor.js";
import { removeField, setField } from "../../core/records/events/change-field.js";
import { BY_SLUICE, type NewEvent } from "../../core/records/events/event-record.js";
import { keys } from "../../core/redis/keys.js";
import type { SecretBox } from "../../core/secrets.js";
import type { AppEvent } from "../events/app-event.js";
import { parseReceiverUrl, shownUrl } from "./receiver-url.js";

export const RECEIVER_KEYS: AppKeys = { own: [keys.notifications] };

const recordSchema = z.object({
  v: z.literal(1),
  /** Sealed, as a part of it may be secret. */
  url: z.string(),
  form: receiverFormSchema,
  events: receiverEventsSchema,
  /** Sealed. Slack knows no signature. */
  secret: z.string().optional(),
  createdAt: z.string(),
});

type ReceiverRecord = z.infer<typeof recordSchema>;

/** As it is sent to. */
export type ReceiverAddress =
  | { readonly form: "standard"; readonly url: string; readonly secret: string }
  | { readonly form: "slack"; readonly url: string };

/** Of one app. */
export const MOST_RECEIVERS = 20;

/** Who is notified of an app's releases. Every method throws `redis-unavailable`. */
export class ReceiverStore {
  constructor(
    private readonly redis: Database,
    private readonly box: SecretBox,
    private readonly addresses: AddressPolicy,
  ) {}

  /** Oldest first. */
  async list(app: string): Promise<Receiver[]> {
    const records = Object.entries(await this.all(app));
    return records
      .map(([id, { url, form, events, createdAt }]) => {
        const shown = shownUrl(this.box.open(url, context(app, id, "url")), form);
        return { id, url: shown, form, events, createdAt };
      })
      .sort((a, b) => a.createdAt.localeCompare(b.createdAt));
  }

  /** This is the only time the secret is shown. Throws `receiver-url-invalid`, `receivers-too-many`. */
  async add(app: string, receiver: NewReceiver, actor: Actor = { by: BY_SLUICE }): Promise<CreatedReceiver> {
    const { form, events } = receiver;
    const url = parseReceiverUrl(receiver.url);
    await refuseAddress(url, this.addresses);
    if (Object.keys(await this.all(app)).length >= MOST_RECEIVERS)
      throw new AppError("receivers-too-many", { app, most: MOST_RECEIVERS });
    const id = randomBytes(4).toString("hex");
    const createdAt = new Date().toISOString();
    const secret = form === "standard" ? makeSigningSecret() : undefined;
    const record: ReceiverRecord = {
      v: 1,
      url: this.box.seal(url, context(app, id, "url")),
      form,
      events,
      createdAt,
      ...(secret === undefined ? {} : { secret: this.box.seal(secret, context(app, id, "secret")) }),
    };
    const event = eventOf("receiver.added", app, id, actor);
    await setField(this.redis, keys.notifications(app), id, JSON.stringify(record), event);
    const shown = { id, url: shownUrl(url, form), form, events, createdAt };
    return secret === undefined ? shown : { ...shown, secret };
  }

  /** Throws `receiver-unknown`. */
  async remove(app: string, id: string, actor: Actor = { by: BY_SLUICE }): Promise<void> {
    const event = eventOf("receiver.removed", app, id, actor);
    if (!(await removeField(this.redis, keys.notifications(app), id, event)))
      throw new AppError("receiver-unknown", { app, id });
  }

  /** Ids of those who want to know of it. */
  async concernedBy({ app, type, test }: Pick<AppEvent, "app" | "type" | "test">): Promise<string[]> {
    return Object.entries(await this.all(app))
      .filter(([, { events }]) => test === true || events === "all" || events.includes(type))
      .map(([id]) => id);
  }

  /** With its secrets. */
  async address(app: string, id: string): Promise<ReceiverAddress | undefined> {
    const text = await this.redis.hget(keys.notifications(app), id);
    if (text === null) return undefined;
    const record = recordSchema.parse(JSON.parse(text));
    const url = this.box.open(record.url, context(app, id, "url"));
    if (record.form === "slack") return { form: "slack", url };
    return { form: "standard", url, secret: this.box.open(record.secret ?? "", context(app, id, "secret")) };
  }

  private async all(app: string): Promise<Record<string, ReceiverRecord>> {
    const texts = await this.redis.hgetall(keys.notifications(app));
    return Object.fromEntries(
      Object.entries(texts).map(([id, text]) => [id, recordSchema.parse(JSON.parse(text))]),
    );
  }
}

function eventOf(
  type: "receiver.added" | "receiver.removed",
  app: string,
  id: string,
  actor: Actor,
): NewEvent {
  return { ...actorOf(actor), app, type, data: { subject: id } };
}

/** A name that leads nowhere yet may lead somewhere later: every delivery looks again. */
async function refuseAddress(url: string, addresses: AddressPolicy): Promise<void> {
  await resolveHost(new URL(url).hostname, addresses).catch((error: unknown) => {
    if (error instanceof RefusedAddress) throw new AppError("address-refused", { host: error.host });
  });
}

/** As Standard Webhooks writes them: 24 to 64 random bytes in base64. */
function makeSigningSecret(): string {
  return `whsec_${randomBytes(32).toString("base64")}`;
}

function context(app: string, id: string, what: "url" | "secret"): string {
  return `notification:${app}:${id}:${what}`;
}
