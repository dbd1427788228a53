import { chown, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Address } from "../../../core/instances/address.js";
import type { InstanceSpec } from "../../../server/engines/engine.js";
import type { FreePorts } from "../../../server/engines/runit/free-port.js";

/** Where a new instance is to listen. Sockets of one user lie in a folder that is theirs. */
export async function fakeAddress(
  { id, listen, user }: InstanceSpec,
  ports: FreePorts,
  folder: string,
): Promise<Address | undefined> {
  if (listen === "nothing") return undefined;
  if (listen === "port") return { kind: "port", host: "127.0.0.1", port: await ports.take() };
  const own = join(folder, String(user?.uid ?? "own"));
  await mkdir(own, { recursive: true });
  if (user !== undefined) await chown(own, user.uid, user.gid);
  return { kind: "socket", path: join(own, `${id}.sock`) };
}
