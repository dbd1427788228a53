import type { Clock } from "../../core/clock.js";
import { AppError } from "../../core/errors/app-error.js";
import { networksOf, type Network } from "./networks-of.js";
import { LOCAL_SOCKET } from "./origin.js";

interface Failures {
  count: number;
  /** ms since 1970 */
  pausedUntil: number;
}

/** Answered at once, for people who mistype. */
const FREE = 3;
/** Up to here, each answer takes longer than the one before. */
const DELAYED = 8;
const FIRST_DELAY_MS = 250;
const FIRST_PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 15 * 60_000;
const FORGOTTEN_AFTER_MS = 60 * 60_000;
const MOST_NETWORKS = 10_000;

/**
 * Slows down clients that send wrong tokens, signatures or keys, counted by network. The first few are answered at once, and
 * the next ones later each time. From then on each wrong attempt starts a pause in which all others are refused, and each
 * pause is longer than the last. Kept in memory, bounded: the networks that failed last are kept.
 */
export class WrongAttempts {
  private readonly failures = new Map<string, Failures>();

  constructor(private readonly clock: Clock) {}

  /** Whether nothing that could be guessed is checked now. */
  isPaused(from: string): boolean {
    return this.pauseMs(from) > 0;
  }

  /**
   * Counts a wrong attempt, before anything is awaited. Resolves when it may be answered. Throws `attempts-too-many`.
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

  /** Returns the delay of the answer in milliseconds. */
  private count({ name, share }: Network): number {
    const now = this.clock.now();
    const known = this.failures.get(name);
    const isFresh = known !== undefined && now - known.pausedUntil < FORGOTTEN_AFTER_MS;
    const failures = isFresh ? known : { count: 0, pausedUntil: now };
    failures.count += 1;
    const over = failures.count - DELAYED * share;
    const pause = over > 0 ? Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (over - 1)) : 0;
    failures.pausedUntil = now + pause;
    // A Map keeps the order of insertion: a network that fails again moves to the end.
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
