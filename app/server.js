// Wires the app together and listens. What few requests need (ioredis, ws, the flags) is loaded by the first that needs it.
import http from "node:http";
import { echo } from "./echo.js";
import { Flags } from "./flags.js";
import { identify } from "./identity.js";
import { listen } from "./listen.js";
import { createRoutes } from "./routes.js";
import { Shutdown } from "./shutdown.js";
import { Store } from "./store.js";

const { env } = process;
const identity = identify(env);
const store = new Store({ url: env.REDIS_URL, app: identity.app });
const flags = new Flags({
  url: env.SLUICE_FLAGS_URL,
  token: env.SLUICE_FLAGS_TOKEN,
  track: identity.track,
});

// Values of 10 kB come in the URL, and percent-encoding makes three bytes of one.
const server = http.createServer({ maxHeaderSize: 48 * 1024 });
// Longer than a proxy keeps idle connections, so that it is never us who close one it is about to use.
server.keepAliveTimeout = 75_000;

const shutdown = new Shutdown(server);
const stopping = shutdown.signal;
server.on("request", createRoutes({ identity, store, flags, stopping }));
server.on("upgrade", echo({ identity, stopping }));

for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, stop);

try {
  const address = await listen(server, env);
  log("started", { address, startMs: Math.round(performance.now()) });
} catch (error) {
  console.error(`hello cannot listen: ${error.message}`);
  process.exit(1);
}

async function stop(signal) {
  if (stopping.aborted) return;
  log("stopping", { signal });
  const { cut } = await shutdown.run();
  store.close();
  log("stopped", { cut });
  process.exit(0);
}

function log(event, fields) {
  console.log(
    JSON.stringify({ event, app: identity.app, release: identity.release, pid: process.pid, ...fields }),
  );
}
