import { toAppError, type ErrorCode } from "../../../core/errors/app-error.js";
import { Slots } from "../../../core/async/slots.js";
import type { Pipeline } from "../../pipeline/pipeline.js";
import type { WebhooksNeeds } from "../needs.js";
import type { BranchResult } from "./delivery-record.js";
import type { Delivery, DeliveryStore } from "./delivery-store.js";
import { deployBranch, type BranchOrder } from "./deploy-branch.js";
import type { SeenHeads } from "../sources/seen-heads.js";
import type { Sources } from "../sources/source.js";
import type { Webhook, WebhookStore } from "../webhook-store.js";

export interface DeliveryWorkOptions {
  readonly tools: WebhooksNeeds;
  readonly pipeline: Pipeline;
  readonly deliveries: DeliveryStore;
  readonly webhooks: WebhookStore;
  readonly seen: SeenHeads;
  readonly sources: Sources;
}

/** At most this many deliveries are built at once. Those that wait, for their source or their app's turn, do not count. */
const BUILDS_AT_ONCE = 4;
const NO_WEBHOOK = "the app no longer has a webhook";
/** At most this many deliveries are read at once; those that were superseded are finished together. */
const TAKEN_AT_ONCE = 200;
/** After a source that could not be read. */
const RETRY_PAUSES_MS = [2000, 10_000];

/** Deploys what was delivered: of an app one delivery after the other, and of a branch only the newest. */
export class DeliveryWork {
  private readonly builds = new Slots(BUILDS_AT_ONCE);

  constructor(private readonly options: DeliveryWorkOptions) {}

  /** Until the app has no delivery left. Throws when it must be called again: Redis is away, say. */
  async workOn(app: string, signal: AbortSignal): Promise<void> {
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
      if (next !== undefined && webhook !== undefined) await this.workThrough(webhook, next, signal);
      if (oldest.length === 0 || signal.aborted) return;
    }
  }

  private superseded(delivery: Delivery, newest: ReadonlyMap<string, number>): Delivery {
    const results = delivery.updates.map((update): BranchResult => {
      const reason = newerThan(delivery, update, newest) ?? NO_WEBHOOK;
      return { ...update, outcome: "superseded", reason };
    });
    return this.finished({ ...delivery, results });
  }

  private finished(delivery: Delivery): Delivery {
    return { ...delivery, state: "done", finishedAt: new Date(this.options.tools.clock.now()).toISOString() };
  }

  private async workThrough(webhook: Webhook, delivery: Delivery, signal: AbortSignal): Promise<void> {
    const { deliveries, tools } = this.options;
    const { app } = webhook;
    let record: Delivery = { ...delivery, state: "running", results: [] };
    for (const update of delivery.updates) {
      // It goes with its app.
      if (!(await deliveries.save(app, record))) return;
      const superseded = async (): Promise<string | undefined> =>
        newerThan(delivery, update, await deliveries.newest(app)) ?? (await this.lostWebhook(webhook));
      const isReplay = delivery.from === "replay";
      const { branch, commit } = update;
      const isRepeated = delivery.repeated === true;
      const origin = delivery.origin;
      const order = {
        webhook,
        branch,
        commit,
        by: delivery.by,
        from: origin,
        isReplay,
        isRepeated,
        superseded,
      };
      const result = await this.deploy(order, signal);
      await this.note(app, result);
      record = { ...record, results: [...record.results, result] };
      tools.log.info({ app, delivery: delivery.number, ...result }, "delivery");
    }
    await deliveries.finish(app, [this.finished(record)]);
  }

  /** An app may have been destroyed meanwhile, and be there again under the same name with a webhook of its own. */
  private async lostWebhook({ app, publicKey }: Webhook): Promise<string | undefined> {
    const now = await this.options.webhooks.find(app);
    return now?.publicKey === publicKey ? undefined : NO_WEBHOOK;
  }

  private async note(app: string, { branch, commit, outcome, code }: BranchResult): Promise<void> {
    const { seen } = this.options;
    if (code === "source-unreachable") await seen.markPending(app, branch);
    else if (outcome !== "superseded") await seen.set(app, branch, commit);
  }

  /** Throws when it is to be done again: the server stops, or Redis is away. */
  private async deploy(order: BranchOrder, signal: AbortSignal): Promise<BranchResult> {
    const { tools, pipeline, sources, webhooks } = this.options;
    const { builds } = this;
    const { branch, commit } = order;
    const result = { branch, ...(commit === undefined ? {} : { commit }) };
    for (let attempt = 0; ; attempt++) {
      try {
        const reason = await order.superseded();
        if (reason !== undefined) return { ...result, outcome: "superseded", reason };
        // Its source may have been set right since the last try.
        const webhook = (await webhooks.find(order.webhook.app)) ?? order.webhook;
        return await deployBranch({ tools, pipeline, sources, builds }, { ...order, webhook }, signal);
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
