import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "../../../core/files/atomic-file.js";
import type { Home } from "../../../core/home.js";
import {
  hostUserRules,
  isHostUser,
  redisUserOfHost,
  replicaUserRules,
  type HostRight,
} from "../../../core/redis/host-user.js";
import type { Database } from "../../../core/redis/database.js";
import { keys } from "../../../core/redis/keys.js";
import { redisPlacesText, type RedisPlaces } from "../../../core/redis/replicas/redis-places.js";
import { beginTerm, readTerm } from "../../../core/redis/replicas/redis-term.js";
import { readReplication } from "../../../core/redis/replicas/replication.js";
import { hashToken, type SecretBox } from "../../../core/secrets.js";
import type { HostAccess, RedisAccess, ReplicaAccess } from "../../../provisioning/fleet/fleet-needs.js";
import { ensureCertificate } from "../registry/registry-certificate.js";
import { serverPassword } from "../replicas/server-password.js";
import { writeRedisUsers, type RedisUsersFile } from "./redis-users-file.js";

/** Other hosts alone use it, and nobody renews it by the year. */
const CERTIFICATE_DAYS = 7300;

export interface HostRedisUsersOptions {
  readonly home: Home;
  readonly path: string;
  readonly redis: Database;
  readonly file: RedisUsersFile;
  /** The apps' Redis, and what keeps its users for its next start. */
  readonly apps: { readonly redis: Database; readonly keep: () => Promise<void> };
  readonly box: SecretBox;
  /** This host's name. */
  readonly host: string;
  readonly places: Omit<RedisPlaces, "v" | "replicas">;
  /** Certificate (PEM) of who vouches for Redis. */
  readonly ca: string;
}

/** A user of Sluice's Redis for each other host, with the rights that its roles need and a password of its own. */
export class HostRedisUsers implements HostAccess {
  readonly canReplicate = true;

  constructor(private readonly options: HostRedisUsersOptions) {}

  async give(
    host: Parameters<HostAccess["give"]>[0],
    replicas: RedisPlaces["replicas"],
  ): Promise<RedisAccess> {
    const { redis, box, places, ca } = this.options;
    const { name, roles } = host;
    const others = roles.filter((role) => role === "proxy" || role === "redis");
    const rights: HostRight[] = ["monitor", ...others];
    const password = box.derive(`redis-host:${name}`);
    await redis.call("ACL", "SETUSER", ...hostUserRules(name, rights, password));
    await this.keep();
    const { server, redisPort } = places;
    return {
      url: `rediss://${redisUserOfHost(name)}:${password}@${server}:${redisPort}`,
      ca,
      places: { v: 1, ...places, replicas },
      replica: roles.includes("redis") ? await this.admit(host, password) : undefined,
    };
  }

  async take(host: string): Promise<void> {
    // Its connections end with it.
    await this.options.redis.acl("DELUSER", redisUserOfHost(host));
    await this.keep();
    const { redis, keep } = this.options.apps;
    await redis.acl("DELUSER", redisUserOfHost(host));
    await keep();
  }

  async isReplicaInSync(address: string): Promise<boolean> {
    const both = [this.options.redis, this.options.apps.redis];
    const states = await Promise.all(both.map(readReplication));
    return states.every(({ replicas }) =>
      replicas.some((replica) => replica.address === address && replica.isInSync),
    );
  }

  async noteReplicas(replicas: RedisPlaces["replicas"]): Promise<void> {
    const { home, places } = this.options;
    const text = redisPlacesText({ ...places, replicas });
    const before = await readFile(home.redisPlaces(), "utf8").catch(() => "");
    if (before !== text && (before !== "" || replicas.length > 0))
      await writeFileAtomically(home.redisPlaces(), text);
  }

  /** Lets a host replicate both Redis. */
  private async admit(
    { name, address }: Parameters<HostAccess["give"]>[0],
    password: string,
  ): Promise<ReplicaAccess> {
    const { home, path, redis, apps, box, host } = this.options;
    for (const each of [redis, apps.redis]) {
      // Redis would wait 5 s for more replicas that could get the same.
      await each.config("SET", "repl-diskless-sync-delay", "0");
      if ((await readTerm(each)) === undefined) await beginTerm(each, host, [], Date.now());
    }
    await apps.redis.call("ACL", "SETUSER", ...replicaUserRules(name, password));
    await apps.keep();
    const folder = home.redisCertificate(join("replicas", name));
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await ensureCertificate({
      ...{ folder, hosts: [address], path, now: Date.now(), days: CERTIFICATE_DAYS },
      authority: home.redisCertificate().replace(/\/$/, ""),
    });
    return {
      password,
      serverPasswordHash: hashToken(serverPassword(box, name)),
      certificate: await readFile(join(folder, "server.crt"), "utf8"),
      key: await readFile(join(folder, "server.key"), "utf8"),
    };
  }

  private async keep(): Promise<void> {
    const { redis, file } = this.options;
    const lines = await redis.acl("LIST");
    await writeRedisUsers(file, lines);
    await redis.hset(keys.redisUsers, "records", lines.join("\n"));
  }
}

/** Those of an earlier start; none where there was none. */
export async function hostUserLines(path: string): Promise<string[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  return text
    .split("\n")
    .filter((line) => line.startsWith("user ") && isHostUser(line.slice("user ".length)));
}
