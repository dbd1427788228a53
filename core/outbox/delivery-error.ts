/** Why something was not delivered, and what that means for the next try. Its message goes into records: no secrets. */
export class DeliveryError extends Error {
  /** Trying again is useless. */
  readonly isFinal: boolean;
  /** The receiver wants no other before. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    {
      isFinal = false,
      retryAfterMs,
      cause,
    }: { isFinal?: boolean; retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.name = "DeliveryError";
    this.isFinal = isFinal;
    this.retryAfterMs = retryAfterMs;
  }
}
