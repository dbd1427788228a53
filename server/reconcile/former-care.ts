import { toAppError } from "../../core/errors/app-error.js";
import { parseInstanceId } from "../../core/instances/instance-id.js";
import { Ticker } from "../../core/loop/ticker.js";
import { letFormerGo } from "./recovery/former-instances.js";
import type { ReconcileNeeds } from "./needs.js";

const TICK_MS = 10_000;

/**
 * Releases that only the engine of earlier settings can run (the image of a Dockerfile, say) serve on there. What visitors are
 * no longer led to goes from there, too.
 */
export class FormerCare {
  private readonly ticker: Ticker;

  constructor(private readonly tools: ReconcileNeeds) {
    this.ticker = new Ticker({
      everyMs: TICK_MS,
      job: async () => this.look(),
      onError: (error) =>
        tools.log.warn({ err: toAppError(error) }, "could not look after the engine of earlier settings"),
    });
  }

  start(): { stop(): Promise<void> } {
    this.ticker.start();
    return this.ticker;
  }

  private async look(): Promise<void> {
    const { former, recovering } = this.tools;
    const ids = ((await former?.engine.list()) ?? []).map(({ id }) => parseInstanceId(id)?.app ?? "");
    for (const app of new Set(ids))
      if (app !== "" && !recovering.has(app)) await letFormerGo(this.tools, app);
  }
}
