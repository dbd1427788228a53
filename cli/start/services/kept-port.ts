import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { AppError } from "../../../core/errors/app-error.js";
import { writeFileAtomically } from "../../../core/files/atomic-file.js";

/**
 * The port in a file, else in `earlierFile` if there is one, else a free one of loopback; the file has it afterwards. Instances know the port
 * from their start on, so it stays the same for ever.
 */
export async function keptPort(file: string, earlierFile?: string): Promise<number> {
  const kept = await portIn(file);
  if (kept !== undefined) return kept;
  const earlier = earlierFile === undefined ? undefined : await portIn(earlierFile);
  const port = earlier ?? (await freePort());
  await writeFileAtomically(file, `${port}\n`);
  return port;
}

async function portIn(file: string): Promise<number | undefined> {
  const port = Number(await readFile(file, "utf8").catch(() => ""));
  return port > 0 ? port : undefined;
}

async function freePort(): Promise<number> {
  const server = createServer();
  return new Promise<number>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address !== null
          ? resolve(address.port)
          : reject(new AppError("internal", { reason: "no port" })),
      );
    });
  });
}
