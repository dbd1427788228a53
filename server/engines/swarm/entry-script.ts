import { programScript } from "./program-script.js";
import { scriptFor } from "../../../core/exec/sandbox/script-for.js";
import type { InstanceSpec } from "../engine.js";

/** Where an instance finds what it starts. */
export const START_SECRET = "sluice-start";
/** Inside, where each instance has all ports for itself. */
export const OWN_PORT = 5000;
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
 * not the app's.
 */
export const ENTRY = [
  "/bin/sh",
  "-c",
  `ask() { kill -s TERM -- -1; }
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
exit "$status"
`,
] as const;
