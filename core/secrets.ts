import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";
import { readFile } from "node:fs/promises";
import { writeFileAtomically } from "./files/atomic-file.js";

/** A random secret of 256 bits as 64 hexadecimal digits. */
export function makeSecret(): string {
  return randomBytes(32).toString("hex");
}

/** What is stored of a token: enough to recognise it, nothing to use. Tokens are random, so one plain hash will do. */
export function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** Compares in constant time, whatever the lengths. */
export function sameSecret(a: string, b: string): boolean {
  return a !== "" && timingSafeEqual(Buffer.from(hashToken(a), "hex"), Buffer.from(hashToken(b), "hex"));
}

/** Encrypts what must be read again (an app's settings, its Redis password), and derives what need not be stored: under the key file, AES-256-GCM and HKDF. */
export class SecretBox {
  private readonly recordsKey: string;

  constructor(private readonly key: Buffer) {
    this.recordsKey = this.derive("records");
  }

  /** `v1:IV:TAG:TEXT`, each base64. `context` is bound to it: text sealed for one name cannot be opened as another. */
  seal(text: string, context: string): string {
    const iv = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", this.key, iv).setAAD(Buffer.from(context));
    const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
    return ["v1", iv, cipher.getAuthTag(), sealed]
      .map((part) => (typeof part === "string" ? part : part.toString("base64")))
      .join(":");
  }

  open(sealed: string, context: string): string {
    const [version, iv, tag, text] = sealed.split(":");
    if (version !== "v1" || iv === undefined || tag === undefined || text === undefined) {
      throw new Error(`the sealed value of ${context} is damaged`);
    }
    const decipher = createDecipheriv("aes-256-gcm", this.key, Buffer.from(iv, "base64"), {
      authTagLength: 16,
    })
      .setAAD(Buffer.from(context))
      .setAuthTag(Buffer.from(tag, "base64"));
    return Buffer.concat([decipher.update(Buffer.from(text, "base64")), decipher.final()]).toString("utf8");
  }

  /** 64 hexadecimal digits that only who has the key file can make for this text in this `context` (HMAC-SHA-256). */
  mac(text: string, context: string): string {
    return createHmac("sha256", this.recordsKey)
      .update(JSON.stringify([context, text]))
      .digest("hex");
  }

  /** Whether `mac` is the one of this text in this `context`; in constant time. */
  isMac(mac: string, text: string, context: string): boolean {
    const [given, ours] = [Buffer.from(mac), Buffer.from(this.mac(text, context))];
    return given.length === ours.length && timingSafeEqual(given, ours);
  }

  /** A secret as `makeSecret` makes them, always the same for one `context` (RFC 5869). */
  derive(context: string): string {
    return Buffer.from(hkdfSync("sha256", this.key, "", context, 32)).toString("hex");
  }
}

/** What seals certificates. Proxies on other hosts have this secret and no other: `makeSecret`'s form. */
export function certificateSecret(box: SecretBox): string {
  return box.derive("certificates");
}

export function certificateBox(secret: string): SecretBox {
  return new SecretBox(Buffer.from(secret, "hex"));
}

/** Reads a secret file (mode 0600), or makes it. */
export async function readOrMakeSecret(path: string): Promise<{ secret: string; made: boolean }> {
  try {
    const secret = (await readFile(path, "utf8")).trim();
    if (secret !== "") return { secret, made: false };
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
  const secret = makeSecret();
  await writeFileAtomically(path, `${secret}\n`, 0o600);
  return { secret, made: true };
}

export async function openSecretBox(path: string): Promise<SecretBox> {
  const { secret } = await readOrMakeSecret(path);
  return new SecretBox(createHash("sha256").update(secret).digest());
}
