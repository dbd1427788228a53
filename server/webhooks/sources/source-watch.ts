import { toAppError } from "../../../core/errors/app-error.js";
import { PerKey } from "../../../core/loop/per-key.js";
import { Ticker } from "../../../core/loop/ticker.js";
import type { WebhooksNeeds } from "../needs.js";
import type { BranchUpdate } from "../forges/forge.js";
import type { DeliveryStore } from "../deliveries/delivery-store.js";
import type { SeenHeads } from "./seen-heads.js";
import { Sources } from "./source.js";
import { matchesBranch } from "../matches-branch.js";
import type { Webhook, WebhookStore } from "../webhook-store.js";

export interface SourceWatchOptions {
  readonly tools: WebhooksNeeds;
  readonly webhooks: WebhookStore;
  readonly deliveries: DeliveryStore;
  readonly seen: SeenHeads;
  /** Between two looks at a source, on average. */
  readonly pollSeconds: number;
}

const TICK_MS = 1000;
/** No two sources are asked in step. */
const JITTER = 0.2;
/** Apart from those of deliveries, which must not wait behind them. */
const LIMITS = { perHost: 2, atOnce: 4 };

/**
 * Asks every source now and then what it has: what a host never delivered is found all the same. Several are asked at once,
 * so that one that hangs holds up no other.
 */
export class SourceWatch {
  private readonly dueAt = new Map<string, number>();
  private readonly asking: PerKey;
  private readonly sources: Sources;

  constructor(private readonly options: SourceWatchOptions) {
    const { tools } = options;
    this.sources = new Sources(tools, LIMITS);
    this.asking = new PerKey({
      onError: (error, app) => tools.log.warn({ err: toAppError(error), app }, "could not read a source"),
    });
  }

  start(): { stop(): Promise<void> } {
    const ticker = new Ticker({
      everyMs: TICK_MS,
      job: async () => this.look(),
      onError: (error) => this.options.tools.log.debug({ err: error }, "sources"),
    });
    ticker.start();
    return {
      stop: async () => {
        await Promise.all([ticker.stop(), this.asking.stop()]);
      },
    };
  }

  private async look(): Promise<void> {
    const { webhooks, tools, pollSeconds } = this.options;
    const now = tools.clock.now();
    const known = (await webhooks.list()).filter(({ source }) => source !== undefined);
    for (const app of this.dueAt.keys())
      if (!known.some((webhook) => webhook.app === app)) this.dueAt.delete(app);
    for (const webhook of known) {
      const { app } = webhook;
      const dueAt = this.dueAt.get(app);
      if ((dueAt !== undefined && now < dueAt) || this.asking.isBusy(app)) continue;
      const pauseMs = pollSeconds * 1000 * (1 + JITTER * (2 * Math.random() - 1));
      // The first time at any moment within a pause: a server that starts asks not all at once.
      this.dueAt.set(app, now + (dueAt === undefined ? Math.random() * pauseMs : pauseMs));
      if (dueAt === undefined) continue;
      this.asking.runIfIdle(app, async (signal) =>
        this.ask(webhook, signal).catch((error: unknown) => {
          if (!signal.aborted) throw error;
        }),
      );
    }
  }

  private async ask(webhook: Webhook, signal: AbortSignal): Promise<void> {
    const { tools, deliveries, seen } = this.options;
    const { app } = webhook;
    const heads = await this.sources.heads(webhook, signal);
    if ((await seen.read(app)) === undefined) await seen.begin(app, heads);
    const before = await seen.read(app);
    if (before === undefined) return;
    const updates = missed(before, heads).filter(({ branch }) => matchesBranch(webhook, branch));
    const newest = await deliveries.newest(app);
    const news: BranchUpdate[] = [];
    for (const update of updates) {
      const told = newest.get(update.branch);
      if (told === undefined || !(await deliveries.isWaiting(app, told))) news.push(update);
    }
    if (news.length === 0) return;
    const at = tools.clock.now();
    await deliveries.accept(app, delivered(news, at), at);
  }
}

/** What of the source nobody told of: heads that are new or elsewhere, and branches that are gone. Pure. */
export function missed(
  before: ReadonlyMap<string, string>,
  heads: ReadonlyMap<string, string>,
): BranchUpdate[] {
  const moved = [...heads].filter(([branch, commit]) => before.get(branch) !== commit);
  const gone = [...before.keys()].filter((branch) => !heads.has(branch));
  return [
    ...moved.map(([branch, commit]) => ({ branch, commit })),
    ...gone.map((branch) => ({ branch, commit: undefined })),
  ];
}

function delivered(updates: readonly BranchUpdate[], now: number) {
  return {
    v: 1 as const,
    id: `poll:${now}`,
    at: new Date(now).toISOString(),
    from: "poll",
    by: "poll",
    event: "push",
    answer: 202,
    state: "waiting" as const,
    updates: updates.map(({ branch, commit }) => ({ branch, ...(commit === undefined ? {} : { commit }) })),
    results: [],
  };
}
