import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Workshop } from "../workshop.js";

/** Debian's monit, which looks at the machine once a second. Answers its process. */
export async function monit(workshop: Workshop): Promise<number> {
  const folder = await workshop.folder();
  const file = join(folder, "monitrc");
  await writeFile(file, configuration(folder));
  await chmod(file, 0o600);
  return (await workshop.program(["monit", "-I", "-c", file])).pid;
}

function configuration(folder: string): string {
  return `set daemon 1
set log ${folder}/log
set pidfile ${folder}/pid
set idfile ${folder}/id
set statefile ${folder}/state
check system machine
  if cpu usage > 50% for 30 cycles then alert
  if memory usage > 50% for 30 cycles then alert
check filesystem root with path /
  if space usage > 90% then alert
`;
}
