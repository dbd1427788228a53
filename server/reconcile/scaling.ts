import { toAppError } from "../../core/errors/app-error.js";
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
  private readonly busy = new Map<string, Promise<void>>();
  private readonly stopping = new AbortController();

  constructor(
    private readonly tools: Tools,
    private readonly pipeline: Pipeline,
    private readonly requests: ScaleRequests,
  ) {}

  start(): { stop(): Promise<void> } {
    const timer = setInterval(() => {
      this.look().catch((error: unknown) => this.tools.log.warn({ err: error }, "scaling"));
    }, TICK_MS);
    return {
      stop: async () => {
        this.stopping.abort(new Error("the server stops"));
        clearInterval(timer);
        await Promise.allSettled([...this.busy.values()]);
      },
    };
  }

  private async look(): Promise<void> {
    for (const request of await this.requests.waiting()) {
      const { app } = request;
      if (this.busy.has(app) || this.stopping.signal.aborted) continue;
      const work = this.scale(request)
        .catch((error: unknown) => this.tools.log.warn({ err: toAppError(error), app }, "scaling"))
        .finally(() => this.busy.delete(app));
      this.busy.set(app, work);
    }
  }

  private async scale({ app, release, sizedAt, to, reason, at }: ScaleRequest): Promise<void> {
    const { signal } = this.stopping;
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
      await scaleProduction(this.tools, this.pipeline, order, new Output());
    } finally {
      if (!signal.aborted) await this.requests.done(app);
    }
  }
}
