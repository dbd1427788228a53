import { once } from "node:events";
import { lstat, unlink } from "node:fs/promises";
import net from "node:net";

/** Listens on `SOCKET` (a path) if it is set, else on `HOST` and `PORT`. Gives the address for people to read. */
export async function listen(server, { SOCKET, HOST, PORT }) {
  if (!SOCKET) {
    await bind(server, { host: HOST || "127.0.0.1", port: Number(PORT || 3000) });
    const { address, port } = server.address();
    return `http://${address.includes(":") ? `[${address}]` : address}:${port}`;
  }
  try {
    await bind(server, { path: SOCKET });
  } catch (error) {
    if (error.code !== "EADDRINUSE" || !(await isStale(SOCKET))) throw error;
    await unlink(SOCKET);
    await bind(server, { path: SOCKET });
  }
  return `unix:${SOCKET}`;
}

async function bind(server, where) {
  server.listen(where);
  await once(server, "listening");
}

/** A socket file whose process was killed: it is there, but nobody answers. */
async function isStale(path) {
  if (!(await lstat(path)).isSocket()) return false;
  const probe = net.connect(path);
  try {
    await once(probe, "connect");
    return false;
  } catch (error) {
    return error.code === "ECONNREFUSED";
  } finally {
    probe.destroy();
  }
}
