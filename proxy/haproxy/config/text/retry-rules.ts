/** Which requests may be sent to an instance a second time. Sets `txn.began`, when the request came. */
export function retryRules(): string {
  return `  http-request set-var(txn.began) date(0,us)
  # Sent twice, a request might act twice: only those that may be repeated (RFC 9110, 9.2.2) are retried once they were sent.
  http-request disable-l7-retry unless { method GET HEAD OPTIONS PUT DELETE }
`;
}
