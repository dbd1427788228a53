import type { Shape } from "./shapes.js";

/** What an instance can use of a processor, percent. */
const MOST_CPU = 100;

interface Instance {
  /** Second from which it has visitors. */
  readonly upAt: number;
}

/** What all instances did in one second; CPU in percent of one processor. */
export interface Work {
  /** CPU they used. */
  readonly used: number;
  /** CPU they would have used, had there been enough. */
  readonly wanted: number;
  /** CPU there was for them. */
  readonly available: number;
  /** Time in which they were ready to run and the hypervisor ran others. */
  readonly stolen: number;
  /** Visitors' CPU that was done. */
  readonly done: number;
}

/** The simulated instances of a shape. */
export class Instances {
  private running: Instance[];

  constructor(
    private readonly shape: Shape,
    count: number,
  ) {
    this.running = Array.from({ length: count }, () => ({ upAt: 0 }));
  }

  get count(): number {
    return this.running.length;
  }

  /** New ones have visitors at once. Those that came last leave. */
  resize(count: number, second: number): void {
    const fresh = Array.from({ length: Math.max(0, count - this.count) }, () => ({ upAt: second }));
    this.running = [...this.running.slice(0, count), ...fresh];
  }

  work(second: number, demand: number, stolenShare: number): Work {
    this.restartFull(second);
    const { hasOneLock, granted = Infinity } = this.shape;
    const up = this.running.filter(({ upAt }) => upAt <= second);
    const most = MOST_CPU * (1 - stolenShare);
    const share = hasOneLock === undefined ? demand / Math.max(1, up.length) : demand;
    const wants = up.map((instance) => share + this.leakOf(instance, second));
    const runnable = sumOf(wants, (want) => Math.min(want, most));
    const used = Math.min(runnable, granted * MOST_CPU);
    const done = hasOneLock === undefined ? this.doneBy(up, second, share, most) : Math.min(share, most);
    return {
      used,
      wanted: sumOf(wants, (want) => want),
      available: Math.min(up.length * most, granted * MOST_CPU),
      stolen: (used * stolenShare) / (1 - stolenShare) + (runnable - used),
      done: runnable === 0 ? 0 : (done * used) / runnable,
    };
  }

  private doneBy(up: readonly Instance[], second: number, share: number, most: number): number {
    return sumOf(up, (instance) => Math.max(0, Math.min(share, most - this.leakOf(instance, second))));
  }

  private leakOf({ upAt }: Instance, second: number): number {
    return ((this.shape.leak?.cpuPerHour ?? 0) * (second - upAt)) / 3600;
  }

  private restartFull(second: number): void {
    const { leak, startSeconds } = this.shape;
    if (leak === undefined) return;
    this.running = this.running.map((instance) =>
      this.leakOf(instance, second) > leak.mostCpu ? { upAt: second + startSeconds } : instance,
    );
  }
}

function sumOf<T>(all: readonly T[], value: (each: T) => number): number {
  return all.reduce((sum, each) => sum + value(each), 0);
}
