import type { Clock } from "../../core/clock.js";
import { AppError } from "../../core/errors/app-error.js";
import { networksOf, type Network } from "./networks-of.js";
import { LOCAL_SOCKET } from "./origin.js";

interface Failures {
  count: number;
  /** ms since 1970 */
  pausedUntil: number;
}

/** Somebody mistypes. */
const FREE = 3;
/** After these, each is answered later than the one before. */
const DELAYED = 8;
const FIRST_DELAY_MS = 250;
const FIRST_PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 15 * 60_000;
const FORGOTTEN_AFTER_MS = 60 * 60_000;
const MOST_NETWORKS = 10_000;

/**
 * Slows down who sends wrong tokens, signatures or keys, by their network: the first few are answered at once, the next ones
 * each later than the one before, and from then on each is followed by a pause, in which every other one is refused. In memory,
 * bounded: those that failed last are kept.
 */
export class WrongAttempts {
  private readonly failures = new Map<string, Failures>();

  constructor(private readonly clock: Clock) {}

  /** Whether nothing that somebody could guess is looked at now. */
  isPaused(from: string): boolean {
    return this.pauseMs(from) > 0;
  }

  /**
   * Something wrong came from there. It is counted before anything is awaited. Resolves when it may be answered. Throws
   * `attempts-too-many`.
   */
  async add(from: string): Promise<void> {
    if (from === LOCAL_SOCKET) return;
    const paused = this.pauseMs(from);
    const delayMs = paused > 0 ? 0 : Math.max(...networksOf(from).map((network) => this.count(network)));
    const pauseMs = this.pauseMs(from);
    if (pauseMs > 0) {
      const seconds = Math.ceil(pauseMs / 1000);
      throw new AppError("attempts-too-many", { seconds }, { retryAfterSeconds: seconds });
    }
    if (delayMs > 0) await this.clock.sleep(delayMs);
  }

  private pauseMs(from: string): number {
    if (from === LOCAL_SOCKET) return 0;
    const now = this.clock.now();
    const until = networksOf(from).map(({ name }) => this.failures.get(name)?.pausedUntil ?? 0);
    return Math.max(0, ...until.map((at) => at - now));
  }

  /** Returns how much later the answer comes. */
  private count({ name, share }: Network): number {
    const now = this.clock.now();
    const known = this.failures.get(name);
    const isFresh = known !== undefined && now - known.pausedUntil < FORGOTTEN_AFTER_MS;
    const failures = isFresh ? known : { count: 0, pausedUntil: now };
    failures.count += 1;
    const over = failures.count - DELAYED * share;
    const pause = over > 0 ? Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (over - 1)) : 0;
    failures.pausedUntil = now + pause;
    // A Map keeps its order: who fails again is the last one to be forgotten.
    this.failures.delete(name);
    this.failures.set(name, failures);
    if (this.failures.size > MOST_NETWORKS) this.forgetOldest();
    return failures.count > FREE && share === 1 ? FIRST_DELAY_MS * 2 ** (failures.count - FREE - 1) : 0;
  }

  private forgetOldest(): void {
    const [oldest] = this.failures.keys();
    if (oldest !== undefined) this.failures.delete(oldest);
  }
}
