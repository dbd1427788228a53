/** A request that conforms to the description. */
export interface ApiCall {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly path: string;
  /** Of this server, as in the client's request. */
  readonly origin: string;
}
