/** What a room keeps in Redis about apps, and what is removed with an app. */
export interface AppKeys {
  /** Keys that are one app's alone. */
  readonly own?: readonly ((app: string) => string)[];
  /** Counters of an app: they stay when an app of the same name must not use their numbers again. */
  readonly counters?: readonly ((app: string) => string)[];
  /** Hashes with a field for each app. */
  readonly hashes?: readonly string[];
  /** Sets that apps are members of. */
  readonly sets?: readonly string[];
}
