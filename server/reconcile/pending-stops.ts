import { releaseName } from "../../core/names.js";
import { stopInstances } from "../pipeline/bring-up/stop-instances.js";
import { prune } from "../pipeline/prune.js";
import { waitForProxies } from "../routes/wait-for-proxies.js";
import type { ReconcileNeeds } from "./needs.js";

interface PendingStop {
  readonly app: string;
  readonly number: number;
  readonly why: "retired" | "asleep";
  trying?: Promise<void>;
}

/**
 * Releases that no visitor is to be led to any more, and whose instances run until no proxy does so: a proxy that does not
 * answer may lead visitors there for long. Those of a server that ends are found by the next one (`recover`).
 */
export class PendingStops {
  /** `APP/vN` → … */
  private readonly pending = new Map<string, PendingStop>();

  constructor(private readonly tools: ReconcileNeeds) {}

  /** `takeOut` changes the table; then it is stopped. What fails is done later. In the release's turn. */
  async begin(
    { app, number, why }: Pick<PendingStop, "app" | "number" | "why">,
    takeOut: () => Promise<unknown>,
  ): Promise<void> {
    const stop: PendingStop = { app, number, why };
    // Before it is written: an answer that is lost may have been a yes.
    this.pending.set(keyOf(stop), stop);
    await takeOut();
    await this.finish(stop);
  }

  /** Begins to try again what has failed so far. */
  retry(): void {
    const { turns, log } = this.tools;
    for (const stop of this.pending.values())
      stop.trying ??= turns
        .take(stop.app, stop.number, async () => {
          if (this.pending.get(keyOf(stop)) === stop) await this.finish(stop);
        })
        .catch((error: unknown) => log.warn({ err: error, release: keyOf(stop) }, "could not stop a release"))
        .finally(() => delete stop.trying);
  }

  async idle(): Promise<void> {
    await Promise.all([...this.pending.values()].map(async ({ trying }) => trying));
  }

  /** Out of the proxies first, then TERM, so that open connections can close cleanly. */
  private async finish(stop: PendingStop): Promise<void> {
    const { routes } = this.tools;
    const { app, number, why } = stop;
    const routed = (await routes.read(app)).releases.find((release) => release.number === number);
    const isOut = why === "retired" ? routed === undefined : routed?.asleep === true;
    if (isOut) {
      await waitForProxies(this.tools, await routes.revisionOf(app), app);
      await this.stop(stop);
    }
    // Else it was taken back, or has been retired since: then that stops it.
    this.pending.delete(keyOf(stop));
  }

  private async stop({ app, number, why }: PendingStop): Promise<void> {
    const { releases, log } = this.tools;
    const record = await releases.find(app, number);
    // An app of the same name that was made since may be at this number again.
    if (record === undefined || !["live", "settled", "retired"].includes(record.phase)) return;
    await stopInstances({ tools: this.tools, record });
    if (why === "asleep") return;
    if (record.phase !== "retired") await releases.advance(record, "retired", { instances: [] });
    log.info({ app, release: releaseName(number) }, "release retired");
    await prune(this.tools, app);
  }
}

function keyOf({ app, number, why }: PendingStop): string {
  return `${app}/${releaseName(number)} ${why}`;
}
