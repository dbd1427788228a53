import type { Redis } from "ioredis";
import { toAppError } from "../../core/app-error.js";
import { subscriberOf } from "../../core/redis/connection.js";
import { keys } from "../../core/redis/keys.js";
import type { Pipeline } from "../pipeline/pipeline.js";
import type { Tools } from "../tools.js";
import type { BranchResult } from "./delivery-record.js";
import type { Delivery, DeliveryStore } from "./delivery-store.js";
import { deployBranch, type BranchOrder } from "./deploy-branch.js";
import type { SeenHeads } from "./seen-heads.js";
import type { WebhookStore } from "./webhook-store.js";

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
/** After a source that could not be read. */
const RETRY_PAUSES_MS = [2000, 10_000];

/** Works on deliveries as they come: of an app one after the other, and of a branch only the newest. */
export class DeliveryLoop {
  private readonly busy = new Map<string, Promise<void>>();
  private readonly stopping = new AbortController();

  constructor(private readonly options: DeliveryLoopOptions) {}

  async start(): Promise<{ stop(): Promise<void> }> {
    const { redis, deliveries, tools } = this.options;
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
    const { deliveries } = this.options;
    for (;;) {
      const next = await deliveries.next(app);
      if (next === undefined || this.stopping.signal.aborted) return;
      await this.workThrough(app, next);
    }
  }

  private async workThrough(app: string, delivery: Delivery): Promise<void> {
    const { deliveries, webhooks, tools, seen } = this.options;
    const webhook = await webhooks.find(app);
    let record: Delivery = { ...delivery, state: "running", results: [] };
    await deliveries.save(app, record);
    for (const { branch, commit } of delivery.updates) {
      if (webhook === undefined) break;
      const superseded = async (): Promise<string | undefined> =>
        this.superseded(app, delivery.number, branch);
      const isReplay = delivery.from === "replay";
      const result = await this.deploy({ webhook, branch, commit, by: delivery.by, isReplay, superseded });
      const isDone = result.outcome !== "superseded" && result.code !== "source-unreachable";
      if (isDone) await seen.set(app, branch, commit);
      record = { ...record, results: [...record.results, result] };
      await deliveries.save(app, record);
      tools.log.info({ app, delivery: delivery.number, ...result }, "delivery");
    }
    const finishedAt = new Date(tools.clock.now()).toISOString();
    await deliveries.finish(app, { ...record, state: "done", finishedAt });
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
        if (signal.aborted || code === "redis-unavailable" || code === "server-stopping") throw error;
        const reason = message.split("\n")[0] ?? message;
        if (code === "push-superseded") return { ...result, outcome: "superseded", reason };
        if (code === "internal") tools.log.error({ err: error, app: order.webhook.app }, "delivery");
        const pauseMs = code === "source-unreachable" ? RETRY_PAUSES_MS[attempt] : undefined;
        if (pauseMs === undefined) return { ...result, outcome: "failed", reason, code };
        await tools.clock.sleep(pauseMs, signal);
      }
    }
  }

  private async superseded(app: string, number: number, branch: string): Promise<string | undefined> {
    const newest = (await this.options.deliveries.newest(app, branch)) ?? number;
    return newest <= number ? undefined : `delivery ${newest} is a newer push of ${branch}`;
  }
}
