import { z } from "zod";
import type { Database } from "../../redis/database.js";
import { keys } from "../../redis/keys.js";

const LIFE_SECONDS = 60;

/** Instance → CPU, percent of one processor. */
const loadsSchema = z.record(z.string(), z.number().nonnegative());
export type Loads = Readonly<z.infer<typeof loadsSchema>>;

export interface TimedLoads {
  readonly host: string;
  /** ms since 1970, by Redis' clock. */
  readonly at: number;
  readonly loads: Loads;
}

/**
 * What the instances of apps that scale by themselves took of a host's processors in the last second: all of them, where a
 * `Sample` tells of a host's largest alone. Only the newest is kept.
 */
export class InstanceLoads {
  constructor(private readonly redis: Database) {}

  async write(host: string, loads: Loads): Promise<void> {
    const text = JSON.stringify(loads);
    await this.redis.eval(WRITE, 1, keys.instanceLoads(host), text, LIFE_SECONDS);
  }

  /** Of the hosts that have any. */
  async read(hosts: readonly string[]): Promise<TimedLoads[]> {
    if (hosts.length === 0) return [];
    const texts = await this.redis.mget(hosts.map((host) => keys.instanceLoads(host)));
    return texts.flatMap((text, index) =>
      text === null ? [] : [{ host: hosts[index] ?? "", ...parse(text) }],
    );
  }
}

/** KEYS: a host's loads. ARGV: the loads as JSON, seconds to live. Written is `MS JSON`, by Redis' clock. */
const WRITE = `
local time = redis.call('TIME')
local at = time[1] * 1000 + math.floor(time[2] / 1000)
return redis.call('SET', KEYS[1], string.format('%.0f ', at) .. ARGV[1], 'EX', ARGV[2])`;

function parse(text: string): Omit<TimedLoads, "host"> {
  const blank = text.indexOf(" ");
  return { at: Number(text.slice(0, blank)), loads: loadsSchema.parse(JSON.parse(text.slice(blank + 1))) };
}
