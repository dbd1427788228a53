import type { Database } from "../../core/redis/database.js";
import { toAppError } from "../../core/errors/app-error.js";
import { parseReleaseName } from "../../core/names.js";
import { WakeRequests } from "../../core/records/routes/wake-requests.js";
import { subscriberOf } from "../../core/redis/connection.js";
import { keys } from "../../core/redis/keys.js";
import type { Pipeline } from "../pipeline/pipeline.js";
import type { Tools } from "../tools.js";
import { wakeUp } from "./sleep.js";

const TICK_MS = 1000;

/** Starts releases that a visitor waits for, as soon as a proxy asks; once a second it looks for what it has not heard. */
export class Wakes {
  private readonly requests: WakeRequests;
  private readonly busy = new Map<string, Promise<void>>();
  private readonly stopping = new AbortController();

  constructor(
    private readonly tools: Tools,
    private readonly pipeline: Pick<Pipeline, "work">,
    private readonly redis: Database,
  ) {
    this.requests = new WakeRequests(redis);
  }

  async start(): Promise<{ stop(): Promise<void> }> {
    const subscriber = subscriberOf(this.redis);
    subscriber.on("error", () => undefined);
    subscriber.on("message", (_channel: string, release: string) => this.wake(release));
    await subscriber.subscribe(keys.wakeChannel);
    const look = async (): Promise<void> => {
      for (const release of await this.requests.waiting()) this.wake(release);
    };
    const timer = setInterval(() => {
      look().catch(() => undefined);
    }, TICK_MS);
    return {
      stop: async () => {
        this.stopping.abort(new Error("the server stops"));
        clearInterval(timer);
        subscriber.disconnect();
        await Promise.allSettled([...this.busy.values()]);
      },
    };
  }

  private wake(release: string): void {
    if (this.busy.has(release) || this.stopping.signal.aborted) return;
    const [app = "", name = ""] = release.split("/");
    const number = parseReleaseName(name) ?? 0;
    const { signal } = this.stopping;
    const inTurn = async (): Promise<void> =>
      this.tools.turns
        .take(app, number, async () => wakeUp(this.tools, this.pipeline, app, number, signal))
        .catch((error: unknown) =>
          this.tools.log.warn({ err: toAppError(error), app, release: name }, "a preview did not start"),
        )
        .then(async () => this.requests.done(release));
    const work = this.tools.recovering
      .wait(app, signal)
      .then(inTurn)
      .catch(() => undefined)
      .finally(() => this.busy.delete(release));
    this.busy.set(release, work);
  }
}
