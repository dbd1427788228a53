import { createHash, timingSafeEqual } from "node:crypto";
import ssh2 from "ssh2";
import { z } from "zod";
import type { KeySummary } from "../../core/api/access/keys.js";
import type { Database } from "../../core/redis/database.js";
import { AppError } from "../../core/errors/app-error.js";
import { keys } from "../../core/redis/keys.js";
import { parseIfSigned, parseSigned, signRecord } from "../../core/redis/signed-record.js";
import type { SecretBox } from "../../core/secrets.js";

const keySchema = z.object({ name: z.string(), publicKey: z.string(), createdAt: z.string() });

/** SSH public keys that may push. */
export class KeyStore {
  constructor(
    private readonly redis: Database,
    private readonly box: SecretBox,
  ) {}

  async list(): Promise<KeySummary[]> {
    return Object.entries(await this.all(parseSigned)).map(([id, { name, publicKey, createdAt }]) => ({
      id,
      name,
      fingerprint: fingerprintOf(parseKey(publicKey).getPublicSSH()),
      createdAt,
    }));
  }

  /** Adds a line of a `.pub` file. Adding it again changes its name. Throws `key-invalid`. */
  async add(line: string): Promise<KeySummary> {
    const publicKey = line.trim();
    const key = parseKey(publicKey);
    const fingerprint = fingerprintOf(key.getPublicSSH());
    const id = fingerprint
      .replace(/^SHA256:/, "")
      .replace(/[^A-Za-z0-9]/g, "")
      .slice(0, 16);
    const createdAt = new Date().toISOString();
    const name = key.comment === "" ? id : key.comment;
    await this.redis.hset(
      keys.sshKeys,
      id,
      signRecord(this.box, { name, publicKey, createdAt }, placeOf(id)),
    );
    return { id, name, fingerprint, createdAt };
  }

  async remove(id: string): Promise<void> {
    if ((await this.redis.hdel(keys.sshKeys, id)) === 0)
      throw new AppError("id-unknown", { kind: "key", id });
  }

  /** The parsed key that a client offers, if it is one of ours, and whose it is. */
  async find(offered: Buffer): Promise<{ name: string; key: ssh2.ParsedKey } | undefined> {
    for (const { name, publicKey } of Object.values(await this.all(parseIfSigned))) {
      const key = parseKey(publicKey);
      const ours = key.getPublicSSH();
      if (ours.length === offered.length && timingSafeEqual(ours, offered)) return { name, key };
    }
    return undefined;
  }

  private async all(parse: typeof parseIfSigned): Promise<Record<string, z.infer<typeof keySchema>>> {
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
