/** What instances have written. */
export interface InstanceLogs {
  /** A log, oldest line first: the last `lines`, then (with `follow`) new ones until the signal aborts. */
  read(id: string, options: LogOptions): AsyncIterable<LogLine>;
  /**
   * Removes the logs of instances that the engine no longer keeps: of one, of a release (`APP.vN`) or of an app (`APP`),
   * those that were scaled away long ago included.
   */
  forget(prefix: string): Promise<void>;
}

export interface LogOptions {
  readonly lines: number;
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

export interface LogLine {
  /** ISO 8601. */
  readonly at: string;
  readonly text: string;
}
