import type { ServerChannel } from "ssh2";
import { AppError } from "../../../core/errors/app-error.js";
import { endGroup } from "../../../core/exec/exec.js";
import { atLowPriority } from "../../../core/exec/low-priority.js";
import { startPiped } from "../../../core/exec/start-piped.js";
import { parseAppName } from "../../../core/names.js";
import type { ReplicaBarrier } from "../../../core/loop/replica-barrier.js";
import type { Actor } from "../../../core/records/events/actor.js";
import type { Holder } from "../../access/holder.js";
import { problemLines } from "../../pipeline/output.js";
import { openRepository, type Repositories } from "../open-repository.js";

export interface ServeCommandOptions extends Repositories {
  /** A push gets its exit status after it. */
  readonly barrier?: Pick<ReplicaBarrier, "pass">;
}

/** Runs what a client asks for, if it is Git's on an app that it may use. Throws `ssh-git-only`, and as `openRepository` does. */
export async function serveCommand(
  options: ServeCommandOptions,
  channel: ServerChannel,
  holder: Holder,
  command: string,
  env: Record<string, string>,
): Promise<void> {
  const match = /^git[- ](receive-pack|upload-pack) '\/?([^'/]{1,64}?)(?:\.git)?'$/.exec(command);
  if (match === null) throw new AppError("ssh-git-only", {});
  const [, service = "", name = ""] = match;
  const app = parseAppName(name);
  const path = await openRepository(options, holder, app, service === "receive-pack" ? "push" : "fetch");
  await runGit(options, channel, { app, actor: holder, service, path, env });
}

async function runGit(
  { desk, barrier }: ServeCommandOptions,
  channel: ServerChannel,
  {
    app,
    actor,
    service,
    path,
    env,
  }: { app: string; actor: Actor; service: string; path: string; env: Record<string, string> },
): Promise<void> {
  const push = desk.open(app, actor);
  const child = startPiped({
    argv: atLowPriority(["git", service, path]),
    env: { ...push.env, ...env },
  });
  let ended = false;
  channel.on("close", () => {
    if (ended) return;
    push.interrupt();
    endGroup(child.pid, "SIGTERM");
    // Unread output would keep the child's end from being seen.
    child.stdout.destroy();
  });
  const incoming = push.limit.incoming();
  channel.pipe(incoming).pipe(child.stdin);
  child.stdin.on("error", () => incoming.unpipe().resume());
  child.stdout.pipe(push.limit.outgoing()).pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  try {
    const status = await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve(code ?? 1));
    });
    ended = true;
    await barrier?.pass();
    channel.exit(status);
    channel.end();
  } finally {
    await push.end();
  }
}

/** Ends a command with what is wrong, for people. */
export function endWith(channel: ServerChannel, error: AppError): void {
  channel.stderr.write(`${problemLines(error).join("\n")}\n`);
  channel.exit(1);
  channel.end();
}
