/** What an instance has used since it was first started. */
export interface InstanceReading {
  /** Less than before after a restart. */
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
  readonly restarts: number;
}

/** How much the instances of this host use. The driver of the engine answers it. */
export interface InstanceUsage {
  /** Instance → what it has used. Asked once a second. */
  read(): Promise<ReadonlyMap<string, InstanceReading>>;
  close(): void;
}
