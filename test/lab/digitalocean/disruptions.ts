/** A failure on purpose. */
export interface Disruption {
  /**
   * A status (401, 403, 422, 429, 500, …); `never` keeps the client waiting; `lost` does the work and closes the connection
   * without a response.
   */
  readonly answer: number | "never" | "lost";
  /** How many requests. Default: 1. */
  readonly times?: number;
  /** Such as `DELETE /v2/droplets/{droplet_id}`. Default: any. */
  readonly operation?: string;
  /** Does the work nevertheless, before it responds. */
  readonly afterWork?: boolean;
  readonly retryAfterSeconds?: number;
  readonly message?: string;
}

/** Disruptions that are still to happen, the oldest first. */
export class Disruptions {
  private readonly pending: { readonly disruption: Disruption; left: number }[] = [];

  add(disruption: Disruption): void {
    this.pending.push({ disruption, left: disruption.times ?? 1 });
  }

  clear(): void {
    this.pending.length = 0;
  }

  /** The one for the next request of this operation. */
  take(operation: string): Disruption | undefined {
    const found = this.pending.find(
      ({ disruption, left }) => left > 0 && (disruption.operation ?? operation) === operation,
    );
    if (found === undefined) return undefined;
    found.left--;
    return found.disruption;
  }
}
