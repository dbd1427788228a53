import { z } from "zod";
import type { Clock } from "../../core/clock.js";
import { isAppError } from "../../core/errors/app-error.js";
import type { ApiRequests } from "./requests/api-requests.js";
import { createOnce } from "./requests/create-once.js";

/** A public key of the account. */
export interface AccountKey {
  readonly id: number;
  readonly fingerprint: string;
}

const keySchema = z.object({ id: z.number().int(), fingerprint: z.string(), public_key: z.string() });

export class SshKeys {
  constructor(
    private readonly api: ApiRequests,
    private readonly clock: Clock,
  ) {}

  /** Adds a public key (a line of `authorized_keys`) unless the account has it, under whatever name. */
  async ensure(key: { name: string; publicKey: string }, signal: AbortSignal): Promise<AccountKey> {
    const find = async (): Promise<AccountKey | undefined> => this.find(key.publicKey, signal);
    try {
      return await createOnce({ find, create: async () => this.add(key, signal) }, this.clock, signal);
    } catch (error) {
      // "SSH Key is already in use on your account": another program may have added it meanwhile.
      const found = isAppError(error, "digitalocean-request-refused") ? await find() : undefined;
      if (found === undefined) throw error;
      return found;
    }
  }

  private async find(publicKey: string, signal: AbortSignal): Promise<AccountKey | undefined> {
    const call = { path: "/v2/account/keys", key: "ssh_keys", scopes: ["ssh_key:read"] };
    const all = await this.api.list({ ...call, schema: keySchema, signal });
    return all.find((key) => keyOf(key.public_key) === keyOf(publicKey));
  }

  private async add(
    { name, publicKey }: { name: string; publicKey: string },
    signal: AbortSignal,
  ): Promise<AccountKey> {
    const { ssh_key } = await this.api.send({
      method: "POST",
      path: "/v2/account/keys",
      scopes: ["ssh_key:create"],
      body: { name, public_key: publicKey },
      schema: z.object({ ssh_key: keySchema }),
      signal,
    });
    return ssh_key;
  }
}

/** Type and key, without the comment. */
function keyOf(line: string): string {
  return line.trim().split(/\s+/).slice(0, 2).join(" ");
}
