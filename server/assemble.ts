import type { Actor } from "../core/records/events/actor.js";
import type { Database } from "../core/redis/database.js";
import { systemClock } from "../core/clock.js";
import { exists } from "../core/files/exists.js";
import type { Home } from "../core/home.js";
import { AddressPolicy } from "../core/network/address-policy.js";
import type { Log } from "../core/log.js";
import { Outbox } from "../core/outbox/outbox.js";
import { Certificates } from "../core/records/certificates/certificates.js";
import { ErrorPages } from "../core/records/routes/error-pages.js";
import { ProxyReports } from "../core/records/routes/proxy-reports.js";
import { RouteTables } from "../core/records/routes/route-tables.js";
import { ScaleDecisions } from "../core/records/scaling/scale-decisions.js";
import { TrafficSeries } from "../core/records/traffic/traffic-series.js";
import { certificateBox, certificateSecret, openSecretBox, type SecretBox } from "../core/secrets.js";
import type { Settings } from "../core/settings/settings.js";
import type { HostFleet } from "./api/machines/host-fleet.js";
import { KeyStore } from "./access/key-store.js";
import type { Access } from "./access/authenticate.js";
import { TokenStore } from "./access/token-store.js";
import { WrongAttempts } from "./access/wrong-attempts.js";
import { CanaryStore } from "./canary/canary-store.js";
import type { CertificateCare } from "./certificates/certificate-care.js";
import { CertificateLoop } from "./certificates/certificate-loop.js";
import type { EngineHosts } from "./engines/engine-hosts.js";
import type { Engine } from "./engines/engine.js";
import type { InstanceLogs } from "./engines/instance-logs.js";
import type { Tasks } from "./engines/tasks.js";
import { EventStream } from "./events/event-stream.js";
import { FlagStore } from "./flags/flag-store.js";
import { Notifier } from "./notify/notifier.js";
import { ReceiverStore } from "./notify/receiver-store.js";
import { endBranch } from "./pipeline/operations/end-branch.js";
import { Pipeline } from "./pipeline/pipeline.js";
import { HookChannel } from "./push/hook-channel.js";
import { PushDesk } from "./push/push-desk.js";
import { signRecords } from "./apps/sign-records.js";
import { AppRemovals } from "./apps/app-removals.js";
import { APP_KEYS } from "./app-keys.js";
import type { DockerfileImages } from "./builds/dockerfile/dockerfile-images.js";
import type { ReleaseImages } from "./builds/image/release-images.js";
import { AppStore } from "./apps/app-store.js";
import { BranchTracks } from "./routes/branch-tracks.js";
import { ConfigStore } from "./apps/config-store.js";
import { DrainingInstances } from "./routes/draining-instances.js";
import { localControlUrl } from "./releases/public-url.js";
import { LogLinks } from "./releases/log-links.js";
import { RecoveringApps } from "./releases/recovering-apps.js";
import { RedisUsers, type RedisUserOptions } from "./apps/redis-users.js";
import { ReleaseTurns } from "./releases/release-turns.js";
import { ReleaseStore } from "./releases/release-store.js";
import type { Machine } from "./machine.js";
import { HostDrains } from "./reconcile/host-drains.js";
import type { ReconcileNeeds } from "./reconcile/needs.js";
import type { Stores } from "./stores.js";
import { DeliveryStore } from "./webhooks/deliveries/delivery-store.js";
import { ForgeReporter } from "./webhooks/reports/forge-reporter.js";
import { SeenHeads } from "./webhooks/sources/seen-heads.js";
import { Sources } from "./webhooks/sources/source.js";
import { WebhookStore } from "./webhooks/webhook-store.js";

export interface ServerOptions {
  readonly home: Home;
  readonly settings: Settings;
  readonly redis: Database;
  readonly engine: Engine;
  readonly logs: InstanceLogs;
  readonly tasks: Tasks;
  readonly appRedis: RedisUserOptions;
  readonly adminToken: string;
  /** Name of this server in Redis; the same after a restart. */
  readonly id: string;
  readonly hooksFolder: string;
  readonly path: string;
  readonly networkEnv: Readonly<Record<string, string>>;
  readonly isRoot: boolean;
  readonly flags?: FlagsListener | undefined;
  /** Of earlier settings, while it still runs something. */
  readonly formerEngine?: Engine | undefined;
  /** Where the engine has several hosts. */
  readonly images?: ReleaseImages | undefined;
  /** Where the engine runs what a Dockerfile describes. */
  readonly dockerfiles?: DockerfileImages | undefined;
  /** Where the engine has several. */
  readonly hosts?: EngineHosts | undefined;
  /** Where there are hosts besides this one, or may be. */
  readonly fleet?: HostFleet | undefined;
  readonly version: string;
  readonly log: Log;
}

/** For apps that do not reach the control port: where the flags are served besides. */
export interface FlagsListener {
  /** Of this machine. */
  readonly addresses: readonly string[];
  readonly port: number;
  /** Where apps find that. */
  readonly url: string;
}

/** What the server is made of; nothing of it runs by itself yet. */
export interface ServerParts {
  readonly tools: ReconcileNeeds;
  readonly access: Access;
  readonly keys: KeyStore;
  readonly pipeline: Pipeline;
  /** Where the engine has several hosts. */
  readonly hosts: { readonly engine: EngineHosts; readonly drains: HostDrains } | undefined;
  readonly hooks: HookChannel;
  readonly desk: PushDesk;
  readonly canaries: CanaryStore;
  readonly events: EventStream;
  readonly webhooks: {
    readonly webhooks: WebhookStore;
    readonly deliveries: DeliveryStore;
    readonly seen: SeenHeads;
    readonly sources: Sources;
  };
  readonly certificates: CertificateCare;
  readonly flags: FlagStore;
  readonly receivers: ReceiverStore;
  readonly notifier: Notifier;
  readonly reporter: ForgeReporter;
  /** What others are to be told: notifications, and commits' statuses. */
  readonly outbox: Outbox;
  readonly logLinks: LogLinks;
}

/** For deliveries and commands; who looks at sources now and then has limits of their own. */
const SOURCE_LIMITS = { perHost: 4, atOnce: 8 };

export async function assemble(options: ServerOptions): Promise<ServerParts> {
  const { home, settings, redis, log, adminToken, hooksFolder, id } = options;
  const isNew = !(await exists(home.key()));
  const box = await openSecretBox(home.key());
  await signRecords({ home, redis, box, isNew, log });
  const tools = makeTools(options, box);
  const pipeline = new Pipeline(tools, redis, id);
  const hooks = await HookChannel.open(log);
  const onBranchDeleted = async (app: string, branch: string, actor: Actor): Promise<void> =>
    endBranch(pipeline, app, branch, actor);
  const webhooks = new WebhookStore(redis, box);
  const addresses = new AddressPolicy(settings.network.allow);
  const receivers = new ReceiverStore(redis, box, addresses);
  const outbox = new Outbox(redis, "notify", tools);
  const logLinks = new LogLinks(box, settings, tools.clock);
  return {
    tools,
    access: {
      tokens: new TokenStore(redis, adminToken, box, tools.clock),
      attempts: new WrongAttempts(tools.clock),
    },
    keys: new KeyStore(redis, box, tools.clock),
    pipeline,
    hosts: options.hosts && { engine: options.hosts, drains: new HostDrains(tools, pipeline, options.hosts) },
    hooks,
    desk: new PushDesk({
      ...{ home, settings, hooksFolder, hooks, pipeline, log, onBranchDeleted },
      removals: tools.removals,
    }),
    canaries: new CanaryStore(redis),
    events: new EventStream(redis),
    webhooks: {
      webhooks,
      deliveries: new DeliveryStore(redis),
      seen: new SeenHeads(redis),
      sources: new Sources(tools, SOURCE_LIMITS),
    },
    certificates: certificateCare(options, tools, box),
    flags: new FlagStore(redis, tools.clock),
    receivers,
    notifier: new Notifier({ receivers, outbox, clock: tools.clock, addresses }),
    reporter: new ForgeReporter({ tools, webhooks, outbox, logLinks, redis, addresses }),
    outbox,
    logLinks,
  };
}

function certificateCare(
  { redis, settings, id, path }: ServerOptions,
  tools: ReconcileNeeds,
  box: SecretBox,
): CertificateCare {
  const certificates = new Certificates(redis, certificateBox(certificateSecret(box)));
  const loop = new CertificateLoop({ redis, certificates, box, settings, tools, id, path });
  return { certificates, loop };
}

function makeStores({ settings, redis, appRedis, log }: ServerOptions, box: SecretBox): Stores {
  const [routes, releases] = [new RouteTables(redis), new ReleaseStore(redis)];
  return {
    apps: new AppStore(redis, box, settings.instances.firstUid, APP_KEYS),
    config: new ConfigStore(redis, box),
    errorPages: new ErrorPages(redis),
    redisUsers: new RedisUsers(appRedis, log),
    releases,
    branchTracks: new BranchTracks(redis, routes, releases),
    routes,
    proxyReports: new ProxyReports(redis),
    traffic: new TrafficSeries(redis),
    scaleDecisions: new ScaleDecisions(redis),
  };
}

/** What the rooms ask for in their `needs`; each gets the same. */
function makeTools(options: ServerOptions, box: SecretBox): ReconcileNeeds {
  const { home, settings, engine, logs, tasks, path, networkEnv, isRoot, log } = options;
  const flagsUrl = options.flags?.url ?? `${localControlUrl(settings)}/flags`;
  const machine: Machine = { home, path, networkEnv, flagsUrl, isRoot };
  const stores = makeStores(options, box);
  const { stopSeconds } = settings.instances;
  const leavingOf = (of: Engine): DrainingInstances =>
    new DrainingInstances({
      ...{ proxyReports: stores.proxyReports, engine: of, clock: systemClock, log },
      stopSeconds,
    });
  return {
    ...machine,
    ...stores,
    ...{ settings, log, engine, logs, tasks, images: options.images, dockerfiles: options.dockerfiles },
    clock: systemClock,
    removals: new AppRemovals(),
    leaving: leavingOf(engine),
    former: options.formerEngine && {
      engine: options.formerEngine,
      leaving: leavingOf(options.formerEngine),
    },
    turns: new ReleaseTurns(),
    recovering: new RecoveringApps(),
  };
}
