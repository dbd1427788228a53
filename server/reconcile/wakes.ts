import { RequestLoop } from "../../core/loop/request-loop.js";
import type { Database } from "../../core/redis/database.js";
import { toAppError } from "../../core/errors/app-error.js";
import { parseReleaseName } from "../../core/names.js";
import { WakeRequests } from "../../core/records/routes/wake-requests.js";
import { keys } from "../../core/redis/keys.js";
import type { Pipeline } from "../pipeline/pipeline.js";
import type { ReconcileNeeds } from "./needs.js";
import { wakeUp } from "./sleep.js";

const POLL_MS = 1000;

/** Starts releases that a visitor waits for, as soon as a proxy asks. */
export class Wakes {
  private readonly requests: WakeRequests;

  constructor(
    private readonly tools: ReconcileNeeds,
    private readonly pipeline: Pick<Pipeline, "work">,
    private readonly redis: Database,
  ) {
    this.requests = new WakeRequests(redis);
  }

  async start(): Promise<{ stop(): Promise<void> }> {
    const loop = new RequestLoop({
      redis: this.redis,
      channel: keys.wakeChannel,
      pollMs: POLL_MS,
      waiting: async () => this.requests.waiting(),
      handle: async (release, signal) => this.wake(release, signal),
      // Whoever asks for a release that is being woken waits for the same start, also if it fails.
      handlesAgain: false,
      // What failed here is still requested: the next poll finds it.
      onError: () => undefined,
      onPollError: () => undefined,
    });
    await loop.start();
    return loop;
  }

  private async wake(release: string, signal: AbortSignal): Promise<void> {
    const { tools, pipeline } = this;
    const [app = "", name = ""] = release.split("/");
    const number = parseReleaseName(name) ?? 0;
    await tools.recovering.wait(app, signal);
    await tools.turns
      .take(app, number, async () => wakeUp(tools, pipeline, app, number, signal))
      .catch((error: unknown) =>
        tools.log.warn({ err: toAppError(error), app, release: name }, "could not wake a preview"),
      );
    await this.requests.done(release);
  }
}
