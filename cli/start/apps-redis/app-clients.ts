import type { Database } from "../../../core/redis/database.js";
import { appOfRedisUser } from "../../../core/redis/keys.js";

export interface AppClient {
  readonly id: string;
  readonly address: string;
  /** undefined: it has not said who it is, or is Sluice. */
  readonly app: string | undefined;
  readonly ageSeconds: number;
  /** Whether it came by the port, as apps do. */
  readonly isByPort: boolean;
  /** Whether it is a replica of this Redis, or its primary. */
  readonly isReplication: boolean;
}

/** `CLIENT LIST`: a line of `name=value` for each connection (redis.io). */
export async function appClients(redis: Database): Promise<AppClient[]> {
  const text = String(await redis.client("LIST"));
  return text.trim().split("\n").map(parseClient);
}

/** The app that a connection belongs to, by the address of its other end. */
export async function userOfClient(redis: Database, address: string): Promise<string | undefined> {
  return (await appClients(redis)).find((client) => client.address === address)?.app;
}

function parseClient(line: string): AppClient {
  const fields = new Map(
    line.split(" ").map((field) => {
      const at = field.indexOf("=");
      return [field.slice(0, at), field.slice(at + 1)] as const;
    }),
  );
  const address = fields.get("addr") ?? "";
  return {
    id: fields.get("id") ?? "",
    address,
    app: appOfRedisUser(fields.get("user") ?? ""),
    ageSeconds: Number(fields.get("age")),
    isByPort: !address.startsWith("/"),
    isReplication: /[SM]/.test(fields.get("flags") ?? ""),
  };
}
