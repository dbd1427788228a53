import { toAppError } from "../../core/errors/app-error.js";
import { PerKey } from "../../core/loop/per-key.js";
import { Ticker } from "../../core/loop/ticker.js";
import type { ScaleRequest, ScaleRequests } from "../../core/records/scaling/scale-requests.js";
import { Output } from "../pipeline/output.js";
import type { Pipeline } from "../pipeline/pipeline.js";
import { scaleProduction } from "../pipeline/operations/scale.js";
import type { Tools } from "../tools.js";

const TICK_MS = 1000;
/** What was decided so long ago is decided again. */
const STALE_MS = 60_000;

/** Does what the autoscaler asks for. A request is forgotten when it is done, so that one of a server that died is done by the next. */
export class Scaling {
  constructor(
    private readonly tools: Tools,
    private readonly pipeline: Pipeline,
    private readonly requests: ScaleRequests,
  ) {}

  start(): { stop(): Promise<void> } {
    const { log } = this.tools;
    const apps = new PerKey({
      onError: (error, app) => log.warn({ err: toAppError(error), app }, "scaling"),
    });
    const ticker = new Ticker({
      everyMs: TICK_MS,
      job: async () => {
        for (const request of await this.requests.waiting())
          apps.runIfIdle(request.app, async (signal) => this.scale(request, signal));
      },
      onError: (error) => log.warn({ err: error }, "scaling"),
    });
    ticker.start();
    return {
      stop: async () => {
        await Promise.all([ticker.stop(), apps.stop()]);
      },
    };
  }

  private async scale(
    { app, release, sizedAt, to, reason, at }: ScaleRequest,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      if (this.tools.clock.now() - at > STALE_MS) return;
      const order = {
        app,
        wanted: { web: to },
        by: "autoscaler",
        reason,
        only: { release, sizedAt },
        signal,
      };
      await scaleProduction(this.pipeline, order, new Output());
    } finally {
      if (!signal.aborted) await this.requests.done(app);
    }
  }
}
