import { crypto } from "acme-client";
import type { Database } from "../../../core/redis/database.js";
import { keys } from "../../../core/redis/keys.js";
import type { SecretBox } from "../../../core/secrets.js";

/** The keys of this Sluice's accounts at authorities, sealed in Redis: an account is found again by its key. */
export class AuthorityAccounts {
  constructor(
    private readonly redis: Database,
    private readonly box: SecretBox,
  ) {}

  /** PEM; made at the first need. */
  async keyFor(directory: string): Promise<string> {
    const context = `authority-account:${directory}`;
    const known = await this.redis.hget(keys.authorityAccounts, directory);
    if (known !== null) return this.box.open(known, context);
    const made = (await crypto.createPrivateEcdsaKey("P-256")).toString();
    // Another server may be faster, once.
    await this.redis.hsetnx(keys.authorityAccounts, directory, this.box.seal(made, context));
    return this.keyFor(directory);
  }
}
