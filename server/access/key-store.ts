import { createHash, timingSafeEqual } from "node:crypto";
import ssh2 from "ssh2";
import { z } from "zod";
import type { KeyOrder, KeySummary } from "../../core/api/access/keys.js";
import { KEY_RIGHTS, lifetimeMs, scopedAppsSchema } from "../../core/api/access/scope.js";
import { systemClock, type Clock } from "../../core/clock.js";
import type { Database } from "../../core/redis/database.js";
import { AppError } from "../../core/errors/app-error.js";
import { actorOf, type Actor } from "../../core/records/events/actor.js";
import { removeField, setField } from "../../core/records/events/change-field.js";
import { keys } from "../../core/redis/keys.js";
import { parseIfSigned, parseSigned, signRecord } from "../../core/redis/signed-record.js";
import type { SecretBox } from "../../core/secrets.js";
import { describeScope, isReservedName, type Credential } from "./credential.js";

const keySchema = z.object({
  name: z.string(),
  publicKey: z.string(),
  createdAt: z.string(),
  /** Undefined: added before keys had scopes, when each could push to every app. */
  scope: z.object({ apps: scopedAppsSchema, may: z.enum(KEY_RIGHTS) }).optional(),
  expiresAt: z.string().optional(),
});

type KeyRecord = z.infer<typeof keySchema>;

const PUSH_TO_ALL = { apps: "all", may: "push" } as const;

/** SSH public keys that may push, or only fetch. */
export class KeyStore {
  constructor(
    private readonly redis: Database,
    private readonly box: SecretBox,
    private readonly clock: Pick<Clock, "now"> = systemClock,
  ) {}

  /** Oldest first. */
  async list(): Promise<KeySummary[]> {
    return Object.entries(await this.all(parseSigned)).map(([id, record]) => summaryOf(id, record));
  }

  /** Adds a line of a `.pub` file. Adding it again changes what it may do, and its name. Throws `key-invalid`. */
  async add({ key: line, apps, may, expires }: KeyOrder, actor: Actor): Promise<KeySummary> {
    const publicKey = line.trim();
    const key = parseKey(publicKey);
    const id = fingerprintOf(key.getPublicSSH())
      .replace(/^SHA256:/, "")
      .replace(/[^A-Za-z0-9]/g, "")
      .slice(0, 16);
    const now = this.clock.now();
    const expiresAt = expires === undefined ? undefined : new Date(now + lifetimeMs(expires)).toISOString();
    const record: KeyRecord = {
      name: key.comment === "" || isReservedName(key.comment) ? id : key.comment,
      publicKey,
      createdAt: new Date(now).toISOString(),
      scope: { apps, may },
      expiresAt,
    };
    await setField(this.redis, keys.sshKeys, id, signRecord(this.box, record, placeOf(id)), {
      ...actorOf(actor),
      app: "",
      type: "key.added",
      data: { subject: `${record.name} (${id})`, scope: describeScope({ apps, may }, expiresAt) },
    });
    return summaryOf(id, record);
  }

  async remove(id: string, actor: Actor): Promise<void> {
    const name = (await this.all(parseIfSigned))[id]?.name;
    const subject = name === undefined ? id : `${name} (${id})`;
    const event = { ...actorOf(actor), app: "", type: "key.removed", data: { subject } } as const;
    if (!(await removeField(this.redis, keys.sshKeys, id, event)))
      throw new AppError("id-unknown", { kind: "key", id });
  }

  /** The key that a client offers, expired or not; undefined if it is unknown. */
  async find(offered: Buffer): Promise<{ credential: Credential; key: ssh2.ParsedKey } | undefined> {
    for (const [id, { name, publicKey, scope = PUSH_TO_ALL, expiresAt }] of Object.entries(
      await this.all(parseIfSigned),
    )) {
      const key = parseKey(publicKey);
      const ours = key.getPublicSSH();
      if (ours.length === offered.length && timingSafeEqual(ours, offered))
        return { credential: { id, name, scope, expiresAt }, key };
    }
    return undefined;
  }

  /** Whether a key has been removed or has expired. */
  async isOver(id: string): Promise<boolean> {
    const record = (await this.all(parseIfSigned))[id];
    const { expiresAt } = record ?? {};
    return record === undefined || (expiresAt !== undefined && Date.parse(expiresAt) <= this.clock.now());
  }

  private async all(parse: typeof parseIfSigned): Promise<Record<string, KeyRecord>> {
    const all = Object.entries(await this.redis.hgetall(keys.sshKeys)).flatMap(([id, text]) => {
      const record = parse(this.box, keySchema, text, placeOf(id));
      return record === undefined ? [] : [[id, record] as const];
    });
    // Redis keeps a hash in no order.
    return Object.fromEntries(all.sort(([, a], [, b]) => a.createdAt.localeCompare(b.createdAt)));
  }
}

function placeOf(id: string): string {
  return `${id} of ${keys.sshKeys}`;
}

function summaryOf(id: string, { name, publicKey, createdAt, scope, expiresAt }: KeyRecord): KeySummary {
  const fingerprint = fingerprintOf(parseKey(publicKey).getPublicSSH());
  const unscoped = scope === undefined;
  return {
    id,
    name,
    fingerprint,
    createdAt,
    ...(scope ?? PUSH_TO_ALL),
    expiresAt: expiresAt ?? null,
    unscoped,
  };
}

function parseKey(line: string): ssh2.ParsedKey {
  if (/PRIVATE KEY/.test(line))
    throw new AppError("key-invalid", { reason: "this is a private key; it should never leave its owner" });
  const key = ssh2.utils.parseKey(line);
  if (key instanceof Error) throw new AppError("key-invalid", { reason: key.message });
  return key;
}

function fingerprintOf(publicKey: Buffer): string {
  return `SHA256:${createHash("sha256").update(publicKey).digest("base64").replace(/=+$/, "")}`;
}
