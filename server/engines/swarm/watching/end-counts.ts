import { endedTasks } from "./instance-state.js";
import type { SwarmTask } from "../swarm-api.js";

interface Count {
  readonly ends: number;
  /** The ended tasks that the Swarm still knew. */
  readonly known: ReadonlySet<string>;
}

/** How often instances have ended, for as long as this lives: a Swarm forgets all but a few tasks of each. */
export class EndCounts {
  private readonly counts = new Map<string, Count>();

  /** `tasks`: all of a service that the Swarm knows now. */
  endsOf(serviceId: string, tasks: readonly SwarmTask[]): number {
    const now = endedTasks(tasks).map(({ ID }) => ID);
    const before = this.counts.get(serviceId);
    const fresh = now.filter((id) => before?.known.has(id) !== true).length;
    const ends = (before?.ends ?? 0) + fresh;
    this.counts.set(serviceId, { ends, known: new Set(now) });
    return ends;
  }

  /** Forgets the services that are gone. */
  keepOnly(serviceIds: ReadonlySet<string>): void {
    for (const id of this.counts.keys()) if (!serviceIds.has(id)) this.counts.delete(id);
  }
}
