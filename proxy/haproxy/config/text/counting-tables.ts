/**
 * HAProxy's tables: what is counted per `slotEntry`, per latency bucket of each, of visitors by draw and ticket, and of visitors of
 * apps with limits by app and address.
 */
export const HITS = "counters/hits";
export const LATENCIES = "counters/latencies";
export const MET = "counters/met";
export const MET_P99 = "counters/met_p99";
export const VISITS = "counters/visits";
/** HAProxy's converter of a draw and a ticket to a key of `MET`: a number is found faster than a text. */
export const unitKey = "xxh32";

/** The tables that requests and answers are counted in. */
export function countingTables(): string {
  return `# In a peers section, although there are no peers: HAProxy empties a backend's tables as soon as a reload tells it to stop.
peers counters
  disabled
  # gpc: answers 4xx, answers 5xx, visitors, those of them who reached the goal, met an error, an answer over p90, one over p99, many errors.
  table hits type string len 160 size 1m expire 1d store http_req_cnt,http_req_rate(10s),http_fail_cnt,bytes_out_cnt,gpc(8)

  table latencies type string len 160 size 4m expire 1d store gpc0,gpc0_rate(10s)

  # What a visitor has met, so that each counts once, by a hash of draw and ticket: it takes the place of the stream's source
  # address, since HAProxy 2.6 has three counters to track with and the others are taken. gpc0: errors, gpc1: answers over p90; gpc0
  # of the other: over p99. Not \`gpc(3)\`: \`src_inc_gpc\` crashes where there is no entry yet (seen in 2.6.12).
  table met type integer size 200k expire 1d store gpc0,gpc1
  table met_p99 type integer size 200k expire 1d store gpc0

  # By \`APP|ADDRESS\`. gpc0: requests that were not refused.
  table visits type string len 110 size 200k expire 2m store gpc0_rate(1m),conn_cur
`;
}
