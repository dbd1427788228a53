import { access, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Database } from "../../../core/redis/database.js";
import { Home } from "../../../core/home.js";
import { silentLog } from "../../../core/log.js";
import { connectRedis, openRedis } from "../../../core/redis/connection.js";
import { parseEvent } from "../../../core/records/events/event-record.js";
import { keys } from "../../../core/redis/keys.js";
import type { ReleaseRecord } from "../../../core/records/releases/release-record.js";
import { settingsSchema } from "../../../core/settings/settings.js";
import { Output } from "../../../server/pipeline/output.js";
import { eventually } from "../eventually.js";
import type { ReleaseOrder } from "../../../server/pipeline/pipeline.js";
import type { ReleaseWork } from "../../../server/pipeline/step.js";
import { Repository } from "../../../server/git/repository.js";
import { LocalTasks } from "../../../server/engines/runit/local-tasks.js";
import { assemble, type ServerParts } from "../../../server/assemble.js";
import type { Engine } from "../../../server/engines/engine.js";
import { beginRecovery } from "../../../server/reconcile/recovery/recover.js";
import { eventFollowers } from "../../../server/event-followers.js";
import { CuttingRedis } from "../redis/cutting-redis.js";
import { FakeEngine, FakeLogs, FakeMachine } from "../fakes/fake-engine.js";
import { freeRange, type PortRange } from "../network/free-range.js";
import { TestClone } from "../git/test-clone.js";
import { TestRedis } from "../redis/test-redis.js";
import { testSandbox } from "./test-sandbox.js";
import { tinyApp } from "../git/tiny-app.js";

const APP = "shop";
const FOLLOWERS = ["notify", "reports", "canaries"];
export interface PipelineOptions {
  readonly limits?: object;
  /** Instead of one whose instances never move. */
  readonly makeEngine?: (machine: FakeMachine, ports: PortRange) => Engine;
}
const RECOVERY_TIMEOUT_MS = 30_000;

/**
 * The server's parts without its loops and doors: a real Redis behind a wire that can be cut, a real repository, instances
 * that are children of the test, and no proxy. `serverAnew` is what a server that starts after this one was killed has.
 */
export class TestPipeline {
  /** What was said of the last release. */
  readonly said: string[] = [];
  /** What the engine of earlier settings runs. */
  former: FakeMachine | undefined;

  private constructor(
    readonly folder: string,
    readonly server: TestRedis,
    readonly wire: CuttingRedis,
    public machine: FakeMachine,
    readonly clone: TestClone,
    /** Past the wire. */
    readonly direct: Database,
    public parts: ServerParts,
    private redis: Database,
    private followers: { stop(): Promise<void> },
    private readonly options: PipelineOptions,
  ) {}

  static async start(options: PipelineOptions = {}): Promise<TestPipeline> {
    const folder = await mkdtemp(join(tmpdir(), "pipeline-"));
    const server = await TestRedis.start();
    const wire = await CuttingRedis.before({ path: server.socket });
    const machine = new FakeMachine(join(folder, "sockets"));
    const home = new Home(join(folder, "home"));
    await Repository.ensure(home.repository(APP), home.gitHome());
    const clone = await TestClone.make(join(folder, "clone"), home.repository(APP), tinyApp());
    const { parts, redis, followers } = await partsOf(home, wire, machine, options);
    const direct = await server.connect();
    return new TestPipeline(folder, server, wire, machine, clone, direct, parts, redis, followers, options);
  }

  /** Another server of the same name on the same machine; the one before is gone, whatever it was doing. */
  async serverAnew(): Promise<void> {
    await this.end();
    ({
      parts: this.parts,
      redis: this.redis,
      followers: this.followers,
    } = await partsOf(this.parts.tools.home, this.wire, this.machine, this.options, this.former));
  }

  /** As `serverAnew`, with settings that name another engine. Returns what the one before goes on running. */
  async otherEngine(): Promise<FakeMachine> {
    const former = this.machine;
    this.former = former;
    this.machine = new FakeMachine(join(this.folder, "sockets"));
    await this.serverAnew();
    return former;
  }

  /** Resolves when all that has happened by now was followed. */
  async followed(): Promise<void> {
    await eventually("the events are followed", async () => {
      const [last] = await this.direct.xrevrange(keys.events, "+", "-", "COUNT", 1);
      const cursors = await this.direct.hmget(keys.eventCursors, ...FOLLOWERS);
      return cursors.every((cursor) => cursor === (last?.[0] ?? null));
    });
  }

  /** `v2 release.live by me`, or `app.created by me`, oldest first, past the wire. */
  async events(): Promise<string[]> {
    const rows = await this.direct.xrange(keys.events, "-", "+");
    return rows.map(([id, fields]) => {
      const { type, release, by } = parseEvent(id, fields) ?? { type: "unreadable", by: "nobody" };
      return `${release === undefined ? "" : `${release} `}${type} by ${by}`;
    });
  }

  /** What a server does first. */
  async recover(): Promise<void> {
    const { tools, pipeline } = this.parts;
    await beginRecovery(tools, pipeline);
    await tools.recovering.waitForAll(AbortSignal.timeout(RECOVERY_TIMEOUT_MS));
  }

  /** A new commit, in the server's repository, on no branch there yet. */
  async commit(files: Record<string, string> = { note: String(Math.random()) }): Promise<string> {
    const commit = await this.clone.commit(files);
    await this.clone.git("push", "--quiet", "--force", "sluice", "HEAD:refs/test/commits");
    return commit;
  }

  /** Releases a commit as a push does, its branch moved before the switch; `beforeSwitch` then has a moment. */
  async release(
    commit: string,
    {
      branch = "master",
      track = "production",
      beforeSwitch = async () => Promise.resolve(),
      stop = new AbortController().signal,
    } = {},
  ): Promise<ReleaseRecord> {
    return this.exclusively(async (signal) => {
      const work = await this.begin(commit, { branch, track });
      try {
        await this.parts.pipeline.toHealthy(work, signal);
        await work.repository.setHead(branch, commit);
        await beforeSwitch();
        await this.parts.pipeline.toSettled(work, signal);
        return work.record;
      } finally {
        await work.out.close();
      }
    }, stop);
  }

  async exclusively<T>(
    job: (signal: AbortSignal) => Promise<T>,
    signal = new AbortController().signal,
  ): Promise<T> {
    return this.parts.pipeline.exclusively({ app: APP, what: "a test", signal }, job);
  }

  async begin(
    commit: string,
    order: Pick<ReleaseOrder, "branch" | "track"> & Partial<ReleaseOrder>,
  ): Promise<ReleaseWork> {
    const out = new Output();
    this.said.length = 0;
    out.watch((line) => this.said.push(line));
    return this.parts.pipeline.begin(
      { app: APP, commit, by: "me", source: "push", skipGates: false, quarantine: {}, ...order },
      out,
    );
  }

  /** `v2 failed`, newest first, past the wire. */
  async phases(): Promise<string[]> {
    const texts = Object.values(await this.direct.hgetall(`sluice:releases:${APP}`));
    const records = texts.map((text) => JSON.parse(text) as ReleaseRecord);
    return records.sort((a, b) => b.number - a.number).map(({ number, phase }) => `v${number} ${phase}`);
  }

  /** Track → release, past the wire. */
  async tracks(): Promise<Record<string, number>> {
    const text = await this.direct.hget("sluice:routes", APP);
    return text === null ? {} : (JSON.parse(text) as { tracks: Record<string, number> }).tracks;
  }

  async hasTree(number: number): Promise<boolean> {
    return access(this.parts.tools.home.tree(APP, number)).then(
      () => true,
      () => false,
    );
  }

  running(): string[] {
    return [...this.machine.instances.keys()].sort();
  }

  async stop(): Promise<void> {
    await this.parts.pipeline.stop();
    await this.parts.tools.leaving.stop();
    await this.parts.tools.former?.leaving.stop();
    for (const { id } of (await this.parts.tools.former?.engine.list()) ?? [])
      await this.parts.tools.former?.engine.stop(id, 0);
    for (const { id } of await this.parts.tools.engine.list()) await this.parts.tools.engine.stop(id, 0);
    await this.end();
    await this.wire.stop();
    await this.server.dispose();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** As when the server is killed: nothing can be written any more. */
  private async end(): Promise<void> {
    this.parts.hooks.close();
    this.redis.disconnect();
    await this.followers.stop();
    await this.parts.events.stop();
  }
}

async function partsOf(
  home: Home,
  wire: CuttingRedis,
  machine: FakeMachine,
  { makeEngine, ...options }: PipelineOptions,
  former?: FakeMachine,
): Promise<{ parts: ServerParts; redis: Database; followers: { stop(): Promise<void> } }> {
  const redis = connectRedis({ kind: "socket", path: wire.socket, password: "" }, silentLog);
  await openRedis(redis);
  const ports = await freeRange(20);
  const parts = await assemble({
    home,
    settings: { ...settingsSchema.parse(options), token: undefined },
    redis,
    engine: makeEngine?.(machine, ports) ?? new FakeEngine(machine, ports),
    formerEngine: former && new FakeEngine(former, await freeRange(20)),
    logs: new FakeLogs(machine),
    tasks: await LocalTasks.open({
      home,
      sandbox: await testSandbox(home, dirname(home.root)),
      path: process.env["PATH"] ?? "",
    }),
    appRedis: { redis, isSeparate: false, url: "redis://127.0.0.1:1/0" },
    adminToken: "admin-token-of-the-test-pipeline",
    id: "test-server",
    hooksFolder: home.root,
    path: process.env["PATH"] ?? "",
    networkEnv: {},
    isRoot: false,
    version: "test",
    log: silentLog,
  });
  parts.events.start();
  return { parts, redis, followers: eventFollowers(parts, redis).start() };
}
