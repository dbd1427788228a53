import { Redis, type ChainableCommander, type Command, type RedisOptions } from "ioredis";
import { redisError } from "./redis-error.js";

/** Commands that are sent as one; `exec` fails with the first that failed. */
export type Batch = ChainableCommander;

/** What a connection says of itself before it is ready; ioredis looks at these answers. */
const HANDSHAKE: ReadonlySet<string> = new Set(["hello", "auth", "client", "info", "select", "readonly"]);

/**
 * A connection whose commands fail with an `AppError`, so that no store has to translate: `redis-unavailable` when there
 * was no answer (it may have been done or not), `redis-refused` when the answer was a no. A batch (`pipeline`, `multi`) fails
 * with the first of its commands' failures.
 */
export class Database extends Redis {
  /** One more connection to the same Redis. */
  another(options: Omit<RedisOptions, "replyMapping">): Database {
    // Replies are mapped as in this one; the type allows undefined, which ioredis never stores.
    return new Database({ ...this.options, ...options } as RedisOptions & { replyMapping: "legacy" });
  }

  override sendCommand(command: Command, stream?: Parameters<Redis["sendCommand"]>[1]): unknown {
    const answer = super.sendCommand(command, stream);
    // A batch's commands are sent one by one with a stream, and answer to the batch.
    const isInternal = stream !== undefined || (this.status === "connect" && HANDSHAKE.has(command.name));
    if (isInternal || !(answer instanceof Promise)) return answer;
    const translated = answer.catch((error: unknown) => {
      throw redisError(error, nameOf(command));
    });
    // ioredis does not look at the promises of its own commands.
    translated.catch(() => undefined);
    return translated;
  }

  override pipeline(commands?: unknown[][]): ChainableCommander {
    return failingAsOne(super.pipeline(commands), "a batch of commands");
  }

  override multi(options: { pipeline: false }): Promise<"OK">;
  override multi(commands?: { pipeline: true } | unknown[][]): ChainableCommander;
  // The overload without a pipeline sends MULTI by itself; nothing here does.
  override multi(commands?: unknown): never {
    const batch = super.multi(commands as unknown[][]);
    return failingAsOne(batch, "MULTI") as never;
  }
}

function failingAsOne(batch: ChainableCommander, name: string): ChainableCommander {
  const exec = batch.exec.bind(batch);
  batch.exec = async () => {
    const answers = await exec().catch((error: unknown) => {
      throw redisError(error, name);
    });
    const failed = answers?.find(([error]) => error !== null);
    if (failed !== undefined) throw redisError(failed[0], name);
    return answers;
  };
  return batch;
}

/** `HSET`, `ACL SETUSER`. */
function nameOf({ name, args }: Command): string {
  const isOfSeveral = ["acl", "client", "config", "script"].includes(name.toLowerCase());
  return (isOfSeveral ? `${name} ${String(args[0])}` : name).toUpperCase();
}
