import { createServer } from "node:net";
import { AppError } from "../../../core/errors/app-error.js";
import { captureCommand } from "../../../core/exec/exec.js";
import { findProgram } from "./find-program.js";

interface CheckedPort {
  readonly bind: string;
  readonly port: number;
  /** For people. */
  readonly what: string;
  /** Environment variable. */
  readonly setting: string;
}

/** Throws `port-taken`, `port-forbidden`. `program`: who will listen there, when that is not this process. */
export async function checkPort(
  { bind, port, what, setting }: CheckedPort,
  program?: { readonly name: string; readonly path: string },
): Promise<void> {
  const code = await problemOf(bind, port);
  if (code === undefined) return;
  if (code === "EADDRINUSE")
    throw new AppError("port-taken", {
      ...{ port, what, setting },
      another: port < 60_000 ? port + 1000 : port - 1000,
    });
  const file = program && (await findProgram(program.name, program.path));
  if (code === "EACCES" && program && file !== undefined && (await mayBind(file, program.path))) return;
  if (code === "EACCES")
    throw new AppError("port-forbidden", { ...{ port, what, setting }, another: 8000 + port, file });
  throw new AppError("port-unusable", { ...{ port, what, bind }, reason: code });
}

export async function isPortFree(bind: string, port: number): Promise<boolean> {
  return (await problemOf(bind, port)) === undefined;
}

/** Why nobody can listen there now (errno(3)); undefined: somebody can. */
async function problemOf(bind: string, port: number): Promise<string | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(port, bind, () => server.close(() => resolve(undefined)));
  });
}

/** Whether a program may take ports below 1024 whoever starts it (capabilities(7)). */
async function mayBind(file: string, path: string): Promise<boolean> {
  const PATH = `${path}:/usr/sbin:/sbin`;
  const { stdout } = await captureCommand({ argv: ["getcap", file], cwd: "/", env: { PATH } }).catch(() => ({
    stdout: "",
  }));
  return stdout.includes("cap_net_bind_service");
}
