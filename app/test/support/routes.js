import { once } from "node:events";
import http from "node:http";
import { Flags } from "../../flags.js";
import { identify } from "../../identity.js";
import { createRoutes } from "../../routes.js";
import { Store } from "../../store.js";

const RUNNING = new AbortController().signal;

/** Serves the routes in this process, on a free port. */
export async function serveRoutes({ env = {}, stopping = RUNNING, flagsTimeoutMs } = {}) {
  const identity = identify(env);
  const store = new Store({ url: env.REDIS_URL, app: identity.app });
  const flags = new Flags({
    url: env.SLUICE_FLAGS_URL,
    token: env.SLUICE_FLAGS_TOKEN,
    track: identity.track,
    timeoutMs: flagsTimeoutMs,
  });
  const routes = createRoutes({ identity, store, flags, stopping });
  const server = http.createServer({ maxHeaderSize: 48 * 1024 }, routes);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${server.address().port}`;
  return {
    fetch: (path, options) => fetch(origin + path, options),
    async end() {
      store.close();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
