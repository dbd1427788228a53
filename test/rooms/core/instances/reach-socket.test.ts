import { expect } from "chai";
import { mkdtemp, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { reachSocket } from "../../../../core/instances/reach-socket.js";

describe("a socket in a folder that an app can write in", () => {
  let folder: string;
  const servers: Server[] = [];
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), "reach-"))));
  afterEach(async () => {
    for (const server of servers.splice(0)) server.close();
    await rm(folder, { recursive: true });
  });

  const listen = async (name: string): Promise<string> => {
    const path = join(folder, name);
    const server = createServer((socket) => socket.end(name));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return path;
  };
  const said = async (path: string): Promise<string> =>
    new Promise((resolve, reject) => {
      let text = "";
      const socket = connect({ path });
      socket.on("data", (bytes) => (text += bytes.toString()));
      socket.on("end", () => resolve(text)).on("error", reject);
    });

  it("is reached, and stays the one that was there when another is put in its place", async () => {
    const path = await listen("own");
    const other = await listen("other");
    const reached = await reachSocket(path);
    await rename(path, join(folder, "moved"));
    await symlink(other, path);
    expect(await readlink(path)).to.equal(other);
    expect(await said(reached.path)).to.equal("own");
    await reached.close();
  });

  it("is no link, no file, and not nothing", async () => {
    await symlink(await listen("other"), join(folder, "link"));
    await writeFile(join(folder, "file"), "");
    for (const [name, problem] of [
      ["link", /is not a socket/],
      ["file", /is not a socket/],
      ["nothing", /ENOENT/],
    ] as const) {
      const error: unknown = await reachSocket(join(folder, name)).catch((reason: unknown) => reason);
      expect(String(error), name).to.match(problem);
    }
  });
});
