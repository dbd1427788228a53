import express, { type ErrorRequestHandler } from "express";
import type { Redis } from "ioredis";
import { createServer, type Server } from "node:http";
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
  await recover(tools, pipeline);
  const reconciler = new Reconciler(tools, pipeline).start();
  const wakes = await new Wakes(tools, pipeline, redis).start();
  const canaries = new CanaryStore(redis);
  const judge = new JudgeLoop({
    tools,
    store: canaries,
    traffic: new TrafficSeries(redis),
    isAlert: async () => (await redis.get(keys.alert)) === "yes",
    promote: async (app, release) =>
      promote(tools, pipeline, app, new Output(), { signal: new AbortController().signal, only: release }),
  }).start();
  const control = await listen(
    controlApp(options, { tools, tokens, sshKeys, pipeline, desk, canaries }),
    settings,
  );
  const ssh = await sshGit({
    keys: sshKeys,
    apps: tools.apps,
    desk,
    hostKeyFile: home.sshHostKey(),
    bind: settings.bind,
    port: settings.sshPort,
    log,
  });
  return {
    stop: async () => {
      await pipeline.stop();
      await desk.idle();
      await reconciler.stop();
      await wakes.stop();
      await judge.stop();
      hooks.close();
      await Promise.all([ssh.close(), close(control)]);
    },
  };
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
  app.get("/metrics", metrics(tools, tokens));
  app.use("/git", httpGit({ home, tokens, apps: tools.apps, desk }));
  app.use("/api", api({ tools, pipeline, tokens, keys: sshKeys, canaries, version }));
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

async function listen(app: express.Express, settings: Settings): Promise<Server> {
  const server = createServer(app);
  // A push may take as long as its gates do.
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(settings.controlPort, settings.bind, resolve);
  });
  return server;
}

async function close(server: Server): Promise<void> {
  server.closeIdleConnections();
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
