import { unlessAborted } from "./unless-aborted.js";

interface Running<T> {
  readonly result: Promise<T>;
  readonly abort: AbortController;
  waiting: number;
}

/** Work that is done once for all who ask for it meanwhile, by a key. It is aborted when nobody waits for it any more. */
export class SharedWork<T> {
  private readonly running = new Map<string, Running<T>>();

  /** The outcome of the work that runs for `key`, or else of `begin`. Rejects with the signal's reason as soon as it aborts. */
  async run(key: string, begin: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    const running = this.running.get(key) ?? this.begin(key, begin);
    running.waiting++;
    try {
      return await unlessAborted(running.result, signal);
    } finally {
      if (--running.waiting === 0) await this.end(key, running, signal);
    }
  }

  private begin(key: string, begin: (signal: AbortSignal) => Promise<T>): Running<T> {
    const abort = new AbortController();
    const running = { result: begin(abort.signal), abort, waiting: 0 };
    this.running.set(key, running);
    return running;
  }

  /** Whoever comes now begins again. Nothing of the work goes on afterwards. */
  private async end(key: string, running: Running<T>, { reason }: AbortSignal): Promise<void> {
    this.running.delete(key);
    running.abort.abort(reason);
    await running.result.catch(() => undefined);
  }
}
