import { randomBytes } from "node:crypto";
import { z } from "zod";
import { lifetimeMs, scopeSchema, type Scope } from "../../core/api/access/scope.js";
import type { CreatedToken, TokenOrder, TokenSummary } from "../../core/api/access/tokens.js";
import { systemClock, type Clock } from "../../core/clock.js";
import type { Database } from "../../core/redis/database.js";
import { AppError } from "../../core/errors/app-error.js";
import { actorOf, type Actor } from "../../core/records/events/actor.js";
import { removeField, setField } from "../../core/records/events/change-field.js";
import { hashToken, makeSecret, sameSecret, type SecretBox } from "../../core/secrets.js";
import { keys } from "../../core/redis/keys.js";
import { parseIfSigned, parseSigned, signRecord } from "../../core/redis/signed-record.js";
import { describeScope, isReservedName, refuseExpired, type Credential } from "./credential.js";

const tokenSchema = z.object({
  name: z.string(),
  hash: z.string(),
  createdAt: z.string(),
  prefix: z.string().optional(),
  /** Undefined: created before tokens had scopes, when each could do everything. */
  scope: scopeSchema.optional(),
  expiresAt: z.string().optional(),
});

type TokenRecord = z.infer<typeof tokenSchema>;

const EVERYTHING: Scope = { apps: "all", may: "admin" };
const PREFIX_CHARACTERS = 6;

/** The admin token, and the tokens in Redis, each with its scope. */
export class TokenStore {
  constructor(
    private readonly redis: Database,
    private readonly adminToken: string,
    private readonly box: SecretBox,
    private readonly clock: Pick<Clock, "now"> = systemClock,
  ) {}

  /** Works without Redis. */
  isAdmin(token: string): boolean {
    return sameSecret(token, this.adminToken);
  }

  /** Whether a token has the form of those that Sluice creates, which cannot be guessed. */
  isRandom(token: string): boolean {
    return /^[0-9a-f]{64}$/.test(token);
  }

  /** Undefined for an unknown token. Throws `credential-expired`. */
  async find(token: string): Promise<Credential | undefined> {
    const hash = hashToken(token);
    const found = (await this.all(parseIfSigned)).find(([, record]) => sameSecret(record.hash, hash));
    if (found === undefined) return undefined;
    const credential = credentialOf(...found);
    refuseExpired(credential, "token", this.clock.now());
    return credential;
  }

  /** Whether a token has been removed or has expired. */
  async isOver(id: string): Promise<boolean> {
    const found = (await this.all(parseIfSigned)).find(([known]) => known === id);
    const expiresAt = found?.[1].expiresAt;
    return found === undefined || (expiresAt !== undefined && Date.parse(expiresAt) <= this.clock.now());
  }

  /** Oldest first. */
  async list(): Promise<TokenSummary[]> {
    const tokens = (await this.all(parseSigned)).map(([id, record]) => summaryOf(id, record));
    // Redis keeps a hash in no order.
    return tokens.sort((a, b) => a.createdAt.localeCompare(b.createdAt));
  }

  /** This is the only time the token itself is shown. */
  async create({ name, apps, may, expires }: TokenOrder, actor: Actor): Promise<CreatedToken> {
    if (!/^[\w .@-]{1,64}$/.test(name) || isReservedName(name))
      throw new AppError("request-invalid", {
        problem:
          "a token's name is 1 to 64 letters, digits, spaces and . _ @ -, and not admin, sluice or autoscaler",
      });
    const token = makeSecret();
    const id = randomBytes(4).toString("hex");
    const now = this.clock.now();
    const expiresAt = expires === undefined ? undefined : new Date(now + lifetimeMs(expires)).toISOString();
    const record: TokenRecord = {
      name,
      hash: hashToken(token),
      createdAt: new Date(now).toISOString(),
      prefix: token.slice(0, PREFIX_CHARACTERS),
      scope: { apps, may },
      expiresAt,
    };
    await setField(this.redis, keys.tokens, id, signRecord(this.box, record, placeOf(id)), {
      ...actorOf(actor),
      app: "",
      type: "token.created",
      data: { subject: `${name} (${id})`, scope: describeScope({ apps, may }, expiresAt) },
    });
    return { ...summaryOf(id, record), token };
  }

  async remove(id: string, actor: Actor): Promise<void> {
    const found = (await this.all(parseIfSigned)).find(([known]) => known === id);
    const subject = found === undefined ? id : `${found[1].name} (${id})`;
    const event = { ...actorOf(actor), app: "", type: "token.removed", data: { subject } } as const;
    if (!(await removeField(this.redis, keys.tokens, id, event)))
      throw new AppError("id-unknown", { kind: "token", id });
  }

  private async all(parse: typeof parseIfSigned): Promise<[id: string, record: TokenRecord][]> {
    const texts = Object.entries(await this.redis.hgetall(keys.tokens));
    return texts.flatMap(([id, text]) => {
      const record = parse(this.box, tokenSchema, text, placeOf(id));
      return record === undefined ? [] : [[id, record] as [string, TokenRecord]];
    });
  }
}

function placeOf(id: string): string {
  return `${id} of ${keys.tokens}`;
}

function credentialOf(id: string, { name, scope = EVERYTHING, expiresAt }: TokenRecord): Credential {
  return { id, name, scope, expiresAt };
}

function summaryOf(id: string, record: TokenRecord): TokenSummary {
  const { name, createdAt, prefix = null, scope, expiresAt = null } = record;
  return { id, name, createdAt, prefix, ...(scope ?? EVERYTHING), expiresAt, unscoped: scope === undefined };
}
