import type { Database } from "../../../core/redis/database.js";
import { toAppError } from "../../../core/errors/app-error.js";
import { RequestLoop } from "../../../core/loop/request-loop.js";
import { keys } from "../../../core/redis/keys.js";
import { removeLeftKeyFiles } from "../sources/key-file.js";
import { DeliveryWork, type DeliveryWorkOptions } from "./delivery-work.js";

export interface DeliveryLoopOptions extends DeliveryWorkOptions {
  readonly redis: Database;
}

const POLL_MS = 1000;

/** Works on deliveries as they come, one app beside the other. */
export class DeliveryLoop {
  private readonly work: DeliveryWork;

  constructor(private readonly options: DeliveryLoopOptions) {
    this.work = new DeliveryWork(options);
  }

  async start(): Promise<{ stop(): Promise<void> }> {
    const { redis, deliveries, tools } = this.options;
    await removeLeftKeyFiles(tools.home);
    const loop = new RequestLoop({
      redis,
      channel: keys.deliveriesChannel,
      pollMs: POLL_MS,
      waiting: async () => deliveries.waitingApps(),
      handle: async (app, signal) => {
        // What waits for an app that hangs must not take a turn among the builds.
        const isRecovered = await tools.recovering.wait(app, signal).then(
          () => true,
          () => false,
        );
        if (isRecovered) await this.work.workOn(app, signal);
      },
      handlesAgain: true,
      onError: (error, app) => tools.log.warn({ err: toAppError(error), app }, "deliveries"),
      onPollError: (error) => tools.log.debug({ err: error }, "deliveries"),
    });
    await loop.start();
    return loop;
  }
}
