import { ReplicaBarrier } from "../core/loop/replica-barrier.js";
import { ScaleRequests } from "../core/records/scaling/scale-requests.js";
import { isAlert } from "../core/records/alerts/is-alert.js";
import { JudgeLoop } from "./canary/judging/judge-loop.js";
import { controlPort, flagsPort } from "./control-port.js";
import { assemble, type ServerOptions, type ServerParts } from "./assemble.js";
import { eventFollowers } from "./event-followers.js";
import { FlagMirror } from "./flags/flag-mirror.js";
import { Output } from "./pipeline/output.js";
import { promote } from "./pipeline/operations/promote.js";
import { sshGit } from "./push/ssh/ssh-git.js";
import { Baselines } from "./reconcile/baselines.js";
import { FormerCare } from "./reconcile/former-care.js";
import { ImageCollection } from "./reconcile/images/image-collection.js";
import { ImageMoves } from "./reconcile/images/image-moves.js";
import { MovedInstances } from "./reconcile/moved-instances.js";
import { Reconciler } from "./reconcile/reconciler.js";
import { keepRedisUsers } from "./reconcile/keep-redis-users.js";
import { beginRecovery } from "./reconcile/recovery/recover.js";
import { Scaling } from "./reconcile/scaling.js";
import { Spreading } from "./reconcile/spreading.js";
import { Wakes } from "./reconcile/wakes.js";
import type { RecoveringApps } from "./releases/recovering-apps.js";
import { listen, listenAt } from "./listen.js";
import { DeliveryLoop } from "./webhooks/deliveries/delivery-loop.js";
import { SourceWatch } from "./webhooks/sources/source-watch.js";

export interface Server {
  /** Apps that are still being recovered: all that is asked for them waits for that. */
  readonly recovering: RecoveringApps;
  stop(): Promise<void>;
}

/** The `server` role: pushes, webhooks, the pipeline, the API. Resolves when it serves; what an earlier server left is recovered meanwhile. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { settings, redis, appRedis, log } = options;
  const parts = await assemble(options);
  const { tools, pipeline, desk, hooks, webhooks, events } = parts;
  const barrier = new ReplicaBarrier(redis, log);
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
    // Replicas are on other hosts.
    if (options.fleet !== undefined) loops.push(barrier.start());
    loops.push(tools.leaving);
    if (tools.former !== undefined) loops.push(tools.former.leaving);
    loops.push(keepRedisUsers(tools, appRedis.redis));
    if (appRedis.isSeparate) loops.push(await new FlagMirror(redis, appRedis.redis, log).start());
    await beginRecovery(tools, pipeline);
    // Stopped before the reconciler, which may be waiting for its turn.
    loops.push(await new Wakes(tools, pipeline, redis).start());
    loops.push(new MovedInstances(tools, pipeline).start());
    loops.push(new Reconciler(tools, pipeline).start());
    loops.push(new Baselines(tools, pipeline).start());
    if (options.images !== undefined) {
      loops.push(new ImageCollection(tools, options.images).start());
      loops.push(new ImageMoves(tools, pipeline, options.images).start());
    }
    if (tools.former !== undefined) loops.push(new FormerCare(tools).start());
    loops.push(new Spreading(tools, pipeline).start());
    if (parts.hosts !== undefined) loops.push(parts.hosts.drains.start());
    loops.push(new Scaling(tools, pipeline, new ScaleRequests(redis)).start());
    loops.push(await new DeliveryLoop({ tools, pipeline, redis, ...webhooks }).start());
    loops.push(new SourceWatch({ tools, ...webhooks, pollSeconds: settings.webhooks.pollSeconds }).start());
    loops.push(parts.certificates.loop.start());
    loops.push(judgeLoop(options, parts).start());
    events.start();
    loops.push(eventFollowers(parts, redis).start());
    loops.push(events);
    loops.push(parts.outbox.start({ ...parts.notifier.handlers(), ...parts.reporter.handlers() }));
    listeners.push(
      await listen(controlPort(parts, options, barrier), {
        settings,
        tls: { redis, certificates: parts.certificates.certificates },
        socket: options.home.controlSocket(),
        log,
      }),
    );
    for (const address of options.flags?.addresses ?? [])
      listeners.push(
        await listenAt(flagsPort(parts, barrier), { address, port: options.flags?.port ?? 0 }, log),
      );
    listeners.push(
      await sshGit({
        keys: parts.keys,
        apps: tools.apps,
        desk,
        hostKeyFile: options.home.sshHostKey(),
        attempts: parts.access.attempts,
        barrier,
        bind: settings.sshBind ?? settings.controlBind,
        port: settings.sshPort,
        log,
      }),
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return { recovering: tools.recovering, stop };
}

function judgeLoop({ redis }: ServerOptions, { tools, pipeline, canaries }: ServerParts): JudgeLoop {
  return new JudgeLoop({
    tools,
    store: canaries,
    traffic: tools.traffic,
    isAlert: async () => isAlert(redis),
    promote: async (app, release, isDue) => {
      const signal = new AbortController().signal;
      return promote(pipeline, app, new Output(), { signal, only: release, isDue });
    },
  });
}
