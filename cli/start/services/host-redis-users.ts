import { readFile } from "node:fs/promises";
import { hostUserRules, isHostUser, redisUserOfHost, type HostRight } from "../../../core/redis/host-user.js";
import type { Database } from "../../../core/redis/database.js";
import type { SecretBox } from "../../../core/secrets.js";
import type { HostAccess } from "../../../provisioning/fleet/fleet-needs.js";
import { writeRedisUsers, type RedisUsersFile } from "./redis-users-file.js";

export interface HostRedisUsersOptions {
  readonly redis: Database;
  readonly file: RedisUsersFile;
  readonly box: SecretBox;
  /** `10.0.0.2:6380` */
  readonly address: string;
  /** Certificate (PEM) of who vouches for it. */
  readonly ca: string;
}

/** A user of Sluice's Redis for each other host, with the rights that its roles need and a password of its own. */
export class HostRedisUsers implements HostAccess {
  constructor(private readonly options: HostRedisUsersOptions) {}

  async give(host: string, roles: readonly string[]): Promise<{ readonly url: string; readonly ca: string }> {
    const { redis, box, address, ca } = this.options;
    const rights: HostRight[] = roles.includes("proxy") ? ["monitor", "proxy"] : ["monitor"];
    const password = box.derive(`redis-host:${host}`);
    await redis.call("ACL", "SETUSER", ...hostUserRules(host, rights, password));
    await this.keep();
    return { url: `rediss://${redisUserOfHost(host)}:${password}@${address}`, ca };
  }

  async take(host: string): Promise<void> {
    // Its connections end with it.
    await this.options.redis.acl("DELUSER", redisUserOfHost(host));
    await this.keep();
  }

  private async keep(): Promise<void> {
    const { redis, file } = this.options;
    await writeRedisUsers(file, await redis.acl("LIST"));
  }
}

/** Those of an earlier start; none where there was none. */
export async function hostUserLines(path: string): Promise<string[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  return text
    .split("\n")
    .filter((line) => line.startsWith("user ") && isHostUser(line.slice("user ".length)));
}
