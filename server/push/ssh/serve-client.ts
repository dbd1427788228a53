import type { AuthContext, Connection } from "ssh2";
import { systemClock } from "../../../core/clock.js";
import { AppError, isAppError, toAppError } from "../../../core/errors/app-error.js";
import type { Log } from "../../../core/log.js";
import { authenticateKey } from "../../access/authenticate-key.js";
import { refuseExpired, type Credential } from "../../access/credential.js";
import { makeHolder, type Holder } from "../../access/holder.js";
import type { KeyStore } from "../../access/key-store.js";
import type { WrongAttempts } from "../../access/wrong-attempts.js";
import { endWith, serveCommand, type ServeCommandOptions } from "./serve-command.js";

export interface ServeClientOptions extends ServeCommandOptions {
  readonly keys: KeyStore;
  readonly attempts: WrongAttempts;
  readonly log: Log;
  /** The delay of each refusal in a pause (`WrongAttempts`). */
  readonly slowMs?: number;
}

/** As OpenSSH's `MaxAuthTries`. */
const MOST_KEYS = 6;
const SLOW_MS = 2000;
/** At once, of one connection; as OpenSSH's `MaxSessions`. */
const MOST_SESSIONS = 10;

/** Lets a client log in by its key, and run Git. `from`: its address. */
export function serveClient(
  options: ServeClientOptions,
  client: Connection,
  from: string,
  onLogin: () => void,
): void {
  /** Whose connection it is, or why that cannot be told. */
  let holder: Holder | AppError | undefined;
  let refused = 0;
  let isClosed = false;
  const refuse = (context: AuthContext): void => {
    // The first question of a client is which methods there are.
    if (context.method !== "none") refused++;
    const reject = (): void => {
      if (isClosed) return;
      if (refused >= MOST_KEYS) client.end();
      else context.reject(["publickey"]);
    };
    // A client with several keys may yet come to the right one.
    if (refused > 0 && options.attempts.isPaused(from)) setTimeout(reject, options.slowMs ?? SLOW_MS);
    else reject();
  };
  /** A client that cannot be admitted gets in only to see why, and not for long. */
  const admit = (context: AuthContext, as: Holder | AppError): void => {
    holder = as;
    if (!isAppError(as)) onLogin();
    context.accept();
  };
  // Without a handler the process would end with the connection.
  client.on("error", (error: Error) => options.log.debug({ reason: error.message }, "ssh connection"));
  client.on("close", () => {
    isClosed = true;
    // A client that tries all of its keys until one is right has done nothing wrong.
    if (holder === undefined && refused > 0) options.attempts.add(from).catch(() => undefined);
  });
  client.on("authentication", (context) => {
    authenticateKey(options.keys, context).then(
      (offered) => {
        if (offered === undefined) refuse(context);
        else if (offered.isProved) admit(context, holderOrExpired(offered.credential, from));
        else context.accept();
      },
      (error: unknown) => {
        options.log.warn({ err: error }, "ssh authentication");
        admit(context, toAppError(error));
      },
    );
  });
  let sessions = 0;
  client.on("session", (accept, reject) => {
    if (sessions >= MOST_SESSIONS) {
      reject();
      return;
    }
    sessions++;
    const session = accept();
    session.on("close", () => sessions--);
    const env: Record<string, string> = {};
    session.on("env", (acceptEnv, _reject, info) => {
      const value = "val" in info && typeof info.val === "string" ? info.val : "";
      if (info.key === "GIT_PROTOCOL" && /^[\w=:.-]{1,64}$/.test(value)) env["GIT_PROTOCOL"] = value;
      // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- absent when the client wants no answer
      acceptEnv?.();
    });
    session.on("exec", (acceptExec, _reject, { command }) => {
      const channel = acceptExec();
      const as = holder;
      if (as === undefined || isAppError(as)) {
        endWith(channel, as ?? new AppError("unauthorized", {}));
        return;
      }
      const serve = async (): Promise<void> => {
        // The connection may have been open for long.
        if (await options.keys.isOver(as.id)) client.end();
        else await serveCommand(options, channel, as, command, env);
      };
      serve().catch((error: unknown) => endWith(channel, toAppError(error)));
    });
    session.on("shell", (acceptShell) => endWith(acceptShell(), new AppError("ssh-git-only", {})));
  });
}

function holderOrExpired(credential: Credential, address: string): Holder | AppError {
  try {
    refuseExpired(credential, "key", systemClock.now());
    return makeHolder(credential, `ssh ${address}`);
  } catch (error) {
    return toAppError(error);
  }
}
