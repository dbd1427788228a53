import type { IncomingHttpHeaders } from "node:http";

/** A delivery as it came. */
export interface Incoming {
  readonly headers: IncomingHttpHeaders;
  /** Raw bytes. */
  readonly body: Buffer;
}

export type ForgeName = "github" | "gitlab" | "gitea" | "bitbucket" | "generic";

/** What a delivery asks for. */
export type Reading =
  | { readonly kind: "push"; readonly updates: readonly BranchUpdate[] }
  /** Ping, tag, another event. `why` is for the delivery log. */
  | { readonly kind: "nothing"; readonly why: string };

export interface BranchUpdate {
  readonly branch: string;
  /** 40 (or 64) hexadecimal digits; undefined: the branch was deleted. */
  readonly commit: string | undefined;
}

export interface Forge {
  readonly name: ForgeName;
  /** Whether the headers say that it comes from such a host. */
  recognizes(headers: IncomingHttpHeaders): boolean;
  /** Undefined when the proof holds; else why not, for the delivery log, never for the answer. `now`: ms since 1970. */
  refusal(incoming: Incoming, secret: string, now: number): string | undefined;
  /** The host's name of the delivery; undefined when it gives none. */
  deliveryId(headers: IncomingHttpHeaders): string | undefined;
  /** For the log: `push`, `ping`, … */
  event(headers: IncomingHttpHeaders): string;
  /** Throws AppError `webhook-malformed` (400) when the body is no JSON (or form with JSON in `payload`), or not of the shape this event has. */
  read(incoming: Incoming): Reading;
}
