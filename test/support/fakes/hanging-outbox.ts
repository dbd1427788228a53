import { systemClock } from "../../../core/clock.js";
import { silentLog } from "../../../core/log.js";
import { Outbox } from "../../../core/outbox/outbox.js";
import { connectRedis, openRedis } from "../../../core/redis/connection.js";

/** A process that takes jobs of the outbox `test` and never ends them; it prints their payloads. The argument is Redis' socket. */
const redis = connectRedis({ kind: "socket", path: process.argv[2] ?? "", password: "" }, silentLog);
await openRedis(redis);
new Outbox(redis, "test", { clock: systemClock, log: silentLog }).start({
  letter: async (payload) => {
    process.stdout.write(`${JSON.stringify(payload)}\n`);
    return new Promise(() => undefined);
  },
});
