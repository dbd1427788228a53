import { execa } from "execa";

export interface WrkResult {
  readonly requests: number;
  readonly perSecond: number;
  /** Answers other than 2xx and 3xx, and errors of sockets. */
  readonly failed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const CONNECTIONS = 32;

/** As many requests as go through in `seconds`, over 32 kept connections to `address:port`. It checks no certificate. */
export async function wrk(
  address: string,
  headers: Readonly<Record<string, string>>,
  seconds: number,
  scheme: "http" | "https" = "http",
): Promise<WrkResult> {
  const given = Object.entries(headers).flatMap(([name, value]) => ["--header", `${name}: ${value}`]);
  const { stdout } = await execa("wrk", [
    ...["--threads", "1", "--connections", String(CONNECTIONS), "--duration", `${seconds}s`],
    ...["--latency", ...given],
    `${scheme}://${address}/`,
  ]);
  return parse(stdout);
}

/** wrk's report: `N requests in 2.00s, …`, `Requests/sec: N`, and lines on errors only where there are some. Latencies: `99%    1.23ms`. */
function parse(report: string): WrkResult {
  const number = (pattern: RegExp): number => Number(pattern.exec(report)?.[1] ?? 0);
  const socketErrors = /Socket errors: (.*)/.exec(report)?.[1]?.match(/\d+/g) ?? [];
  return {
    requests: number(/(\d+) requests in/),
    perSecond: number(/Requests\/sec:\s+([\d.]+)/),
    failed: socketErrors.reduce(
      (total, count) => total + Number(count),
      number(/Non-2xx or 3xx responses: (\d+)/),
    ),
    p50Ms: latencyMs(report, 50),
    p99Ms: latencyMs(report, 99),
  };
}

const MS_PER_UNIT: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000 };

function latencyMs(report: string, percent: number): number {
  const [, value, unit = ""] = new RegExp(`^\\s+${percent}%\\s+([\\d.]+)([a-z]+)$`, "m").exec(report) ?? [];
  return Number(value) * (MS_PER_UNIT[unit] ?? NaN);
}
