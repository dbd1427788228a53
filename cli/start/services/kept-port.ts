import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { AppError } from "../../../core/errors/app-error.js";
import { writeFileAtomically } from "../../../core/files/atomic-file.js";

/** A port of 127.0.0.1 that a file keeps; a free one at first. Instances know it from their start on, so it stays for ever. */
export async function keptPort(file: string): Promise<number> {
  const kept = Number(await readFile(file, "utf8").catch(() => ""));
  if (kept > 0) return kept;
  const server = createServer();
  const port = await new Promise<number>((resolve, reject) => {
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
  await writeFileAtomically(file, `${port}\n`);
  return port;
}
