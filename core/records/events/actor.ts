/** Who makes a change, as its event records it. */
export interface Actor {
  /** A token's or key's name, `autoscaler`, or `sluice`. */
  readonly by: string;
  /** Origin of the request: an address, `ssh` and an address, or `socket`. Undefined for Sluice itself. */
  readonly from?: string | undefined;
}

/** Only the actor of a wider object. */
export function actorOf({ by, from }: Actor): Actor {
  return from === undefined ? { by } : { by, from };
}
