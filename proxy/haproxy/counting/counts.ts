import { isAskedEntry, slotEntry } from "../config/entries/slot-entry.js";
import { HITS, LATENCIES } from "../config/text/counting-tables.js";
import { WAKE } from "../config/text/wake-backend.js";

/** A row of the table `hits`. */
export interface Hits {
  /** A `slotEntry`. */
  readonly key: string;
  readonly release: string;
  readonly track: string;
  readonly asked: boolean;
  /** Undefined for a release that sleeps. */
  readonly slot: string | undefined;
  /** Whether it has an open stream. */
  readonly isOpen: boolean;
  readonly requests: number;
  readonly bytes: number;
  readonly answers4xx: number;
  readonly answers5xx: number;
  readonly faults: number;
  readonly visitors: number;
  readonly goals: number;
  readonly visitorsWithErrors: number;
  readonly visitorsWithManyErrors: number;
  readonly visitorsOverP90: number;
  readonly visitorsOverP99: number;
}

/** Whether this is an answer to `show table`; anything else is an error message. */
export function isTable(answer: string): boolean {
  return answer.includes(`# table: ${HITS},`);
}

/** `show table hits`, by key; if a key is there twice, the later row. There may be other answers in between. */
export function parseHits(answer: string): Map<string, Hits> {
  const hits = tableLines(answer).flatMap(({ key, use, value }): Hits[] => {
    const { release = "", slot = "", track = "", version } = slotEntry.parse(key);
    if (version === undefined || isLatency(key)) return [];
    return [
      {
        key,
        release,
        track,
        asked: isAskedEntry(key),
        slot: slot === WAKE ? undefined : slot,
        isOpen: use > 0,
        requests: value("http_req_cnt"),
        bytes: value("bytes_out_cnt"),
        answers4xx: value("gpc0"),
        answers5xx: value("gpc1"),
        faults: value("http_fail_cnt"),
        visitors: value("gpc2"),
        goals: value("gpc3"),
        visitorsWithErrors: value("gpc4"),
        visitorsOverP90: value("gpc5"),
        visitorsOverP99: value("gpc6"),
        visitorsWithManyErrors: value("gpc7"),
      },
    ];
  });
  return new Map(hits.map((line) => [line.key, line]));
}

/** `show table latencies`: key of `hits` → bucket → answers. */
export function parseLatencies(answer: string): Map<string, Map<number, number>> {
  const found = new Map<string, Map<number, number>>();
  for (const { key, value } of tableLines(answer)) {
    if (!isLatency(key)) continue;
    const end = key.lastIndexOf("|");
    const buckets = found.get(key.slice(0, end)) ?? new Map<number, number>();
    found.set(key.slice(0, end), buckets.set(Number(key.slice(end + 1)), value("gpc0")));
  }
  return found;
}

/** `show stat SLOT 2 -1`: slot → how many 5xx answers its visitors got. */
export function parseErrors(answer: string): Map<string, number> {
  const errors = new Map<string, number>();
  let columns: string[] = [];
  for (const line of answer.split("\n")) {
    const fields = line.split(",");
    if (line.startsWith("# pxname,")) columns = line.slice(2).split(",");
    else if (fields[columns.indexOf("svname")] === "BACKEND")
      errors.set(fields[0] ?? "", Number(fields[columns.indexOf("hrsp_5xx")]));
  }
  return errors;
}

/** Commands that show the rows that have grown lately, or all rows. */
export const tables = {
  hits: (all: boolean) => `show table ${HITS}${all ? "" : " data.http_req_rate gt 0"}`,
  latencies: (all: boolean) => `show table ${LATENCIES}${all ? "" : " data.gpc0_rate gt 0"}`,
} as const;

interface TableLine {
  readonly key: string;
  /** Open streams. */
  readonly use: number;
  readonly value: (name: string) => number;
}

/** `ADDRESS: key=KEY use=N exp=MS name=value …` */
function tableLines(answer: string): TableLine[] {
  return [...answer.matchAll(/^0x[0-9a-f]+: key=(\S+) use=(\d+) (.*)$/gm)].map(
    ([, key = "", use, rest = ""]) => {
      const values = new Map(
        rest.split(" ").map((field) => field.split("=") as [string, string | undefined]),
      );
      return { key, use: Number(use), value: (name) => Number(values.get(name) ?? 0) };
    },
  );
}

/** Its key is a key of `hits` followed by the bucket. */
function isLatency(key: string): boolean {
  return key.split("|").length === slotEntry.names.length + 1;
}
