import type { Redis } from "ioredis";
import { toAppError, type ErrorCode } from "../../core/app-error.js";
import { subscriberOf } from "../../core/redis/connection.js";
import { keys } from "../../core/redis/keys.js";
import type { Pipeline } from "../pipeline/pipeline.js";
import type { Tools } from "../tools.js";
import type { BranchResult } from "./delivery-record.js";
import type { Delivery, DeliveryStore } from "./delivery-store.js";
import { deployBranch, type BranchOrder } from "./deploy-branch.js";
import { removeLeftKeyFiles } from "./key-file.js";
import type { SeenHeads } from "./seen-heads.js";
import type { Webhook, WebhookStore } from "./webhook-store.js";

export interface DeliveryLoopOptions {
  readonly tools: Tools;
  readonly pipeline: Pipeline;
  readonly redis: Redis;
  readonly deliveries: DeliveryStore;
  readonly webhooks: WebhookStore;
  readonly seen: SeenHeads;
}

const TICK_MS = 1000;
/** So many apps at once; the others wait. */
const AT_ONCE = 4;
/** So many deliveries are looked at in one go; those that were overtaken go together. */
const TAKEN_AT_ONCE = 200;
/** After a source that could not be read. */
const RETRY_PAUSES_MS = [2000, 10_000];

/** Works on deliveries as they come: of an app one after the other, and of a branch only the newest. */
export class DeliveryLoop {
  private readonly busy = new Map<string, Promise<void>>();
  private readonly stopping = new AbortController();

  constructor(private readonly options: DeliveryLoopOptions) {}

  async start(): Promise<{ stop(): Promise<void> }> {
    const { redis, deliveries, tools } = this.options;
    await removeLeftKeyFiles(tools.home);
    const subscriber = subscriberOf(redis);
    subscriber.on("error", () => undefined);
    subscriber.on("message", (_channel: string, app: string) => this.take(app));
    await subscriber.subscribe(keys.deliveriesChannel);
    const look = async (): Promise<void> => {
      for (const app of await deliveries.waitingApps()) this.take(app);
    };
    const onError = (error: unknown): void => tools.log.debug({ err: error }, "deliveries");
    const timer = setInterval(() => {
      look().catch(onError);
    }, TICK_MS);
    await look().catch(onError);
    return {
      stop: async () => {
        this.stopping.abort(new Error("the server stops"));
        clearInterval(timer);
        subscriber.disconnect();
        await Promise.allSettled([...this.busy.values()]);
      },
    };
  }

  private take(app: string): void {
    if (this.busy.has(app) || this.busy.size >= AT_ONCE || this.stopping.signal.aborted) return;
    const work = this.workOn(app)
      .catch((error: unknown) => this.options.tools.log.warn({ err: toAppError(error), app }, "deliveries"))
      .finally(() => this.busy.delete(app));
    this.busy.set(app, work);
  }

  private async workOn(app: string): Promise<void> {
    const { deliveries, webhooks } = this.options;
    for (;;) {
      const oldest = await deliveries.oldest(app, TAKEN_AT_ONCE);
      const newest = await deliveries.newest(app);
      const webhook = await webhooks.find(app);
      const isOver = (delivery: Delivery): boolean =>
        webhook === undefined ||
        delivery.updates.every((update) => newerThan(delivery, update, newest) !== undefined);
      const first = oldest.findIndex((delivery) => !isOver(delivery));
      const over = first < 0 ? oldest : oldest.slice(0, first);
      if (over.length > 0)
        await deliveries.finish(
          app,
          over.map((delivery) => this.superseded(delivery, newest)),
        );
      const next = oldest[over.length];
      if (next !== undefined && webhook !== undefined) await this.workThrough(webhook, next);
      if (oldest.length === 0 || this.stopping.signal.aborted) return;
    }
  }

  private superseded(delivery: Delivery, newest: ReadonlyMap<string, number>): Delivery {
    const results = delivery.updates.map((update): BranchResult => {
      const reason = newerThan(delivery, update, newest) ?? "the app has no webhook any more";
      return { ...update, outcome: "superseded", reason };
    });
    return this.finished({ ...delivery, results });
  }

  private finished(delivery: Delivery): Delivery {
    return { ...delivery, state: "done", finishedAt: new Date(this.options.tools.clock.now()).toISOString() };
  }

  private async workThrough(webhook: Webhook, delivery: Delivery): Promise<void> {
    const { deliveries, tools, seen } = this.options;
    const { app } = webhook;
    let record: Delivery = { ...delivery, state: "running", results: [] };
    await deliveries.save(app, record);
    for (const update of delivery.updates) {
      const superseded = async (): Promise<string | undefined> =>
        newerThan(delivery, update, await deliveries.newest(app));
      const isReplay = delivery.from === "replay";
      const { branch, commit } = update;
      const result = await this.deploy({ webhook, branch, commit, by: delivery.by, isReplay, superseded });
      const isDone = result.outcome !== "superseded" && result.code !== "source-unreachable";
      if (isDone) await seen.set(app, branch, commit);
      record = { ...record, results: [...record.results, result] };
      await deliveries.save(app, record);
      tools.log.info({ app, delivery: delivery.number, ...result }, "delivery");
    }
    await deliveries.finish(app, [this.finished(record)]);
  }

  /** Throws when it is to be done again: the server stops, or Redis is away. */
  private async deploy(order: BranchOrder): Promise<BranchResult> {
    const { tools, pipeline } = this.options;
    const { branch, commit } = order;
    const result = { branch, ...(commit === undefined ? {} : { commit }) };
    const signal = this.stopping.signal;
    for (let attempt = 0; ; attempt++) {
      try {
        const reason = await order.superseded();
        if (reason !== undefined) return { ...result, outcome: "superseded", reason };
        return await deployBranch(tools, pipeline, order, signal);
      } catch (error) {
        const { code, message } = toAppError(error);
        if (signal.aborted || AGAIN.has(code)) throw error;
        const reason = message.split("\n")[0] ?? message;
        if (code === "push-superseded") return { ...result, outcome: "superseded", reason };
        if (code === "internal") tools.log.error({ err: error, app: order.webhook.app }, "delivery");
        const pauseMs = code === "source-unreachable" ? RETRY_PAUSES_MS[attempt] : undefined;
        if (pauseMs === undefined) return { ...result, outcome: "failed", reason, code };
        await tools.clock.sleep(pauseMs, signal);
      }
    }
  }
}

/** Nothing is decided: the delivery is worked on once more, and what it asked for may be there by then. */
const AGAIN: ReadonlySet<ErrorCode> = new Set([
  "redis-unavailable",
  "release-lock-lost",
  "release-in-doubt",
  "server-stopping",
]);

/** Why a delivery is not wanted for one of its branches any more, if that is so. */
function newerThan(
  { number }: Delivery,
  { branch }: Delivery["updates"][number],
  newest: ReadonlyMap<string, number>,
): string | undefined {
  const newer = newest.get(branch) ?? number;
  return newer <= number ? undefined : `delivery ${newer} is a newer push of ${branch}`;
}
