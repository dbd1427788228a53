import { parseInstanceId } from "../../../core/instances/instance-id.js";
import type { ReconcileNeeds } from "../needs.js";

/** The numbers of an app's releases that the engine of earlier settings still runs. */
export async function formerReleases(
  { former }: Pick<ReconcileNeeds, "former">,
  app: string,
): Promise<Set<number>> {
  const ids = ((await former?.engine.list()) ?? []).map(({ id }) => parseInstanceId(id));
  return new Set(ids.flatMap((one) => (one?.app === app ? [one.release] : [])));
}

/**
 * Stops the former engine's instances that no visitor is led to: their release is over, or this engine runs it now. A server that
 * was killed after it had taken a release over leaves such instances.
 */
export async function letFormerGo(tools: ReconcileNeeds, app: string): Promise<void> {
  const { former, engine, routes } = tools;
  if (former === undefined) return;
  const [{ releases }, goneSince] = await Promise.all([routes.read(app), routes.revisionOf(app)]);
  for (const { id, address } of await former.engine.list()) {
    const one = parseInstanceId(id);
    if (one?.app !== app) continue;
    const release = releases.find(({ number }) => number === one.release);
    const isLedTo =
      release?.servers.some((server) => server.id === id && server.address === address) === true;
    // A worker has no address: it goes when there is another.
    const isTheOnly =
      release !== undefined && address === undefined && (await engine.state(id)) === undefined;
    if (isLedTo || isTheOnly) continue;
    former.leaving.begin(id, { goneSince, drainSeconds: release?.drainSeconds ?? 0 });
  }
}
