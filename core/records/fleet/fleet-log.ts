import { z } from "zod";
import type { Database } from "../../redis/database.js";
import { keys } from "../../redis/keys.js";

const LINES_KEPT = 2000;
/** Hosts write in some of them. */
const MOST_CHARACTERS = 4000;
/** After its last line. */
const LIFE_SECONDS = 30 * 24 * 3600;

const lineSchema = z.object({
  /** `heading` begins a step; `task` is one of its configuration; `problem` is what went wrong, or what to do about it. */
  kind: z.enum(["heading", "task", "problem"]),
  text: z.string(),
});

export type FleetLogLine = z.infer<typeof lineSchema>;

export interface NumberedLine extends FleetLogLine {
  /** A later line has a greater one; `0` is before the first. */
  readonly id: string;
}

/** What is being done to each host, as people follow it. */
export class FleetLog {
  constructor(private readonly redis: Database) {}

  async add(host: string, { kind, text }: FleetLogLine): Promise<void> {
    const key = keys.fleetLog(host);
    const line: FleetLogLine = { kind, text: text.slice(0, MOST_CHARACTERS) };
    await this.redis
      .multi()
      .xadd(key, "MAXLEN", "~", LINES_KEPT, "*", "line", JSON.stringify(line))
      .expire(key, LIFE_SECONDS)
      .exec();
  }

  /** After a line's id. */
  async read(host: string, after: string): Promise<NumberedLine[]> {
    const entries = await this.redis.xrange(keys.fleetLog(host), `(${after}`, "+");
    return entries.map(([id, [, text = ""]]) => ({ id, ...lineSchema.parse(JSON.parse(text)) }));
  }

  /** The id of its last line: what is added from now on comes after it. */
  async end(host: string): Promise<string> {
    const [last] = await this.redis.xrevrange(keys.fleetLog(host), "+", "-", "COUNT", 1);
    return last?.[0] ?? "0";
  }
}
