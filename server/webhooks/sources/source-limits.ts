import { Slots } from "../../../core/async/slots.js";

export interface SourceLimitsOptions {
  /** Commands that talk to one host at once. */
  readonly perHost: number;
  /** Commands that have just begun, whichever host they talk to. */
  readonly atOnce: number;
}

/** Whoever takes longer waits for its host, and costs this machine nothing. */
const SLOW_MS = 2000;

/**
 * How many sources are read at once. One that hangs holds up others at its host only: it counts towards the machine's
 * limit for its first two seconds.
 */
export class SourceLimits {
  private readonly hosts = new Map<string, Slots>();
  private readonly machine: Slots;

  constructor(private readonly options: SourceLimitsOptions) {
    this.machine = new Slots(options.atOnce);
  }

  /** Runs `job` when it may. Rejects with the signal's reason while it waits. */
  async run<T>(source: string, signal: AbortSignal, job: () => Promise<T>): Promise<T> {
    const host = hostOfSource(source);
    const slots = this.hosts.get(host) ?? new Slots(this.options.perHost);
    this.hosts.set(host, slots);
    try {
      const leaveHost = await slots.take(signal);
      try {
        return await this.onMachine(signal, job);
      } finally {
        leaveHost();
      }
    } finally {
      if (slots.isIdle) this.hosts.delete(host);
    }
  }

  private async onMachine<T>(signal: AbortSignal, job: () => Promise<T>): Promise<T> {
    const leave = await this.machine.take(signal);
    const timer = setTimeout(leave, SLOW_MS);
    try {
      return await job();
    } finally {
      clearTimeout(timer);
      leave();
    }
  }
}

/** Host and port of a source's address; empty for a folder of this machine. */
export function hostOfSource(source: string): string {
  if (URL.canParse(source)) return new URL(source).host;
  // As git reads it: `git@host:path`.
  return /^(?:[^@]*@)?([^:/]*):/.exec(source)?.[1] ?? "";
}
