import { programScript } from "./program-script.js";
import { scriptFor } from "../../../../core/exec/sandbox/script-for.js";
import { quote } from "../../../../core/exec/quote.js";
import { memoryLine } from "../../describe-end.js";
import type { InstanceLimits, InstanceSpec } from "../../engine.js";

/** Where an instance finds what it starts. */
export const START_SECRET = "sluice-start";
/** Inside, where each instance has all ports for itself. */
export const OWN_PORT = 5000;
/**
 * The status of an instance that the kernel has killed for want of memory: Docker tells only its own host of that. No signal
 * is reported as it (128 and its number), and an app that ends by it is reported to have ended by 1.
 */
export const OUT_OF_MEMORY_STATUS = 237;
/** Where a container sees how often that has happened in it: of control groups of version 2 and 1. */
const KILLS_FILES = ["/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"];
/** What Docker sets by itself. */
const OF_DOCKER = "unset HOSTNAME HOME";

/** What a secret holds: the environment, and the command in its folder. Of a Swarm's secrets nobody sees more than the names. */
export function startScript({ artifact, command, env, listen }: InstanceSpec): string {
  if (artifact.kind === "program") return programScript(artifact.program, { command, env });
  if (artifact.kind === "tree") throw new Error("a tree is on one host alone");
  const port = listen === "nothing" ? {} : { PORT: String(OWN_PORT) };
  return scriptFor({ folder: artifact.at, before: [OF_DOCKER], env: { ...env, ...port }, command });
}

/**
 * Runs the secret's script. A container's first process alone is asked to end (TERM); this asks every other one, and gives
 * each the time that is left when the command has gone already. `env` undoes that a shell's children in the background
 * ignore INT and QUIT. Both outputs are one, or their lines would come in another order. What this shell itself has to say is
 * not the app's, but for why the app was killed.
 */
export function entryCommand(limits: Pick<InstanceLimits, "memoryMegabytes">): string[] {
  return ["/bin/sh", "-c", entryScript(memoryLine(limits))];
}

function entryScript(outOfMemory: string): string {
  return `ask() { kill -s TERM -- -1; }
exec 2>/dev/null
stopping=
trap 'stopping=1; ask' TERM INT
env --default-signal=INT,QUIT /bin/sh /run/secrets/${START_SECRET} 2>&1 &
main=$!
[ -z "$stopping" ] || ask
while :; do
  wait "$main"
  status=$?
  kill -s 0 "$main" || break
done
while [ -n "$stopping" ] && kill -s 0 -- -1; do sleep 0.05; done
[ "$status" != ${OUT_OF_MEMORY_STATUS} ] || status=1
kills=0
for file in ${KILLS_FILES.join(" ")}; do
  while read -r name count; do [ "$name" != oom_kill ] || kills=$count; done <"$file"
done
if [ -z "$stopping" ] && [ "$status" != 0 ] && [ "$kills" != 0 ]; then
  echo ${quote(outOfMemory)}
  [ "$status" != 137 ] || status=${OUT_OF_MEMORY_STATUS}
fi
exit "$status"
`;
}
