import { readFile } from "node:fs/promises";
import { join } from "node:path";
import ssh2 from "ssh2";
import { AppError } from "../../../core/errors/app-error.js";
import { publicKeyOf } from "../../../core/ssh-key-pair.js";

/** By what somebody logs in to a machine. */
export interface LoginKey {
  readonly privateKeys: readonly string[];
  /** Socket of the agent that has the key. */
  readonly agent: string | undefined;
  /** A line for `authorized_keys`. */
  readonly publicKey: string;
}

/** What ssh(1) would try, too. */
const IDENTITIES = ["id_ed25519", "id_ecdsa", "id_rsa"];

/**
 * The key in `file`, else the first one that the agent has, else one of `folder` (`~/.ssh`). One with a passphrase must be in
 * the agent. Throws `identity-unreadable`.
 */
export async function loginKey(
  file: string | undefined,
  { folder, agent }: { readonly folder: string; readonly agent: string | undefined },
): Promise<LoginKey> {
  const inAgent = agent === undefined ? [] : await keysInAgent(agent);
  const [first] = inAgent;
  if (file === undefined && first !== undefined) return { privateKeys: [], agent, publicKey: first };
  const files = file === undefined ? IDENTITIES.map((name) => join(folder, name)) : [file];
  for (const each of files) {
    const text = await readFile(each, "utf8").catch((error: unknown) => {
      if (file === undefined) return undefined;
      throw unreadable(each, error instanceof Error ? error.message : String(error));
    });
    if (text === undefined) continue;
    const publicKey = publicKeyOf(text);
    if (publicKey !== undefined) return { privateKeys: [text], agent: undefined, publicKey };
    const known = await readFile(`${each}.pub`, "utf8").catch(() => "");
    const same = inAgent.find((line) => isSame(line, known));
    if (same !== undefined) return { privateKeys: [], agent, publicKey: same };
    throw unreadable(each, "it is no private SSH key, or it has a passphrase and no SSH agent has it");
  }
  throw unreadable(folder, `there is none of ${IDENTITIES.join(", ")}, and no SSH agent has a key`);
}

async function keysInAgent(socket: string): Promise<string[]> {
  return new Promise((resolve) => {
    ssh2.createAgent(socket).getIdentities((error, keys) => {
      // One that does not answer has none.
      if (error !== undefined && error !== null) resolve([]);
      else resolve((keys ?? []).map(lineOf));
    });
  });
}

function lineOf(entry: ssh2.KnownPublicKeys[number]): string {
  const isEntry = typeof entry === "object" && "pubKey" in entry;
  const given = isEntry ? entry.pubKey : entry;
  const key = ssh2.utils.parseKey(typeof given === "object" && "pubKey" in given ? given.pubKey : given);
  if (key instanceof Error) throw key;
  return `${key.type} ${key.getPublicSSH().toString("base64")} ${key.comment === "" ? "sluice" : key.comment}`;
}

function isSame(one: string, other: string): boolean {
  return one.split(" ")[1] === other.split(" ")[1];
}

function unreadable(file: string, reason: string): AppError {
  return new AppError("identity-unreadable", { file, reason });
}
