/** Who does something, as its event names them. */
export interface Actor {
  /** A token's or key's name, `autoscaler`, or `sluice`. */
  readonly by: string;
  /** Where the request came from: an address, `ssh` and an address, or `socket`. Sluice itself has none. */
  readonly from?: string | undefined;
}

/** An actor of something wider, without what else is in it. */
export function actorOf({ by, from }: Actor): Actor {
  return from === undefined ? { by } : { by, from };
}
