import express, { type ErrorRequestHandler } from "express";
import type { Redis } from "ioredis";
import { createServer } from "node:http";
import { AppError, toAppError } from "../core/app-error.js";
import { systemClock } from "../core/clock.js";
import type { Home } from "../core/home.js";
import type { Log } from "../core/log.js";
import { ProxyReports } from "../core/records/proxy-reports.js";
import { TrafficSeries } from "../core/records/traffic-series.js";
import { RouteTables } from "../core/records/route-tables.js";
import { keys } from "../core/redis/keys.js";
import { openSecretBox } from "../core/secrets.js";
import type { Settings } from "../core/settings.js";
import { KeyStore } from "./access/key-store.js";
import { TokenStore } from "./access/token-store.js";
import { api } from "./api/api.js";
import { metrics } from "./api/metrics.js";
import { CanaryStore } from "./canary/canary-store.js";
import { JudgeLoop } from "./canary/judge-loop.js";
import type { Engine } from "./engines/engine.js";
import { Output, problemLines } from "./pipeline/output.js";
import { promote } from "./pipeline/promote.js";
import { Pipeline } from "./pipeline/pipeline.js";
import { HookChannel } from "./push/hook-channel.js";
import { httpGit } from "./push/http-git.js";
import { PushDesk } from "./push/push-desk.js";
import { sshGit } from "./push/ssh-git.js";
import { trackOfBranch } from "./push/track-of-branch.js";
import { Baselines } from "./reconcile/baselines.js";
import { Reconciler } from "./reconcile/reconciler.js";
import { Wakes } from "./reconcile/wakes.js";
import { recover } from "./reconcile/recover.js";
import { AppStore } from "./releases/app-store.js";
import { ConfigStore } from "./releases/config-store.js";
import { RedisUsers } from "./releases/redis-users.js";
import { ReleaseStore } from "./releases/release-store.js";
import { withoutTrack } from "./releases/route-changes.js";
import type { Tools } from "./tools.js";

export interface ServerOptions {
  readonly home: Home;
  readonly settings: Settings;
  readonly redis: Redis;
  readonly engine: Engine;
  /** The address that instances reach Redis at, without user and password. */
  readonly appRedis: { readonly url: string; readonly persistent: boolean };
  readonly adminToken: string;
  /** Name of this server in Redis; the same after a restart. */
  readonly id: string;
  readonly hooksFolder: string;
  readonly path: string;
  readonly networkEnv: Readonly<Record<string, string>>;
  readonly isRoot: boolean;
  readonly version: string;
  readonly log: Log;
}

/** The `server` role: pushes, the pipeline, the API. Resolves when it serves; what an earlier server left is resolved by then. */
export async function startServer(options: ServerOptions): Promise<{ stop(): Promise<void> }> {
  const { home, settings, redis, log } = options;
  const tools = await makeTools(options);
  const tokens = new TokenStore(redis, options.adminToken);
  const sshKeys = new KeyStore(redis);
  const pipeline = new Pipeline(tools, redis, options.id);
  const hooks = await HookChannel.open(log);
  const desk = new PushDesk({
    home,
    settings,
    hooksFolder: options.hooksFolder,
    hooks,
    pipeline,
    log,
    onBranchDeleted: async (app, branch) => {
      await tools.routes.update(app, (table) =>
        withoutTrack(table, trackOfBranch(branch), tools.clock.now()),
      );
    },
  });
  const canaries = new CanaryStore(redis);
  const loops: { stop(): Promise<void> }[] = [];
  const listeners: { close(): Promise<void> }[] = [];
  const stop = async (): Promise<void> => {
    await pipeline.stop();
    await desk.idle();
    for (const loop of loops) await loop.stop();
    hooks.close();
    await Promise.all(listeners.map(async (listener) => listener.close()));
  };
  try {
    await recover(tools, pipeline);
    loops.push(new Reconciler(tools, pipeline).start());
    loops.push(new Baselines(tools, pipeline).start());
    loops.push(await new Wakes(tools, pipeline, redis).start());
    loops.push(judgeLoop(options, { tools, pipeline, canaries }).start());
    listeners.push(
      await listen(controlApp(options, { tools, tokens, sshKeys, pipeline, desk, canaries }), settings),
    );
    listeners.push(
      await sshGit({
        keys: sshKeys,
        apps: tools.apps,
        desk,
        hostKeyFile: home.sshHostKey(),
        bind: settings.bind,
        port: settings.sshPort,
        log,
      }),
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop };
}

function judgeLoop(
  { redis }: ServerOptions,
  { tools, pipeline, canaries }: Pick<Parts, "tools" | "pipeline" | "canaries">,
): JudgeLoop {
  return new JudgeLoop({
    tools,
    store: canaries,
    traffic: tools.traffic,
    isAlert: async () => (await redis.get(keys.alert)) === "yes",
    promote: async (app, release) =>
      promote(tools, pipeline, app, new Output(), { signal: new AbortController().signal, only: release }),
  });
}

interface Parts {
  readonly tools: Tools;
  readonly tokens: TokenStore;
  readonly sshKeys: KeyStore;
  readonly pipeline: Pipeline;
  readonly desk: PushDesk;
  readonly canaries: CanaryStore;
}

function controlApp(
  { home, version, redis, log }: ServerOptions,
  { tools, tokens, sshKeys, pipeline, desk, canaries }: Parts,
): express.Express {
  const app = express();
  app.disable("x-powered-by");
  app.get("/healthz", async (_request, response) => {
    const redisAnswers = await redis.ping().then(
      () => true,
      () => false,
    );
    response.status(redisAnswers ? 200 : 503).json({ server: "up", redis: redisAnswers ? "up" : "down" });
  });
  app.get("/metrics", metrics(tools, tokens, redis));
  app.use("/git", httpGit({ home, tokens, apps: tools.apps, desk }));
  app.use("/api", api({ tools, redis, pipeline, tokens, keys: sshKeys, canaries, version }));
  app.use((request) => {
    throw new AppError("not-found", { path: request.path });
  });
  const onError: ErrorRequestHandler = (error, request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const problem = bodyParserError(error) ?? toAppError(error);
    const { status, code, message, hint } = problem;
    if (status >= 500) log.error({ err: error, path: request.path }, "request");
    response.status(status);
    // Git shows the text of an answer; programs read JSON.
    if (request.path.startsWith("/git/"))
      response.type("text/plain").send(`${problemLines(problem).join("\n")}\n`);
    else response.json({ error: { code, message, hint } });
  };
  app.use(onError);
  return app;
}

/** express.json() rejects with an error that carries a 4xx `status`. */
function bodyParserError(error: unknown): AppError | undefined {
  const isClientError =
    error instanceof Error &&
    "status" in error &&
    typeof error.status === "number" &&
    error.status < 500 &&
    !(error instanceof AppError);
  return isClientError ? new AppError("request-invalid", { problem: error.message }) : undefined;
}

async function makeTools({
  home,
  settings,
  redis,
  engine,
  appRedis,
  path,
  networkEnv,
  isRoot,
  log,
}: ServerOptions): Promise<Tools> {
  const box = await openSecretBox(home.key());
  return {
    home,
    settings,
    clock: systemClock,
    log,
    engine,
    apps: new AppStore(redis, box, settings.instances.firstUid),
    releases: new ReleaseStore(redis),
    config: new ConfigStore(redis, box),
    redisUsers: new RedisUsers(redis, appRedis),
    routes: new RouteTables(redis),
    proxyReports: new ProxyReports(redis),
    traffic: new TrafficSeries(redis),
    path,
    networkEnv,
    isRoot,
  };
}

async function listen(app: express.Express, settings: Settings): Promise<{ close(): Promise<void> }> {
  const server = createServer(app);
  // A push may take as long as its gates do.
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(settings.controlPort, settings.bind, resolve);
  });
  return {
    close: async () => {
      server.closeIdleConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}
