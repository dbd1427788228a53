import { expect } from "chai";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startAppsRedis } from "../../../cli/start/apps-redis/start-apps-redis.js";
import type { Context } from "../../../cli/start/context.js";
import { copyUsers, keepReplica } from "../../../cli/start/replicas/keep-replica.js";
import { promote, demote } from "../../../cli/start/replicas/promote.js";
import { findPrimary, placesFor } from "../../../cli/start/replicas/find-primary.js";
import { serverReplicas, watchReplicas } from "../../../cli/start/replicas/server-replicas.js";
import { startReplica, type ReplicaHost } from "../../../cli/start/replicas/start-replica.js";
import { takeBack } from "../../../cli/start/replicas/take-back.js";
import { startRedisRole } from "../../../cli/start/roles/redis-role.js";
import { HostRedisUsers } from "../../../cli/start/services/host-redis-users.js";
import { reachRedis } from "../../../cli/start/services/reach-redis.js";
import { endService, serviceState } from "../../../core/exec/runsv.js";
import { Home } from "../../../core/home.js";
import { silentLog } from "../../../core/log.js";
import { connectRedis, openRedis } from "../../../core/redis/connection.js";
import type { Database } from "../../../core/redis/database.js";
import { ReplicaBarrier } from "../../../core/loop/replica-barrier.js";
import { redisPlacesText } from "../../../core/redis/replicas/redis-places.js";
import { replicaOrderText } from "../../../core/redis/replicas/replica-order.js";
import { beginTerm, readTerm } from "../../../core/redis/replicas/redis-term.js";
import { openSecretBox } from "../../../core/secrets.js";
import { loadSettings } from "../../../core/settings/settings.js";
import type { RedisAccess } from "../../../provisioning/fleet/fleet-needs.js";
import { eventually } from "../../support/eventually.js";
import { freePort } from "../../support/network/free-port.js";

const [SERVER, REPLICA, SECOND] = ["127.0.0.2", "127.0.0.3", "127.0.0.4"];
const REPLICAS = [
  { host: "redis-1", address: REPLICA },
  { host: "redis-2", address: SECOND },
];
const PATH = process.env["PATH"];

describe("a replica of Redis", function () {
  this.timeout(60_000);
  let folder: string;
  let port: number;
  let server: ServerSide;
  let host: ReplicaHost;
  const started: ReplicaHost[] = [];
  const stops: (() => Promise<void>)[] = [];
  let access: RedisAccess;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-replica-"));
    await chmod(folder, 0o755);
    port = await freePort();
    server = await ServerSide.start(await contextAt("server", SERVER));
    access = await server.admit("redis-1", REPLICA);
    host = await startHost("redis-1", REPLICA, access);
    await eventually("both are in sync", async () => server.users.isReplicaInSync(REPLICA));
  });
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
    for (const each of started.splice(0)) each.disconnect();
    await server.lose();
    for (const name of ["apps-redis", "redis"])
      for (const { host: replica } of REPLICAS)
        await endService(new Home(join(folder, replica)).service(name), 1000);
    await rm(folder, { recursive: true });
  });

  const contextAt = async (name: string, address: string): Promise<Context> => {
    const home = new Home(join(folder, name));
    await mkdir(home.root, { recursive: true });
    await writeFile(
      home.settings(),
      `engine: swarm\nfleet: { address: ${address}, redisPort: ${port} }\nmonitor: { host: ${name} }\n`,
    );
    const settings = await loadSettings({}, home.settings());
    return { home, settings, path: PATH, isRoot: false } as Context;
  };
  const replicaContext = async (name = "redis-1", address = REPLICA, { url } = access): Promise<Context> => {
    const context = await contextAt(name, address);
    const caFile = context.home.redisCertificate("ca.crt");
    const { settings } = context;
    return { ...context, settings: { ...settings, redis: { ...settings.redis, url, caFile } } };
  };
  /** What the server puts on the host. */
  const startHost = async (name: string, address: string, given: RedisAccess): Promise<ReplicaHost> => {
    const context = await replicaContext(name, address, given);
    const { home } = context;
    const { replica, places, url, ca } = given;
    if (replica === undefined || places === undefined) return expect.fail("it is no replica");
    await mkdir(home.redisCertificate(), { recursive: true });
    await writeFile(home.redisCertificate("ca.crt"), ca);
    await writeFile(home.redisCertificate("server.crt"), replica.certificate);
    await writeFile(home.redisCertificate("server.key"), replica.key, { mode: 0o600 });
    await writeFile(home.redisPlaces(), redisPlacesText(places));
    const { password, serverPasswordHash } = replica;
    const user = new URL(url).username;
    await writeFile(
      home.redisReplica(),
      replicaOrderText({ host: name, address, user, password, serverPasswordHash }),
    );
    const replicaHost = await startReplica(context, silentLog);
    started.push(replicaHost);
    return replicaHost;
  };

  it("has all that was answered", async () => {
    const barrier = new ReplicaBarrier(server.records, silentLog);
    const running = barrier.start();
    await eventually("it is seen", async () => {
      await server.records.set("sluice:test", "1");
      await barrier.pass();
      return (await host.records.get("sluice:redis-mark")) !== null;
    });
    for (let number = 0; number < 200; number++) {
      await server.records.set("sluice:test", String(number));
      await barrier.pass();
      expect(await host.records.get("sluice:test")).to.equal(String(number));
    }
    await running.stop();
  });

  it("keeps nobody waiting for long that does not answer any more, however many ask at once", async () => {
    const barrier = new ReplicaBarrier(server.records, silentLog);
    const running = barrier.start();
    await eventually("it is seen", async () => {
      await barrier.pass();
      return (await host.records.get("sluice:redis-mark")) !== null;
    });
    const { pid = 0 } = await serviceState(host.home.service("redis"));
    process.kill(pid, "SIGSTOP");
    try {
      const began = performance.now();
      await Promise.all(Array.from({ length: 30 }, async () => barrier.pass()));
      expect(performance.now() - began).to.be.below(2500);
    } finally {
      process.kill(pid, "SIGCONT");
      await running.stop();
    }
  });

  it("becomes the primary when the server is gone, with its users, and is taken back when it returns", async () => {
    await server.records.set("sluice:alert", "no");
    await server.apps.set("app:shop:cart", "1");
    await server.apps.call("ACL", "SETUSER", "app-shop", "on", ">secret", "~app:shop:*", "+@all");
    await server.keepAppsUsers();
    await eventually("it has them", async () => (await host.apps.get("app:shop:cart")) === "1");
    await server.lose();
    await promote(await replicaContext(), host);
    const places = placesFor({ kind: "url", url: access.url, ca: access.ca }, access.places ?? expect.fail());
    const found = (await findPrimary(places)) ?? expect.fail("there is no primary");
    expect(found.address).to.equal(REPLICA);
    // As another host does, and as an app does.
    const asHost = connectRedis(found.redis, silentLog);
    await openRedis(asHost);
    await asHost.set("sluice:alert", "yes");
    asHost.disconnect();
    const url = `redis://app-shop:secret@${REPLICA}:${access.places?.appsPort ?? 0}`;
    const asApp = connectRedis({ kind: "url", url }, silentLog);
    await openRedis(asApp);
    await asApp.set("app:shop:cart", "2");

    const keeper = keepReplica(host, access.ca, silentLog);
    await server.start();
    expect(await server.records.get("sluice:alert")).to.equal("yes");
    expect(await server.apps.get("app:shop:cart")).to.equal("2");
    await eventually("it is a replica again", async () => server.users.isReplicaInSync(REPLICA));
    await eventually(
      "the app is sent away",
      async () => !String(await host.apps.client("LIST")).includes("app-shop"),
    );
    await keeper.stop();
    asApp.disconnect();
    expect((await findPrimary(places))?.address).to.equal(SERVER);
    await server.records.set("sluice:alert", "no");
    await eventually("it follows", async () => (await host.records.get("sluice:alert")) === "no");
  });

  it("is kept from harm by an app while it is the primary, as the server's is", async () => {
    await server.apps.call("ACL", "SETUSER", "app-shop", "on", ">secret", "~app:shop:*", "+@all");
    await server.keepAppsUsers();
    await server.lose();
    await promote(await replicaContext(), host);
    const stop = await startRedisRole(await replicaContext(), silentLog);
    const url = `redis://app-shop:secret@${REPLICA}:${access.places?.appsPort ?? 0}`;
    const asApp = connectRedis({ kind: "url", url }, silentLog, { commandTimeout: 20_000 });
    try {
      await openRedis(asApp);
      const ended = await asApp.eval("while true do end", 0).catch(String);
      expect(ended).to.include("Script killed");
    } finally {
      asApp.disconnect();
      await stop();
    }
  });

  it("is not made the primary while the server's answers", async () => {
    const refused = await promote(await replicaContext(), host).catch((error: unknown) => error);
    expect(refused).to.have.property("code", "redis-primary-answers");
    expect(await host.records.set("sluice:test", "1").catch(String)).to.include("READONLY");
  });

  it("is followed by another one when it is the primary, and both follow the server again", async () => {
    const given = await server.admit("redis-2", SECOND);
    const second = await startHost("redis-2", SECOND, given);
    await eventually("the second is in sync", async () => server.users.isReplicaInSync(SECOND));
    await copyUsers(host);
    const keepers = [keepReplica(host, access.ca, silentLog), keepReplica(second, access.ca, silentLog)];
    await server.lose();
    await promote(await replicaContext(), host);
    await host.records.set("sluice:test", "1");
    await eventually("it follows", async () => (await second.records.get("sluice:test")) === "1");
    const refused = await promote(await replicaContext("redis-2", SECOND, given), second).catch(
      (error: unknown) => error,
    );
    expect(refused).to.have.property("code", "redis-primary-answers");
    await server.start();
    expect(await server.records.get("sluice:test")).to.equal("1");
    for (const address of [REPLICA, SECOND])
      await eventually(`${address} is in sync`, async () => server.users.isReplicaInSync(address));
    await Promise.all(keepers.map(async (keeper) => keeper.stop()));
    second.disconnect();
  });

  it("that came after the server's start is watched by it, too", async () => {
    const context = await contextAt("server", SERVER);
    await rm(context.home.redisPlaces());
    const moved = new Promise<string>((resolve) => {
      const watch = watchReplicas(
        async () => (await serverReplicas(context, server.records, silentLog))?.records,
        (replica) => resolve(replica.host),
        silentLog,
      );
      stops.push(watch.stop.bind(watch));
    });
    await server.users.noteReplicas(REPLICAS);
    // What a command does after it has asked whether the server's Redis answers: that one is cut off.
    await host.records.replicaof("NO", "ONE");
    await beginTerm(host.records, "redis-1", [await readTerm(host.records)], Date.now());
    expect(await moved).to.equal("redis-1");
  });

  it("that was made the primary unseen is not taken for the server's line, nor the other way round", async () => {
    await server.lose();
    await promote(await replicaContext(), host);
    await host.records.set("sluice:test", "the replica's");
    // It does not answer while the server starts.
    for (const name of ["apps-redis", "redis"]) await endService(host.home.service(name), 1000);
    await server.start();
    await server.records.set("sluice:test", "the server's");
    host.disconnect();
    host = await startReplica(await replicaContext(), silentLog);
    await server.lose();
    await server.start();
    expect(await server.records.get("sluice:test")).to.equal("the server's");
    expect(await host.records.get("sluice:test")).to.equal("the replica's");
    const places = placesFor({ kind: "url", url: access.url, ca: access.ca }, access.places ?? expect.fail());
    expect((await findPrimary(places))?.address).to.equal(SERVER);
    await demote(host);
    await eventually("it follows", async () => (await host.records.get("sluice:test")) === "the server's");
    const [ours, its] = [await readTerm(server.records), await readTerm(host.records)];
    expect(its).to.deep.equal(ours);
  });
});

/** Both Redis of the server, and what lets hosts in. */
class ServerSide {
  records!: Database;
  apps!: Database;
  users!: HostRedisUsers;
  keepAppsUsers!: () => Promise<void>;

  private constructor(private readonly context: Context) {}

  static async start(context: Context): Promise<ServerSide> {
    const side = new ServerSide(context);
    await side.start();
    return side;
  }

  async start(): Promise<void> {
    const { home, settings, path } = this.context;
    const { redis } = await reachRedis(this.context, silentLog);
    this.records = redis;
    const service = await startAppsRedis(this.context);
    this.apps = connectRedis(service.address, silentLog);
    await eventually("the apps' Redis answers", async () => openRedis(this.apps).then(() => true));
    const replicas = await serverReplicas(this.context, redis, silentLog);
    if (replicas !== undefined) await takeBack(replicas.apps(this.apps));
    this.keepAppsUsers = async () => {
      const lines = await this.apps.acl("LIST");
      await service.keepUsers(lines);
      await redis.hset("sluice:redis-users", "apps", lines.join("\n"));
    };
    const { readFile } = await import("node:fs/promises");
    this.users = new HostRedisUsers({
      ...{ home, path, redis, apps: { redis: this.apps, keep: this.keepAppsUsers }, host: "server" },
      box: await openSecretBox(home.key()),
      file: {
        path: home.redis("users.acl"),
        password: (await readFile(home.redis("password"), "utf8")).trim(),
        owner: undefined,
      },
      places: {
        server: SERVER,
        redisPort: settings.fleet.redisPort,
        appsPort: Number(new URL(service.url).port),
      },
      ca: await readFile(home.redisCertificate("ca.crt"), "utf8"),
    });
  }

  async admit(name: string, address: string): Promise<RedisAccess> {
    await this.users.noteReplicas(REPLICAS);
    return this.users.give({ name, roles: ["redis"], address }, REPLICAS);
  }

  /** As with its machine. */
  async lose(): Promise<void> {
    this.records.disconnect();
    this.apps.disconnect();
    for (const name of ["apps-redis", "redis"]) await endService(this.context.home.service(name), 0);
  }
}
