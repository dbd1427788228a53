/** Which requests may be sent to an instance a second time. Sets `txn.began`, the time of the request. */
export function retryRules(): string {
  return `  http-request set-var(txn.began) date(0,us)
  # A request that is sent twice may act twice, so only idempotent methods (RFC 9110, 9.2.2) are retried once sent.
  http-request disable-l7-retry unless { method GET HEAD OPTIONS PUT DELETE }
`;
}
