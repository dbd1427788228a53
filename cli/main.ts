import { CommanderError } from "commander";
import { AppError, toAppError } from "../core/errors/app-error.js";
import { RemoteError } from "./client/remote-error.js";
import { program } from "./program.js";

// `sluice releases shop | head -2`: the reader has closed the pipe, which is not an error. What `up` has started must be
// stopped by it all the same: Ctrl-C ends the reader in `sluice up --demo | tee log` first, and a terminal may be closed.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
  if (process.argv[2] !== "up") process.exit();
});

/** 0 done, 1 failed, 2 usage. */
try {
  const sluice = await program(
    {
      env: process.env,
      isTerminal: process.stdout.isTTY,
      cwd: () => process.cwd(),
      input: () => process.stdin,
      errors: () => process.stderr,
      print: (line) => process.stdout.write(`${line}\n`),
    },
    process.argv[2],
  );
  await sluice.parseAsync(process.argv);
} catch (error) {
  process.exitCode = exitStatus(error);
}

function exitStatus(error: unknown): number {
  // commander has already printed its message.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const { message, hint } =
    error instanceof RemoteError || error instanceof AppError ? error : toAppError(error);
  for (const line of `${message}\n${hint}`.split("\n")) process.stderr.write(` !     ${line}\n`);
  return 1;
}
