import { access, constants } from "node:fs/promises";
import { join } from "node:path";

/** The file of a program on PATH. */
export async function findProgram(program: string, path: string): Promise<string | undefined> {
  for (const folder of path.split(":").filter((entry) => entry !== "")) {
    const file = join(folder, program);
    const found = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return file;
  }
  return undefined;
}
