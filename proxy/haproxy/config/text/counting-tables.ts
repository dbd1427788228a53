/** HAProxy's tables: what is counted per `slotEntry`, and per latency bucket of each. */
export const HITS = "counters/hits";
export const LATENCIES = "counters/latencies";

/** The tables that requests and answers are counted in. */
export function countingTables(): string {
  return `# In a peers section, although there are no peers: HAProxy empties a backend's tables as soon as a reload tells it to stop.
peers counters
  disabled
  # gpc: answers 4xx, answers 5xx, visitors, visitors who reached the goal.
  table hits type string len 160 size 1m expire 1d store http_req_cnt,http_req_rate(10s),http_fail_cnt,bytes_out_cnt,gpc(4)

  table latencies type string len 160 size 4m expire 1d store gpc0,gpc0_rate(10s)
`;
}
