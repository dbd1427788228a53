import type { Transform } from "node:stream";
import { Router, type Request, type Response } from "express";
import { AppError, isAppError, toAppError } from "../../core/errors/app-error.js";
import { atLowPriority } from "../../core/exec/low-priority.js";
import { endGroup } from "../../core/exec/exec.js";
import { startPiped, type PipedProcess } from "../../core/exec/start-piped.js";
import type { Home } from "../../core/home.js";
import { parseAppName } from "../../core/names.js";
import type { Actor } from "../../core/records/events/actor.js";
import { authenticate, type Access } from "../access/authenticate.js";
import type { Holder } from "../access/holder.js";
import type { AppStore } from "../apps/app-store.js";
import { openRepository } from "./open-repository.js";
import type { PushDesk } from "./push-desk.js";

export interface HttpGitOptions {
  readonly home: Home;
  readonly access: Access;
  readonly apps: AppStore;
  readonly desk: PushDesk;
}

type Service = "git-receive-pack" | "git-upload-pack";

/** `/git/APP.git`: Git's smart HTTP protocol by `git http-backend` as a CGI (git-http-backend(1), RFC 3875). */
export function httpGit(options: HttpGitOptions): Router {
  const router = Router();
  const serve = async (
    request: Request,
    response: Response,
    service: Service,
    action: string,
  ): Promise<void> => {
    const actor = await holderBehind(options.access, request, response);
    const app = parseAppName(String(request.params["app"]));
    await openRepository(options, actor, app, service === "git-receive-pack" ? "push" : "fetch");
    await backend(options, request, response, { app, actor, service, action });
  };
  router.get("/:app.git/info/refs", async (request, response) => {
    const service = request.query["service"];
    if (service !== "git-receive-pack" && service !== "git-upload-pack") {
      throw new AppError("request-invalid", { problem: "only Git's smart HTTP protocol is supported" });
    }
    await serve(request, response, service, "info/refs");
  });
  for (const service of ["git-receive-pack", "git-upload-pack"] as const) {
    router.post(`/:app.git/${service}`, async (request, response) =>
      serve(request, response, service, service),
    );
  }
  return router;
}

/** Any user name, a token as the password. Throws `push-token-invalid`. */
async function holderBehind(access: Access, request: Request, response: Response): Promise<Holder> {
  try {
    return await authenticate(access, request, { by: ["basic"], refusal: "push-token-invalid" });
  } catch (error) {
    if (isAppError(error, "push-token-invalid")) response.set("WWW-Authenticate", 'Basic realm="git"');
    throw error;
  }
}

async function backend(
  { home, desk }: HttpGitOptions,
  request: Request,
  response: Response,
  call: { app: string; actor: Actor; service: Service; action: string },
): Promise<void> {
  const push = desk.open(call.app, call.actor);
  const child = startPiped({
    argv: atLowPriority(["git", "http-backend"]),
    env: { ...push.env, ...cgiVariables(home, request, call) },
  });
  const onClose = (): void => {
    if (response.writableFinished) return;
    push.interrupt();
    endGroup(child.pid, "SIGTERM");
    // Unread output would keep the child's end from being seen.
    child.stdout.destroy();
  };
  response.on("close", onClose);
  if (response.closed) onClose();
  const incoming = push.limit.incoming();
  request.pipe(incoming).pipe(child.stdin);
  child.stdin.on("error", () => incoming.unpipe().resume());
  child.stderr.resume();
  try {
    await relay(child, response, push.limit.outgoing());
  } finally {
    await push.end();
  }
}

function cgiVariables(
  home: Home,
  request: Request,
  { app, actor, action }: { app: string; actor: Actor; action: string },
): Record<string, string> {
  const header = (name: string, variable: string): Record<string, string> => {
    const value = request.get(name);
    return value === undefined ? {} : { [variable]: value };
  };
  return {
    GIT_PROJECT_ROOT: home.app(app),
    GIT_HTTP_EXPORT_ALL: "1",
    PATH_INFO: `/repo.git/${action}`,
    QUERY_STRING: new URL(request.originalUrl, "http://localhost").search.slice(1),
    REQUEST_METHOD: request.method,
    REMOTE_USER: actor.by,
    REMOTE_ADDR: request.socket.remoteAddress ?? "",
    ...header("content-type", "CONTENT_TYPE"),
    ...header("content-length", "CONTENT_LENGTH"),
    ...header("content-encoding", "HTTP_CONTENT_ENCODING"),
    ...header("git-protocol", "GIT_PROTOCOL"),
  };
}

/** CGI answers with header lines, an empty line, and the body. */
async function relay(child: PipedProcess, response: Response, body: Transform): Promise<void> {
  const { stdout } = child;
  let head: Buffer | undefined = Buffer.alloc(0);
  stdout.on("data", (chunk: Buffer) => {
    if (head === undefined) {
      // A slow client must not make a large answer pile up here.
      if (body.write(chunk)) return;
      stdout.pause();
      body.once("drain", () => stdout.resume());
      return;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    writeHead(head.toString("latin1", 0, end), response);
    body.pipe(response);
    body.write(head.subarray(end + 4));
    head = undefined;
  });
  await new Promise<void>((resolve, reject) => {
    child.once("error", (error) => reject(toAppError(error)));
    child.once("close", () => resolve());
  });
  if (!response.headersSent && !response.closed)
    throw new AppError("internal", { reason: "git http-backend gave no answer" });
  body.end();
}

function writeHead(head: string, response: Response): void {
  for (const line of head.split("\r\n")) {
    const [name = "", ...value] = line.split(": ");
    if (name.toLowerCase() === "status") response.status(Number(value.join(": ").slice(0, 3)));
    else response.set(name, value.join(": "));
  }
  response.flushHeaders();
}
