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

export interface ListeningProgram {
  readonly name: string;
  readonly path: string;
}

/** Throws `port-taken`, `port-forbidden`. `program`: who will listen there, when that is not this process. */
export async function checkPort(
  { bind, port, what, setting }: CheckedPort,
  program?: ListeningProgram,
): Promise<void> {
  const code = await problemOf(bind, port);
  if (code === undefined) return;
  if (code === "EADDRINUSE")
    throw new AppError("port-taken", {
      ...{ port, what, setting },
      another: port < 60_000 ? port + 1000 : port - 1000,
    });
  if (code === "EACCES" && program !== undefined && (await mayBind(program))) return;
  if (code === "EACCES") {
    const file = program && (await findProgram(program.name, program.path));
    throw new AppError("port-forbidden", { ...{ port, what, setting }, another: 8000 + port, file });
  }
  throw new AppError("port-unusable", { ...{ port, what, bind }, reason: code });
}

/** Whether a program could listen there. */
export async function isPortFree(bind: string, port: number, program: ListeningProgram): Promise<boolean> {
  const code = await problemOf(bind, port);
  return code === undefined || (code === "EACCES" && (await mayBind(program)));
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
async function mayBind({ name, path }: ListeningProgram): Promise<boolean> {
  const file = await findProgram(name, path);
  if (file === undefined) return false;
  const PATH = `${path}:/usr/sbin:/sbin`;
  const { stdout } = await captureCommand({ argv: ["getcap", file], cwd: "/", env: { PATH } }).catch(() => ({
    stdout: "",
  }));
  return stdout.includes("cap_net_bind_service");
}
