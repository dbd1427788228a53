import { randomBytes } from "node:crypto";
import { z } from "zod";
import type { AppKeys } from "../../core/records/apps/app-keys.js";
import type { Database } from "../../core/redis/database.js";
import { AppError } from "../../core/errors/app-error.js";
import { actorOf, type Actor } from "../../core/records/events/actor.js";
import { ADD_EVENTS, eventsArgument } from "../../core/records/events/add-events.js";
import { BY_SLUICE, type NewEvent } from "../../core/records/events/event-record.js";
import { keys } from "../../core/redis/keys.js";
import type { SecretBox } from "../../core/secrets.js";
import { newSshKeyPair } from "../../core/ssh-key-pair.js";
import type { ForgeName } from "./forges/forge.js";
import { parseSource } from "./sources/source-address.js";

export const WEBHOOK_KEYS: AppKeys = { hashes: [keys.webhooks] };

const HOST_NAMES = [
  "github",
  "gitlab",
  "gitea",
  "bitbucket",
  "generic",
] as const satisfies readonly ForgeName[];

const webhookRecordSchema = z.object({
  v: z.literal(1),
  /** Sealed. */
  secret: z.string(),
  privateKey: z.string(),
  /** May hold a password. */
  source: z.string().optional(),
  /** Not sealed: a line for the forge. */
  publicKey: z.string(),
  branches: z.array(z.string()),
  host: z.enum(HOST_NAMES).optional(),
  /** Sealed. */
  statusToken: z.string().optional(),
});

type WebhookRecord = z.infer<typeof webhookRecordSchema>;

/** How an app hangs on a repository elsewhere. */
export interface Webhook {
  readonly app: string;
  /** Deliveries are signed with it. */
  readonly secret: string;
  /** Where its repository is fetched from, as an admin gave it. */
  readonly source: string | undefined;
  /** An SSH key of its own. */
  readonly privateKey: string;
  readonly publicKey: string;
  /** Branches that deploy: names, or beginnings of names with a `*`. None: all. */
  readonly branches: readonly string[];
  /** What kind of host delivered last. */
  readonly host: ForgeName | undefined;
  /** With it results are reported to the forge. */
  readonly statusToken: string | undefined;
}

export interface WebhookChange {
  /** "" removes it. */
  readonly statusToken?: string | undefined;
  readonly source?: string | undefined;
  readonly branches?: readonly string[] | undefined;
}

/** The webhooks of the apps. */
export class WebhookStore {
  /** Opened a moment ago: with many deliveries it would be done for each. */
  private readonly known = new Map<string, { readonly text: string; readonly webhook: Webhook }>();

  constructor(
    private readonly redis: Database,
    private readonly box: SecretBox,
  ) {}

  async find(app: string): Promise<Webhook | undefined> {
    const text = await this.redis.hget(keys.webhooks, app);
    return text === null ? undefined : this.opened(app, text);
  }

  async list(): Promise<Webhook[]> {
    const all = await this.redis.hgetall(keys.webhooks);
    return Object.entries(all).map(([app, text]) => this.opened(app, text));
  }

  /** The app's webhook, made now if it has none, with what is to change. Throws `source-invalid`. */
  async change(
    app: string,
    { source, branches, statusToken }: WebhookChange,
    actor: Actor = { by: BY_SLUICE },
  ): Promise<Webhook> {
    const parsed = source === undefined ? undefined : parseSource(source);
    const change = (known = this.make(app)): Webhook => ({
      ...known,
      source: parsed ?? known.source,
      branches: branches ?? known.branches,
      statusToken: statusToken === undefined ? known.statusToken : statusToken || undefined,
    });
    const changed = await this.update(app, change, (before, after) => eventsOfChange(before, after, actor));
    if (changed === undefined)
      throw new AppError("internal", { reason: `the webhook of ${app} was removed while it was created` });
    return changed;
  }

  /** What kind of host delivers. Does nothing for an app that has no webhook any more. */
  async noteHost(app: string, host: ForgeName): Promise<void> {
    await this.update(app, (known) => known && { ...known, host });
  }

  /** `next` is pure, and runs again when somebody else was faster. */
  private async update(
    app: string,
    next: (known: Webhook | undefined) => Webhook | undefined,
    eventsOf: (before: Webhook | undefined, after: Webhook) => NewEvent[] = () => [],
  ): Promise<Webhook | undefined> {
    for (;;) {
      const before = await this.redis.hget(keys.webhooks, app);
      const known = before === null ? undefined : this.opened(app, before);
      const webhook = next(known);
      if (webhook === undefined) return undefined;
      const after = JSON.stringify(this.sealed(webhook));
      const events = eventsArgument(eventsOf(known, webhook));
      const written = await this.redis.eval(
        ...[WRITE, 2, keys.webhooks, keys.events],
        ...[app, before ?? "", after, events],
      );
      if (written === 1) return webhook;
    }
  }

  private make(app: string): Webhook {
    const pair = newSshKeyPair(`sluice-${app}`);
    // The one form that every host takes, GitLab's signing token among them.
    const secret = `whsec_${randomBytes(32).toString("base64")}`;
    const unset = { source: undefined, host: undefined, statusToken: undefined };
    return { app, secret, branches: [], ...unset, ...pair };
  }

  private sealed({
    app,
    secret,
    source,
    privateKey,
    publicKey,
    branches,
    host,
    statusToken,
  }: Webhook): WebhookRecord {
    const seal = (what: string, text: string): string => this.box.seal(text, context(app, what));
    return {
      v: 1,
      secret: seal("secret", secret),
      privateKey: seal("key", privateKey),
      ...(source === undefined ? {} : { source: seal("source", source) }),
      publicKey,
      branches: [...branches],
      ...(host === undefined ? {} : { host }),
      ...(statusToken === undefined ? {} : { statusToken: seal("status-token", statusToken) }),
    };
  }

  private opened(app: string, text: string): Webhook {
    const known = this.known.get(app);
    if (known?.text === text) return known.webhook;
    const { secret, privateKey, source, publicKey, branches, host, statusToken } = webhookRecordSchema.parse(
      JSON.parse(text),
    );
    const open = (what: string, sealed: string): string => this.box.open(sealed, context(app, what));
    const webhook = {
      app,
      secret: open("secret", secret),
      privateKey: open("key", privateKey),
      source: source === undefined ? undefined : open("source", source),
      publicKey,
      branches,
      host,
      statusToken: statusToken === undefined ? undefined : open("status-token", statusToken),
    };
    this.known.set(app, { text, webhook });
    return webhook;
  }
}

/** The event that a change of a webhook is: none or one, with the names of what was changed. Pure. */
function eventsOfChange(before: Webhook | undefined, after: Webhook, actor: Actor): NewEvent[] {
  const names = ["secret", "source", "branches", "statusToken"] as const;
  const changed = names.filter((name) => String(before?.[name] ?? "") !== String(after[name] ?? ""));
  if (changed.length === 0) return [];
  return [{ ...actorOf(actor), app: after.app, type: "webhook.changed", data: { names: changed } }];
}

/**
 * KEYS: webhooks, events stream. ARGV: app, the record's text before ("" none), after, the events. Answer: 1 written, 0 it was
 * another one by then.
 */
const WRITE = `${ADD_EVENTS}
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
addEvents(KEYS[2], ARGV[4])
return 1`;

function context(app: string, what: string): string {
  return `webhook:${app}:${what}`;
}
