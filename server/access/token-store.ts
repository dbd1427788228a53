import { randomBytes } from "node:crypto";
import { z } from "zod";
import type { CreatedToken, TokenSummary } from "../../core/api/access/tokens.js";
import type { Database } from "../../core/redis/database.js";
import { AppError } from "../../core/errors/app-error.js";
import { hashToken, makeSecret, sameSecret, type SecretBox } from "../../core/secrets.js";
import { keys } from "../../core/redis/keys.js";
import { parseIfSigned, parseSigned, signRecord } from "../../core/redis/signed-record.js";

const tokenSchema = z.object({ name: z.string(), hash: z.string(), createdAt: z.string() });

/** Whoever holds one of these may do everything: the admin token of the state folder, and those made beside it. */
export class TokenStore {
  constructor(
    private readonly redis: Database,
    private readonly adminToken: string,
    private readonly box: SecretBox,
  ) {}

  /** The name of a token's holder; undefined when it is no token of ours. The admin token works without Redis too. */
  async holder(token: string): Promise<string | undefined> {
    if (sameSecret(token, this.adminToken)) return "admin";
    if (!/^[0-9a-f]{64}$/.test(token)) return undefined;
    const hash = hashToken(token);
    const all = Object.entries(await this.redis.hgetall(keys.tokens)).flatMap(
      ([id, text]) => parseIfSigned(this.box, tokenSchema, text, placeOf(id)) ?? [],
    );
    return all.find((record) => sameSecret(record.hash, hash))?.name;
  }

  async list(): Promise<TokenSummary[]> {
    const all = Object.entries(await this.redis.hgetall(keys.tokens));
    const tokens = all.map(([id, text]) => {
      const { name, createdAt } = parseSigned(this.box, tokenSchema, text, placeOf(id));
      return { id, name, createdAt };
    });
    // Redis keeps a hash in no order.
    return tokens.sort((a, b) => a.createdAt.localeCompare(b.createdAt));
  }

  /** This is the only time the token itself is shown. */
  async create(name: string): Promise<CreatedToken> {
    if (!/^[\w .@-]{1,64}$/.test(name))
      throw new AppError("request-invalid", {
        problem: "a token's name is 1 to 64 letters, digits, spaces and . _ @ -",
      });
    const token = makeSecret();
    const id = randomBytes(4).toString("hex");
    const createdAt = new Date().toISOString();
    const record = { name, hash: hashToken(token), createdAt };
    await this.redis.hset(keys.tokens, id, signRecord(this.box, record, placeOf(id)));
    return { id, name, createdAt, token };
  }

  async remove(id: string): Promise<void> {
    if ((await this.redis.hdel(keys.tokens, id)) === 0)
      throw new AppError("id-unknown", { kind: "token", id });
  }
}

function placeOf(id: string): string {
  return `${id} of ${keys.tokens}`;
}
